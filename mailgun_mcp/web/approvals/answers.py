"""Records a person's answer to a pending call, after checking that they may give it."""

from collections.abc import Callable, Mapping
from typing import Any

from mailgun_mcp.audit.actions import recorded_action
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.answering import AnswerChannel, may_see, why_not
from mailgun_mcp.confirm.approvals import Approval
from mailgun_mcp.errors import CallError, StateError, UnknownNameError
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.suggest import sentence

CLIENTS: dict[AnswerChannel, str] = {
    "terminal": "approvals page",
    "page": "approvals page",
    "api": "approvals API",
    "chat": "chat",
}


class AnswerRefused(StateError):
    """An answer that was not accepted. The message tells the person why."""


class Answers:
    """Gives answers to pending calls."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def approve(
        self,
        approval: Approval,
        person: Principal,
        channel: AnswerChannel,
        *,
        typed: str | None,
        relay: str | None = None,
    ) -> Approval:
        """Approve for the person, and return the approval. `relay` is the program that passes on their answer.

        Raises AnswerRefused, StateError.
        """
        reason = why_not(approval, person, channel, relay)
        if reason is not None:
            raise AnswerRefused(reason)
        give = self._services.approvals.approve
        return await self._give("approve", give, approval, person, channel, relay, {"typed": typed})

    async def deny(
        self, approval: Approval, person: Principal, channel: AnswerChannel, *, reason: str, relay: str | None = None
    ) -> Approval:
        """Deny for the person, and return the approval. Raises AnswerRefused, StateError."""
        if not person.authenticated or not may_see(approval, person.access):
            raise AnswerRefused(f"{person} may not answer calls in this account.")
        give = self._services.approvals.deny
        return await self._give("deny", give, approval, person, channel, relay, {"reason": reason})

    async def _give(
        self,
        action: str,
        give: Callable[..., Approval],
        approval: Approval,
        person: Principal,
        channel: AnswerChannel,
        relay: str | None,
        words: Mapping[str, Any],
    ) -> Approval:
        details = {"id": approval.id, "tool": approval.tool, "account": approval.account}
        if relay is not None:
            details["on_behalf_of"] = person.id

        def answer() -> Approval:
            with recorded_action(
                self._services.audit_log,
                f"approvals {action}",
                by=relay or person.id,
                client=CLIENTS[channel],
                details=details,
                clock=self._services.clock,
            ):
                return give(approval.id, by=person.id, relay=relay or "", now=self._services.clock(), **words)

        try:
            return await in_thread(answer)
        except UnknownNameError:
            raise
        except CallError as error:
            raise AnswerRefused(f"{sentence(str(error))}.") from error
