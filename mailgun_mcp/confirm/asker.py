"""How a question reaches the person at the client, and what their answer means."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from mailgun_mcp.confirm.bounded_text import LONGEST_REASON
from mailgun_mcp.confirm.form import Form

FormResult = Literal[
    "yes", "declined", "cancelled", "timeout", "empty", "wrong", "unknown", "mixed", "other", "replay", "broken"
]

REFUSALS: dict[FormResult, str] = {
    "declined": "the person said no",
    "cancelled": "the person closed the question without answering",
    "timeout": "nobody answered in time",
    "empty": "the answer was empty",
    "wrong": "the typed text is not the name of the target",
    "unknown": "the answer contains something that was not asked for",
    "mixed": "the answer says yes and gives a reason against it",
    "other": "the answer belongs to another call",
    "replay": "the confirmation was already used",
    "broken": "the question could not be asked",
}
"""Reason why a result other than `yes` counts as a no."""
UNANSWERED: frozenset[FormResult] = frozenset({"cancelled", "timeout", "empty", "broken"})
"""Results that may not come from a person: a client that cannot show a form returns them by itself."""


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """The meaning of a person's answer to a form."""

    result: FormResult
    reason: str = ""
    """Why they said no, in their words."""


class Asker(Protocol):
    """Asks the person at the client."""

    @property
    def can_ask(self) -> bool:
        """Whether the client says that it can show a form to a person."""

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:
        """Return what the person's answer means. `patience` is how many seconds to wait for it."""


@dataclass(frozen=True, slots=True)
class InChat:
    """A person in a chat. They are not asked during the call, and the chat itself decides how long a no lasts."""

    can_ask = False

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:  # noqa: ARG002 - the shape of an Asker
        """Report that the question could not be asked."""
        return FormAnswer("broken")


class Nobody:
    """There is no person to ask."""

    can_ask = False

    async def ask(self, form: Form, *, patience: float) -> FormAnswer:  # noqa: ARG002 - the shape of an Asker
        """Report that the question could not be asked."""
        return FormAnswer("broken")


NOBODY = Nobody()


def read_answer(form: Form, action: str, content: dict[str, Any] | None) -> FormAnswer:
    """Return what an answer to the form means. Only the exact yes counts, and a reason against it makes it a no."""
    content = content or {}
    reason = content.get("reason")
    words = reason.strip()[:LONGEST_REASON] if isinstance(reason, str) else ""
    if action != "accept":
        return FormAnswer("declined", words) if action == "decline" else FormAnswer("cancelled")
    if content.keys() - {"confirm", "reason"} or not isinstance(reason, str | None):
        return FormAnswer("unknown")
    result = _confirmed(form, content["confirm"]) if "confirm" in content else "empty"
    if not words:
        return FormAnswer(result)
    return FormAnswer("mixed" if result == "yes" else "declined", words)


def _confirmed(form: Form, answer: Any) -> FormResult:
    if form.typed is None or answer is False:
        return "yes" if answer is True else "declined"
    if not isinstance(answer, str) or not answer.strip():
        return "empty"
    return "yes" if answer.strip() == form.typed else "wrong"
