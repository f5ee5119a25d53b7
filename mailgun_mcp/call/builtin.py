"""Calls of the server's own tools: they read what the server keeps, or put back what a call changed."""

from typing import Any

from mailgun_mcp.call.stages import Call, body_of, permit, reading_before_call, send
from mailgun_mcp.catalogue.builtin_tools import BUILTIN_TOOLS, LIST_UNDOABLE, READ_RESULT, UNDO_OPERATION
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.form import Preview
from mailgun_mcp.errors import ArgumentError, DeniedError
from mailgun_mcp.policy.facts import Facts, gather
from mailgun_mcp.request.build import build
from mailgun_mcp.request.files import Files
from mailgun_mcp.request.validate import validate_schema
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.undo.plan import Plan
from mailgun_mcp.undo.snapshots import Snapshot
from mailgun_mcp.undo.undo import Undoing, refuse_elsewhere, undoable


async def run_builtin(call: Call) -> dict[str, Any]:
    """Return the result of a call of one of the server's own tools. Raises what `pipeline` tells."""
    found = validate_schema(BUILTIN_TOOLS[call.operation.name]["inputSchema"], call.arguments)
    if found:
        raise ArgumentError(found)
    handlers = {READ_RESULT: _read_result, LIST_UNDOABLE: _list_undoable, UNDO_OPERATION: _undo}
    return await handlers[call.operation.name](call)


async def _read_result(call: Call) -> dict[str, Any]:
    name = call.arguments["result"]
    # For JSON Schema 2.0 is an integer as well.
    part = call.services.results.read(name, int(call.arguments.get("offset", 0)))
    if part is None:
        raise ArgumentError([f"result: {name[:80]!r} is not kept (any more); make the call again, for less at a time"])
    # What is read on may be what third parties wrote.
    await call.services.history.shown_untrusted(call.caller)
    await call.services.recorder.finish(call.recording, "done")
    return part


async def _list_undoable(call: Call) -> dict[str, Any]:
    services = call.services
    limit = int(call.arguments.get("limit", 20))
    kept = await in_thread(services.snapshots.kept, services.clock(), services.account) if services.store.exists else ()
    here = [found for found in kept if found.endpoint == services.client.endpoint.url]
    known = services.known
    items = [undoable(found, known.find(found.tool) if found.tool in known else None) for found in here[:limit]]
    await services.recorder.finish(call.recording, "done")
    return {"items": items, "more": max(0, len(here) - limit)}


async def _undo(call: Call) -> dict[str, Any]:
    services = call.services
    kept = await in_thread(services.snapshots.get, call.arguments["id"], services.clock())
    refuse_elsewhere(kept, account=services.account, endpoint=services.client.endpoint.url)
    if kept.status == "undone":
        await services.recorder.finish(call.recording, "done")
        return {"message": f"{kept.id} is undone already; nothing was done.", "put_back": 0, "not_put_back": []}
    context = await services.history.context(
        call.operation, call.caller, digest="", subaccount=kept.subaccount, list_members={}
    )

    def facts_of(operation: Operation, arguments: Arguments) -> Facts:
        return gather(operation, arguments, context)

    async def make(operation: Operation, arguments: Arguments) -> Any:
        return await _step(call, kept, facts_of(operation, arguments))

    undoing = Undoing(
        kept,
        services.reader(kept.subaccount, call.caller.notify),
        services.store,
        services.policy,
        offers=services.catalogue.__contains__,
        facts=facts_of,
    )
    plan = await _planned(call, undoing)
    if call.arguments.get("dry_run"):
        await services.recorder.finish(call.recording, "done")
        return undoing.tell(plan)

    async def see() -> Preview:
        nonlocal plan
        plan = await _planned(call, undoing)
        return undoing.preview(plan)

    facts, request, decision = undoing.decide(plan)
    decided = plan.digest
    call.recording.fields |= {"undoes": kept.id, "digest": request.digest}
    await permit(call, facts, request, decision, see)
    if plan.digest != decided:
        raise DeniedError("Not undone: what it would touch changed meanwhile. Nothing was sent; it can be tried again.")
    await services.recorder.begin(call.recording)
    result = await undoing.apply(plan, make, services.clock())
    await services.recorder.finish(call.recording, "done", put_back=result["put_back"])
    return result


async def _step(call: Call, kept: Snapshot, facts: Facts) -> Any:
    """Make one call of an undo, with a record of its own; it was decided on with the whole."""
    services, operation, arguments = call.services, facts.operation, facts.arguments
    step = Call.of(services, operation, arguments, call.caller, subaccount=kept.subaccount, undoes=kept.id)
    step.recording.fields["decision"] = {"effect": "allow", "rule": "undo", "reason": f"part of {call.recording.call}"}
    request = build(operation, arguments, Files(), subaccount=kept.subaccount)
    step.recording.fields["digest"] = request.digest
    return body_of(await send(step, facts, request))


async def _planned(call: Call, undoing: Undoing) -> Plan:
    with reading_before_call(call.operation, "what is there now"):
        return await undoing.plan()
