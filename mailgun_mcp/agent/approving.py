"""Calls that wait for a person: how they start to wait, who may answer in the chat, and what an answer does to them.

The approvals store is the only record of a yes: it is given there, and the pipeline uses it up when it makes the call.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mailgun_mcp.agent.display import safe
from mailgun_mcp.agent.errors import AnswerError, ForbiddenError
from mailgun_mcp.agent.event_log import LiveRun
from mailgun_mcp.agent.threads import in_thread
from mailgun_mcp.agent.toolset import ToolResult, shown
from mailgun_mcp.agent.transcript import CallStatus, ToolCall, Transcript
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.confirm import MODEL_ADVICE, because
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.text.durations import iso

if TYPE_CHECKING:
    from mailgun_mcp.confirm.approvals import Approval

ANSWERED_HERE = ("ask", "typed")
"""Levels at which the person of the conversation may approve a call in it."""
ALREADY_DENIED = "Refused without asking: a person already said no to exactly this call in this turn. " + MODEL_ADVICE
EXPIRED = "Not made: nobody answered in time. Nothing was sent."


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's answer to an open approval."""

    approval: str
    yes: bool
    typed: str | None = None
    reason: str = ""
    """Why the call is refused, in the person's words. The model gets it."""


class Approving:
    """Handles the approvals of one run."""

    def __init__(self, services: Services, transcript: Transcript, live: LiveRun, principal: Principal) -> None:
        self._services = services
        self._transcript = transcript
        self._live = live
        self._principal = principal

    async def wait(self, call: ToolCall, result: ToolResult) -> str | None:
        """Let the call wait for its pending approval. If a person denied it before, return the refusal instead."""
        approval = await in_thread(self._services.approvals.get, result.approval or "", self._services.clock())
        denied = [other for other in await self._denied() if other.binding == approval.binding]
        if denied:
            await in_thread(
                self._services.approvals.deny, approval.id, by=self._principal.id, now=self._services.clock()
            )
            return ALREADY_DENIED
        waiting = replace(
            call,
            status="waiting",
            approval=approval.id,
            binding=approval.binding,
            text=result.text,
            log=result.log,
        )
        await in_thread(self._transcript.update, self._live.conversation, waiting)
        self._live.add("approval_needed", **needed(call, approval))
        return None

    async def refusal(self, call: ToolCall) -> str | None:
        """Return a refusal if the same call was denied in this turn, otherwise None."""
        for other in await self._denied():
            if (other.tool, other.arguments) == (call.tool, call.arguments) and other.id != call.id:
                return ALREADY_DENIED
        return None

    async def take_answer(self, call: ToolCall) -> ToolCall | None:
        """Return the waiting call if it still waits or can be made now, or None if a no or the expiry has ended it."""
        approval = await in_thread(self._services.approvals.get, call.approval or "", self._services.clock())
        answer = approval.answers[-1] if approval.answers else None
        match approval.status:
            case "pending":
                return call
            case "denied" if answer is not None:
                text = f"Not made: {answer.by} said no{because(answer.reason)}. Nothing was sent. {MODEL_ADVICE}"
                await self._end(call, "denied", text, by=answer.by, reason=answer.reason)
                return None
            case "expired":
                await self._end(call, "expired", EXPIRED)
                return None
            case "approved":
                self._answered(call, "approved", by=approval.people)
        # If the target changed meanwhile (stale), or the yes was used elsewhere, this asks a person again.
        return replace(call, status="new")

    async def _end(self, call: ToolCall, status: CallStatus, text: str, *, by: str = "", reason: str = "") -> None:
        await in_thread(self._transcript.update, self._live.conversation, replace(call, status=status, text=text))
        self._answered(call, status, by=by, reason=reason)
        self._live.add(
            "tool_finished", call=call.id, tool=call.tool, status=status, text=shown(text), log=call.log, undo=None
        )

    def _answered(self, call: ToolCall, status: str, *, by: str, reason: str = "") -> None:
        self._live.add(
            "approval_answered", call=call.id, approval=call.approval, status=status, by=by, reason=safe(reason)
        )

    async def _denied(self) -> list[ToolCall]:
        calls = await in_thread(self._transcript.calls, self._live.conversation)
        return [call for call in calls if call.turn == self._live.turn and call.status == "denied"]


def needed(call: ToolCall, approval: "Approval") -> dict[str, Any]:
    """Return the body of the event that asks a person for approval."""
    return {
        "call": call.id,
        "approval": approval.id,
        "tool": approval.tool,
        "title": approval.title,
        "level": approval.level,
        "typed": approval.typed,
        "form": safe(approval.text),
        "expires": iso(approval.expires),
        "answerable": approval.level in ANSWERED_HERE,
    }


def record_answers(
    services: Services, calls: Sequence[ToolCall], answers: Sequence[Answer], principal: Principal
) -> None:
    """Check all answers, then record them in the approvals store. Raises AnswerError, ForbiddenError.

    `calls` are the waiting calls of the principal's own conversation. An answer that was given elsewhere stands.
    """
    now = services.clock()
    waiting = {call.approval: call for call in calls if call.approval is not None}
    checked: list[Answer] = []
    for answer in answers:
        if answer.approval not in waiting:
            raise AnswerError(f"The approval {answer.approval[:40]!r} is not open in this conversation.")
        approval = services.approvals.get(answer.approval, now)
        if approval.status == "expired":
            raise AnswerError(f"The approval {approval.id} has expired. Nothing was done. Ask the assistant again.")
        if approval.status != "pending":
            continue
        if answer.yes:
            _check_yes(approval, answer, principal)
        checked.append(answer)
    for answer in checked:
        try:
            if answer.yes:
                services.approvals.approve(answer.approval, by=principal.id, now=now, typed=answer.typed)
            else:
                services.approvals.deny(answer.approval, by=principal.id, now=now, reason=answer.reason)
        except UnknownNameError as error:
            raise AnswerError(str(error)) from error
        except StateError as error:
            if services.approvals.get(answer.approval, now).status == "pending":
                raise AnswerError(str(error)) from error
            # Somebody answered elsewhere first. Their answer stands.


def _check_yes(approval: "Approval", answer: Answer, principal: Principal) -> None:
    if principal.access.relay:
        raise ForbiddenError(
            "A program that relays answers says yes for a person over /api/approvals. It can say no here."
        )
    if not principal.authenticated:
        raise ForbiddenError(
            f"You have not proved who you are, so you cannot approve {approval.id} here. You can say no."
        )
    if approval.level not in ANSWERED_HERE:
        raise ForbiddenError(
            f"You cannot approve {approval.id} here: at the level {approval.level} somebody else must approve it, on "
            "the approvals page or in a terminal. You can say no."
        )
    if approval.typed is not None and (answer.typed or "").strip() != approval.typed.strip():
        raise AnswerError(f"To approve {approval.id}, type the name: {approval.typed}")
