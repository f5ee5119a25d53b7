"""One call from its name to its result. Every way in (MCP, CLI, Python) runs through `run`."""

from typing import Any

from mailgun_mcp.call.builtin import run_builtin
from mailgun_mcp.call.result_schema import shape
from mailgun_mcp.call.services import CallResult, Services
from mailgun_mcp.call.stages import Call, authorize, capture_of, gather_facts, preview_target, send
from mailgun_mcp.catalogue.builtin_tools import builtin_operation
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import LOCAL, Caller
from mailgun_mcp.errors import ArgumentError, CallError, UnknownToolError
from mailgun_mcp.output.secrets import reference_text
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.request.build import Request, build
from mailgun_mcp.request.validate import validate
from mailgun_mcp.text.durations import iso
from mailgun_mcp.text.suggest import unknown


async def run(services: Services, tool: str, arguments: Arguments, caller: Caller = LOCAL) -> CallResult:
    """Make the call and return what it came to; faults of the call are outcomes, not exceptions.

    Raises UnknownToolError when there is no such tool, and what the caller's asker raises to put a question off.
    """
    call = Call.of(services, _find(services, tool), arguments, caller)
    try:
        result = await (run_builtin(call) if tool in services.builtin_tools else _make(call))
    except CallError as error:
        await services.recorder.finish(call.recording, error.outcome)
        return CallResult(error.text(tool), kind=error.kind)
    except Exception:
        if not call.recording.intended:
            # The question goes back to the client, and the call comes again with the answer.
            await services.recorder.finish(call.recording, "asked")
        raise
    structured, text = services.results.fit(result)
    return CallResult(text, structured)


async def _make(call: Call) -> dict[str, Any]:
    """Take the call through its stages. Raises CallError when it comes to nothing."""
    services, operation, arguments = call.services, call.operation, call.arguments
    request = _build(call, arguments)
    facts = await gather_facts(call, request.digest)
    call.capture = capture_of(call)
    try:
        elevation = await authorize(call, facts, request, decide(services.policy, facts), lambda: preview_target(call))
        request, generated = await _ready(call, request)
        response = await send(call, facts, request)
    finally:
        if call.capture is not None:
            await call.capture.discard()
    result = shape(operation, arguments, response)
    return {
        **await _protect(call, result),
        **generated,
        **_undo(call),
        **({"elevated": elevation} if elevation else {}),
    }


def _find(services: Services, tool: str) -> Operation:
    if tool in services.builtin_tools:
        return builtin_operation(tool)
    if tool not in services.catalogue:
        raise UnknownToolError(unknown("tool", tool, [*services.catalogue.names, *services.builtin_tools]))
    return services.catalogue.find(tool)


def _build(call: Call, arguments: Arguments) -> Request:
    found = validate(call.operation, arguments)
    if found:
        raise ArgumentError(found)
    return build(call.operation, arguments, call.services.files, subaccount=call.services.subaccount)


async def _ready(call: Call, request: Request) -> tuple[Request, dict[str, Any]]:
    """Put in the passwords that the server makes up: after the yes, which is bound to the request with the word for them."""
    filled, kept = await call.services.protection.ready(call.operation, call.arguments)
    if not kept:
        return request, {}
    return _build(call, filled), {"generated": {place: reference_text(name) for place, name in kept.items()}}


async def _protect(call: Call, result: dict[str, Any]) -> dict[str, Any]:
    protected, marked = call.services.protection.apply(call.operation, result)
    if marked:
        await call.services.history.shown_untrusted(call.caller)
    return protected


def _undo(call: Call) -> dict[str, Any]:
    """Return how the call is undone, where it can be."""
    if call.capture is None or not call.capture.saved:
        return {}
    until = call.services.clock() + call.services.policy.undo.keep
    return {"undo": {"id": call.recording.call, "until": iso(until)}}
