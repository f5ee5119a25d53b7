"""One call from its name to its result. Every way in (MCP, CLI, Python) runs through `run`."""

from typing import Any

from mailgun_mcp.call.builtin import run_builtin
from mailgun_mcp.call.result_schema import shape
from mailgun_mcp.call.services import App, Outcome, Refused, UnknownTool
from mailgun_mcp.call.stages import Call, gather_facts, permit, see, send, snapshot_of
from mailgun_mcp.catalogue.builtin_tools import builtin_operation
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import LOCAL, Caller
from mailgun_mcp.confirm.confirm import NotConfirmed
from mailgun_mcp.mailgun.errors import MailgunFault
from mailgun_mcp.output.secrets import reference_text
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.request.build import Request, RequestFault, build
from mailgun_mcp.request.validate import validate
from mailgun_mcp.store.database import StateError
from mailgun_mcp.text.durations import iso
from mailgun_mcp.text.suggest import unknown
from mailgun_mcp.undo.undo import ChangedSince

FAULTS = (Refused, NotConfirmed, ChangedSince, RequestFault, MailgunFault, StateError)


async def run(app: App, tool: str, arguments: Arguments, caller: Caller = LOCAL) -> Outcome:
    """Make the call and return what it came to; faults of the call are outcomes, not exceptions.

    Raises UnknownTool when there is no such tool, and what the caller's asker raises to put a question off.
    """
    call = Call.of(app, _find(app, tool), arguments, caller)
    try:
        result = await (run_builtin(call) if tool in app.builtin_tools else _make(call))
    except FAULTS as fault:
        await app.recorder.settle(call.recording, _outcome(fault))
        return _fault(tool, fault)
    except Exception:
        if not call.recording.intended:
            # The question goes back to the client, and the call comes again with the answer.
            await app.recorder.settle(call.recording, "asked")
        raise
    structured, text = app.results.fit(result)
    return Outcome(text, structured)


async def _make(call: Call) -> dict[str, Any]:
    """Take the call through its stages. Raises one of FAULTS when it comes to nothing."""
    app, operation, arguments = call.app, call.operation, call.arguments
    request = _build(call, arguments)
    facts = await gather_facts(call, request.digest)
    call.snapshot = snapshot_of(call)
    try:
        elevation = await permit(call, facts, request, decide(app.policy, facts), lambda: see(call))
        request, generated = await _ready(call, request)
        response = await send(call, facts, request)
    finally:
        if call.snapshot is not None:
            await call.snapshot.discard()
    result = shape(operation, arguments, response)
    return {
        **await _protect(call, result),
        **generated,
        **_undo(call),
        **({"elevated": elevation} if elevation else {}),
    }


def _find(app: App, tool: str) -> Operation:
    if tool in app.builtin_tools:
        return builtin_operation(tool)
    if tool not in app.catalogue:
        raise UnknownTool(unknown("tool", tool, [*app.catalogue.names, *app.builtin_tools]))
    return app.catalogue.find(tool)


def _build(call: Call, arguments: Arguments) -> Request:
    found = validate(call.operation, arguments)
    if found:
        raise RequestFault(found)
    return build(call.operation, arguments, call.app.files, subaccount=call.app.subaccount)


async def _ready(call: Call, request: Request) -> tuple[Request, dict[str, Any]]:
    """Put in the passwords that the server makes up: after the yes, which is bound to the request with the word for them."""
    filled, kept = await call.app.protection.ready(call.operation, call.arguments)
    if not kept:
        return request, {}
    return _build(call, filled), {"generated": {place: reference_text(name) for place, name in kept.items()}}


async def _protect(call: Call, result: dict[str, Any]) -> dict[str, Any]:
    protected, marked = call.app.protection.apply(call.operation, result)
    if marked:
        await call.app.history.shown_untrusted(call.caller)
    return protected


def _undo(call: Call) -> dict[str, Any]:
    """Return how the call is undone, where it can be."""
    if call.snapshot is None or not call.snapshot.kept:
        return {}
    until = call.app.clock() + call.app.policy.undo.keep
    return {"undo": {"id": call.recording.call, "until": iso(until)}}


def _outcome(fault: Exception) -> str:
    """Return what the journal says of a call that came to nothing."""
    match fault:
        case RequestFault():
            return "invalid"
        case NotConfirmed():
            return "held" if fault.approval else "refused"
        case Refused() | ChangedSince():
            return "refused"
        case _:
            return "failed"


def _fault(tool: str, fault: Exception) -> Outcome:
    match fault:
        case RequestFault():
            listed = "\n".join(f"- {item}" for item in fault.faults)
            text = f"Nothing was sent: {len(fault.faults)} fault(s) in the arguments of {tool}.\n{listed}"
            return Outcome(text, kind="invalid")
        case MailgunFault():
            return Outcome(f"{fault}. {fault.step}", kind="failed")
        case StateError():
            return Outcome(f"Nothing was sent: {fault}", kind="failed")
        case _:
            return Outcome(str(fault), kind="refused")
