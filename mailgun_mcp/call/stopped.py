"""What a caller is told whose call ended before its result was complete."""

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.send import how_to_find_out
from mailgun_mcp.errors import CallError, OutcomeUnknownError
from mailgun_mcp.mailgun.explain import LOOK_FIRST

AGAIN = "Make the call again, to another server or to this one after its restart."
PARTLY = "Find out what it has done before you make it again."


def stopped(call: Call) -> CallError:
    """Return the error of a call that the server ended because it stops."""
    record = call.record
    if record.outcome == "done":
        return unshown(call, "the server stopped")
    if call.operation.name in call.services.builtin_tools:
        return CallError("The server stopped in the middle of the call", PARTLY if record.changes else AGAIN)
    if not record.changes:
        return CallError("The server stopped before Mailgun answered", AGAIN)
    if not record.begun:
        return CallError("The server stopped before the call was made; nothing was changed", AGAIN)
    if record.outcome == "failed":
        return CallError("The call failed and changed nothing; the server stopped before it could say why", AGAIN)
    unknown = "The server stopped before Mailgun answered: whether the call took effect is unknown"
    return OutcomeUnknownError(unknown, how_to_find_out(call, LOOK_FIRST))


def unshown(call: Call, why: str) -> CallError:
    """Return the error of a call that was made, and whose result is lost."""
    next_step = how_to_find_out(call, PARTLY) if call.record.changes else AGAIN
    return CallError(f"The call was made, but its result cannot be shown: {why}", next_step)
