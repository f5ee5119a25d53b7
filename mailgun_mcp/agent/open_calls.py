"""Closes calls that a run left open because its process died, it was cancelled, or it ended early."""

from contextlib import suppress
from dataclasses import replace

from mailgun_mcp.agent.event_log import LiveRun
from mailgun_mcp.agent.threads import in_thread
from mailgun_mcp.agent.transcript import CallStatus, ToolCall, Transcript
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.principal import Principal

UNKNOWN = (
    "The server stopped while this call was under way. It is not known whether the call took effect, and it is not "
    "repeated automatically. Read the current state before you do anything else."
)
BROKE_OFF = "The server stopped during the answer before this one. What was said and done until then is kept."
STOPPED = "The server stopped during this answer. What was said and done is kept; you can go on from here."
CANCELLED = "Cancelled by the person before it was made. Nothing was sent."
NOT_MADE = "The turn ended before this call was made. Nothing was sent."
CANCELLED_REASON = "the person cancelled the turn"


class OpenCalls:
    """Closes what was left open. No call is made again."""

    def __init__(self, services: Services, transcript: Transcript) -> None:
        self._services = services
        self._transcript = transcript

    async def broken(self, live: LiveRun, *, broke_off: bool) -> None:
        """Close what a process that died left open."""
        for call in await in_thread(self._transcript.open_calls, live.conversation):
            if call.status == "running":
                await self._close(live, call, "unknown", UNKNOWN)
            elif call.turn != live.turn:
                await self._close(live, call, "cancelled", NOT_MADE)
        if broke_off:
            live.add("warning", text=BROKE_OFF)

    async def cancelled(self, live: LiveRun, principal: Principal) -> None:
        """Close the calls without a result after the person cancelled the turn. Open approvals are denied."""
        for call in await in_thread(self._transcript.open_calls, live.conversation):
            if call.status == "waiting":
                await in_thread(self._deny, call, principal)
            await self._close_begun(live, call, CANCELLED)

    async def ended(self, live: LiveRun) -> bool:
        """Close the calls without a result after the turn ended early. Return whether some still wait for a person."""
        waiting = False
        for call in await in_thread(self._transcript.open_calls, live.conversation):
            if call.status == "waiting":
                waiting = True
            else:
                await self._close_begun(live, call, NOT_MADE)
        return waiting

    async def _close_begun(self, live: LiveRun, call: ToolCall, not_made: str) -> None:
        if call.status == "running":
            await self._close(live, call, "unknown", UNKNOWN)
        else:
            await self._close(live, call, "cancelled", not_made)

    async def _close(self, live: LiveRun, call: ToolCall, status: CallStatus, text: str) -> None:
        await in_thread(self._transcript.update, live.conversation, replace(call, status=status, text=text))
        live.add("tool_finished", call=call.id, tool=call.tool, status=status, text=text, log=call.log, undo=None)

    def _deny(self, call: ToolCall, principal: Principal) -> None:
        # If it was answered or has expired, there is nothing left to deny.
        with suppress(StateError):
            self._services.approvals.deny(
                call.approval or "", by=principal.id, now=self._services.clock(), reason=CANCELLED_REASON
            )
