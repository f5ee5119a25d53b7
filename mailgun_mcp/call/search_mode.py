"""Search mode: finds and describes tools, and extracts a call from the tool that wraps it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from mailgun_mcp.call.account_choice import names_of_choice
from mailgun_mcp.call.current_call import Call
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.account_argument import with_account_argument
from mailgun_mcp.catalogue.builtin_tools import builtin_operation
from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.raised_risk import as_called
from mailgun_mcp.catalogue.search.tools import CALL_TOOL, DEFAULT_HITS, READ_TOOL
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.catalogue.workflow_tools import TOOLSET as WORKFLOWS
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS
from mailgun_mcp.errors import ArgumentError
from mailgun_mcp.identity.access import Access
from mailgun_mcp.request.coerce import coerce_arguments
from mailgun_mcp.request.validate import validate_schema
from mailgun_mcp.text.suggest import unknown

WRAPPERS = (READ_TOOL, CALL_TOOL)
BEST = 3
"""Lowest rank at which a workflow tool is shown. Further down it would only crowd out the tools searched for."""


def unwrap(services: Services, tool: str, arguments: Arguments) -> tuple[str, Arguments]:
    """Return the tool and the arguments inside `read_tool` or `call_tool`; any other call unchanged.

    Raises ArgumentError for a wrapper without a tool that it may call.
    """
    if tool not in WRAPPERS or tool not in services.builtin_tools:
        return tool, arguments
    wrapper = builtin_operation(tool)
    arguments = coerce_arguments(call_schema(wrapper), arguments)
    faults = validate_schema(wrapper, arguments)
    if faults:
        raise ArgumentError(faults)
    name = arguments["name"]
    callable_builtin = services.builtin_tools.keys() - set(WRAPPERS)
    if name not in services.catalogue and name not in callable_builtin:
        options = {*services.catalogue.names, *callable_builtin}
        raise ArgumentError([f"name: {unknown('tool', name, options)} (search_tools finds tools)"])
    inner = arguments.get("arguments", {})
    if tool == READ_TOOL and as_called(_operation(services, name), inner).risk != "read":
        raise ArgumentError([f"name: {name} does more than read; call it with {CALL_TOOL}"])
    return name, inner


async def search_tools(call: Call) -> dict[str, Any]:
    """Return the tools that match the search, best first."""
    services, arguments = call.services, call.arguments
    toolset, limit = arguments.get("toolset"), int(arguments.get("limit", DEFAULT_HITS))
    best = rank_tools(services, arguments["queries"], toolset=toolset, access=call.caller.principal.access)[:limit]
    detail = arguments.get("detail", "short")
    result: dict[str, Any] = {"tools": [_shown(_operation(services, name), detail) for name in best]}
    if not best:
        result["message"] = "No tool fits. Use other words, or name a toolset: " + ", ".join(
            services.catalogue.toolsets
        )
    await services.recorder.finish(call.record, "done")
    return result


def rank_tools(services: Services, queries: Sequence[str], *, access: Access, toolset: str | None = None) -> list[str]:
    """Return the tools that match the queries and that `access` permits, best first. Raises ArgumentError."""
    among: Collection[str] = services.catalogue.names
    if toolset == WORKFLOWS:
        among = services.workflows
    elif toolset is not None:
        if toolset not in services.catalogue.toolsets:
            raise ArgumentError([f"toolset: {unknown('toolset', toolset, [*services.catalogue.toolsets, WORKFLOWS])}"])
        among = {operation.name for operation in services.catalogue if operation.toolset == toolset}
    if toolset is None:
        among = {*among, *services.workflows}
    if access.scopes is not None:
        among = {name for name in among if access.permits(_operation(services, name).risk)}
    ranked = _best(services, queries, among)
    return ranked if toolset else _without_faint_workflows(ranked)


def _best(services: Services, queries: Sequence[str], among: Collection[str]) -> list[str]:
    scores: defaultdict[str, float] = defaultdict(float)
    for query in queries:
        for name, score in services.search_index.rank(query, among):
            scores[name] += score
    return sorted(scores, key=lambda name: (-scores[name], name))


def _without_faint_workflows(ranked: list[str]) -> list[str]:
    """Return the tools in order, without the workflow tools that are not among the `BEST`."""
    return [name for position, name in enumerate(ranked) if position < BEST or name not in WORKFLOW_TOOLS]


async def describe_tools(call: Call) -> dict[str, Any]:
    """Return what is needed to call the named tools. Raises ArgumentError for an unknown one."""
    services = call.services
    names = call.arguments["names"]
    offered = {*services.catalogue.names, *services.builtin_tools}
    faults = [
        f"names: {unknown('tool', name, offered)}"
        for name in names
        if name not in services.catalogue and name not in services.builtin_tools
    ]
    if faults:
        raise ArgumentError(faults)
    await services.recorder.finish(call.record, "done")
    accounts = await names_of_choice(services, call.caller.principal)
    return {"tools": [_shown(_operation(services, name), "full", accounts) for name in names]}


def _operation(services: Services, name: str) -> Operation:
    return builtin_operation(name) if name in services.builtin_tools else services.catalogue.find(name)


def _shown(operation: Operation, detail: str, accounts: Sequence[str] = ()) -> dict[str, Any]:
    tool = with_account_argument(operation.tool, accounts) if len(accounts) > 1 else operation.tool
    if detail == "names":
        return {"name": operation.name}
    risk = {} if operation.risk == "read" else {"risk": operation.risk}
    if detail == "full":
        description = {"description": tool["description"], "input_schema": tool["inputSchema"]}
        return {"name": operation.name, **risk, **description}
    return short_description(operation)


def short_description(operation: Operation) -> dict[str, Any]:
    """Return what a tool does, in one line, and which arguments it needs."""
    tool = operation.tool
    risk = {} if operation.risk == "read" else {"risk": operation.risk}
    required = tool["inputSchema"].get("required")
    does = tool["description"].partition(". ")[0].rstrip(".")
    return {"name": operation.name, **risk, "does": does, **({"required": required} if required else {})}
