"""What a call is about to affect. It is read before the call is made, and copied if it can be restored."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from mailgun_mcp.call.current_call import Call
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.confirm.form import Preview
from mailgun_mcp.errors import MailgunError, NotPreparedError
from mailgun_mcp.undo.capture import AccountScope, Capture
from mailgun_mcp.undo.preview import PreviewReader


def start_capture(call: Call) -> Capture | None:
    """Return an object that captures what the call removes or overwrites; None if the call cannot be undone."""
    if not call.operation.affects:
        return None
    services = call.services
    return Capture(
        services.reader(call.subaccount, call.caller.notify),
        services.snapshots,
        services.clock,
        call.operation,
        call.arguments,
        AccountScope(call.account.key, call.account.endpoint, call.subaccount),
        limit=services.policy.undo.records,
    )


async def preview_target(call: Call) -> Preview:
    """Return the current state of what the call would affect. If the call can be undone, capture that state too.

    Raises NotPreparedError, StateError.
    """
    services = call.services
    with reading_before_call(call.operation, "its target"):
        if call.capture is not None:
            preview = await call.capture.take()
        else:
            reader = PreviewReader(services.all_tools, services.client, call.subaccount, call.caller.notify)
            preview = await reader.preview(call.operation, call.arguments)
            preview = replace(preview, third_party=bool(preview.text))
    return preview if _reads_third_party_text(call) else replace(preview, third_party=False)


def _reads_third_party_text(call: Call) -> bool:
    """Return whether what the call affects contains text that third parties write."""
    operation, tools = call.operation, call.services.all_tools
    reads = {operation.preview.tool} if operation.preview else set()
    for effect in operation.affects:
        resource = tools.resource(effect.resource)
        reads |= {read.tool for read in (resource.one, resource.all) if read}
    return any(tools.find(tool).shows_third_party_text for tool in reads)


@contextmanager
def reading_before_call(operation: Operation, what: str) -> Iterator[None]:
    """Explain an error of the read: the call that depends on it was not made."""
    try:
        yield
    except MailgunError as error:
        raise NotPreparedError(
            f"{operation.name} was not called: {what} cannot be read. {error}", error.next_step
        ) from error
