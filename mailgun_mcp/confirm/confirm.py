"""The confirmation stage: looks at the target, asks a person, and looks again before the call is made.

A model can't confirm. A yes comes from the person at the client (elicitation) or from the
person at the approvals channel; anything else is a no.
"""

from dataclasses import dataclass
from typing import Protocol

from mailgun_mcp.confirm.form import REFUSALS, Binding, Form, FormResult, Preview, render
from mailgun_mcp.errors import NotConfirmedError
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import Decision, Policy
from mailgun_mcp.request.build import Request

ROUNDS = 3
"""How often a question is asked anew because its target changed meanwhile."""
BY_ELICITATION = frozenset({"ask", "typed"})


class Asker(Protocol):
    """The person at the client."""

    @property
    def can_ask(self) -> bool:
        """Whether the client says that it can put a form before a person."""

    async def ask(self, form: Form, *, patience: float) -> FormResult:
        """Return what the person's answer means."""


class Approvals(Protocol):
    """The channel that only a person can write to."""

    async def consume(self, form: Form) -> str | None:
        """Return who approved this very call, and use the approval up; None when nobody did."""

    async def request(self, form: Form, facts: Facts, *, ttl: float) -> str:
        """Hold the call for a person's answer and return its id."""


class Looker(Protocol):
    """Looks at what a call would touch."""

    async def __call__(self) -> Preview:
        """Return what is there now. Raises when it cannot be seen."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A person's yes."""

    level: str
    by: str
    method: str


async def confirm(
    facts: Facts,
    request: Request,
    decision: Decision,
    policy: Policy,
    *,
    asker: Asker,
    approvals: Approvals,
    look: Looker,
) -> Confirmation:
    """Return the person's yes to exactly this call, whose target is as it was shown.

    Raises NotConfirmedError when there is none.
    """
    binding = Binding(
        facts.context.principal, facts.context.account, facts.operation.name, request.digest, policy.digest
    )
    form = render(facts, request, decision, await look(), binding)
    by = await approvals.consume(form)
    if by is not None:
        return Confirmation(form.level, by, "approval")
    if not _may_elicit(form, policy, asker):
        raise await _held(facts, form, policy, approvals)
    for _ in range(ROUNDS):
        verdict = await asker.ask(form, patience=policy.confirmation.ttl)
        if verdict != "yes":
            raise _refused(verdict)
        again = await look()
        if again.digest == form.preview:
            return Confirmation(form.level, facts.context.client or facts.context.principal, "elicitation")
        form = render(facts, request, decision, again, binding)
    raise NotConfirmedError("Not made: the target changed each time while the person was asked.", "changed")


def _may_elicit(form: Form, policy: Policy, asker: Asker) -> bool:
    return form.level in BY_ELICITATION and "elicitation" in policy.confirmation.methods and asker.can_ask


async def _held(facts: Facts, form: Form, policy: Policy, approvals: Approvals) -> NotConfirmedError:
    if "approval" not in policy.confirmation.methods:
        return NotConfirmedError(
            "Not made: it needs a person's confirmation, this client cannot ask for one, and the policy allows no other way.",
            "cannot ask",
        )
    name = await approvals.request(form, facts, ttl=policy.confirmation.ttl)
    return NotConfirmedError(
        f"Held for a person's approval as {name}; nothing was sent. A person runs `mailgun-mcp approvals approve {name}` in a "
        f"terminal (`approvals show {name}` shows the call). After that, make exactly the same call again: it runs once. "
        f"It is held for {policy.confirmation.ttl / 60:.0f} minutes.",
        "held",
        name,
    )


def _refused(verdict: FormResult) -> NotConfirmedError:
    return NotConfirmedError(
        f"Not made: {REFUSALS[verdict]}. Nothing was sent. Do not look for another way to do it; ask the person what they want.",
        verdict,
    )
