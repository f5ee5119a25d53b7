"""Calls of built-in tools: they read stored results, undo calls, find tools, or make several calls at once."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mailgun_mcp.call.access import check_builtin_domains, may_use_account
from mailgun_mcp.call.account_choice import reachable_accounts
from mailgun_mcp.call.complete import fence_result
from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.results import Owner
from mailgun_mcp.call.search_mode import describe_tools, search_tools
from mailgun_mcp.call.undo_operation import undo_operation
from mailgun_mcp.catalogue.builtin_tools import LIST_UNDOABLE, READ_RESULT, UNDO_OPERATION, WHOAMI
from mailgun_mcp.catalogue.search.tools import DESCRIBE_TOOLS, SEARCH_TOOLS
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from mailgun_mcp.errors import AccountError, ArgumentError
from mailgun_mcp.request.validate import validate_schema
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.durations import iso
from mailgun_mcp.undo.report import quoted_summary, undo_entry

if TYPE_CHECKING:
    from mailgun_mcp.call.workflows.reads import Run


async def run_builtin(call: Call, run: "Run") -> dict[str, Any]:
    """Return the result of a call of a built-in tool. Raises what `pipeline.run` handles.

    `run` makes the calls that a workflow consists of.
    """
    faults = validate_schema(call.operation, call.arguments)
    if faults:
        raise ArgumentError(faults)
    if call.operation.name in WORKFLOW_TOOLS:
        from mailgun_mcp.call.workflows.decision import check_policy
        from mailgun_mcp.call.workflows.run import run_workflow

        await check_policy(call)
        # Each call of the workflow is checked separately.
        return await run_workflow(call, run)
    check_builtin_domains(call)
    handlers = {
        READ_RESULT: _read_result,
        LIST_UNDOABLE: _list_undoable,
        UNDO_OPERATION: undo_operation,
        WHOAMI: _whoami,
        SEARCH_TOOLS: search_tools,
        DESCRIBE_TOOLS: describe_tools,
    }
    return await handlers[call.operation.name](call)


async def _read_result(call: Call) -> dict[str, Any]:
    services, name = call.services, call.arguments["result"]
    result = services.results.find(name) or await in_thread(services.kept_results.find, name, services.clock())
    if result is None or result.owner.principal != call.caller.principal.id or not await _reaches(call, result.owner):
        raise ArgumentError(
            [
                f"result: {name[:80]!r} does not exist, or has expired: a long result can be read for one hour, by "
                "the caller who made the call. Make that call again"
            ]
        )
    # JSON Schema accepts 2.0 as an integer too.
    part = services.results.part(result, int(call.arguments.get("offset", 0)))
    if "untrusted_text" in part:
        await call.services.history.shown_untrusted(call.account, call.caller)
    await call.services.recorder.finish(call.record, "done")
    return part


async def _reaches(call: Call, owner: Owner) -> bool:
    """Return whether the caller may still use the account that a result came from."""
    server = call.services.server or call.services
    reachable = await reachable_accounts(server, call.caller.principal)
    if not server.accounts and not reachable:
        return owner.account == call.account.key
    for services in reachable.values():
        with suppress(AccountError):
            if (await services.account.current(changes=False)).key == owner.account:
                return True
    return False


async def _list_undoable(call: Call) -> dict[str, Any]:
    services = call.services
    limit = int(call.arguments.get("limit", 20))
    snapshots = (
        await in_thread(services.snapshots.list, services.clock(), call.account.key) if services.store.exists else ()
    )
    here = [snapshot for snapshot in snapshots if snapshot.endpoint == services.client.endpoint.url]
    tools, items, quoted = services.all_tools, list[dict[str, Any]](), list[str]()
    for snapshot in here[:limit]:
        operation = tools.find(snapshot.tool) if snapshot.tool in tools else None
        items.append(undo_entry(snapshot, operation))
        quoted += quoted_summary(snapshot, operation)
    await services.recorder.finish(call.record, "done")
    return await fence_result(call, {"items": items, "more": max(0, len(here) - limit)}, quoted)


async def _whoami(call: Call) -> dict[str, Any]:
    principal = call.caller.principal
    access = principal.access
    await call.services.recorder.finish(call.record, "done")
    return {
        "principal": principal.id,
        "scopes": list(access.listed_scopes),
        "accounts": await _accounts(call),
        "policy": call.services.policy.name,
        **({"domains": list(access.domains)} if access.domains is not None else {}),
        **await _own_key(call),
        **({"expires": iso(principal.expires)} if principal.expires is not None else {}),
    }


async def _own_key(call: Call) -> dict[str, Any]:
    """Return whether the caller has stored their own Mailgun key, and where to store one, if the server takes them."""
    personal = (call.services.server or call.services).personal
    if personal is None or not call.caller.principal.authenticated:
        return {}
    account = await personal.account_of(call.caller.principal)
    named = {"account": account} if account is not None else {}
    return {"own_key": {"stored": account is not None, **named, "page": personal.page}}


async def _accounts(call: Call) -> list[str]:
    """Return the names of the accounts that the caller may use."""
    server = call.services.server or call.services
    reachable = await reachable_accounts(server, call.caller.principal)
    if server.accounts or server.without_account or reachable:
        return list(reachable)
    return [call.account.name] if may_use_account(call) else []
