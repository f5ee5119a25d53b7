"""The tools that the agent's model has: a dozen at first, others through search. Calls go through the pipeline."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from mailgun_mcp.agent.display import safe
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.search_mode import rank_tools, short_description
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.builtin_tools import builtin_operation
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments, Record
from mailgun_mcp.confirm.argument_lines import shown_arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.errors import ArgumentError, UnknownToolError
from mailgun_mcp.identity.access import Access
from mailgun_mcp.output.untrusted import FENCE, NOTICE
from mailgun_mcp.text.compact_json import compact

FIND_TOOLS = "find_tools"
FIRST = (
    *("list_domains", "get_domain", "query_logs", "explain_delivery", "check_domain_health", "find_recipient"),
    *("list_bounces", "query_metrics", "send_message", "list_undoable", "undo_operation", "read_result"),
)
"""Tools at the start of a conversation, if the server offers them."""
MOST_FOUND = 24
"""Maximum number of tools from searches that a model has at once. New ones replace the oldest."""
HITS = 6
FIND: Record = {
    "name": FIND_TOOLS,
    "title": "Find tools",
    "description": "Finds tools for a task among all Mailgun operations. What it finds can be called from then on.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "queries": {
                "type": "array",
                "items": {"type": "string"},
                "description": "The task in one to three different wordings",
            }
        },
        "required": ["queries"],
    },
}


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a call, for the model and for people."""

    status: Literal["done", "failed", "refused", "waiting"]
    text: str
    log: str = ""
    undo: str | None = None
    third_party_text: bool = False
    approval: str | None = None
    """The id of the pending approval, if the call waits for a person."""


class Toolset:
    """The tools that one principal may call."""

    def __init__(self, services: Services, access: Access) -> None:
        self._services = services
        self._access = access

    def tools(self, searched: Iterable[str]) -> list[Record]:
        """Return the tools for the next request: the first dozen, and those that searches found."""
        names = [name for name in FIRST if self._offers(name)]
        names += [name for name in searched if name not in names and self._offers(name)]
        return [FIND, *(self._operation(name).tool for name in names)]

    def describe(self, tool: str, arguments: Arguments | None) -> dict[str, Any]:
        """Return what people are shown about a call: title, risk, and its arguments without secrets."""
        if tool == FIND_TOOLS:
            return {"title": FIND["title"], "arguments": arguments or {}, "risk": "read"}
        if not self._offers(tool):
            # It is not known which of its arguments are secret.
            return {"title": tool[:64], "arguments": {}, "risk": "read"}
        operation = self._operation(tool)
        try:
            shown = shown_arguments(operation, arguments or {})
        except (TypeError, ValueError, AttributeError):
            # The call itself reports what is wrong with the arguments.
            shown = {}
        return {"title": operation.title, "arguments": shown, "risk": operation.risk}

    async def call(self, tool: str, arguments: Arguments | None, caller: Caller) -> ToolResult:
        """Make the call through the pipeline."""
        if arguments is None:
            return ToolResult("failed", "Nothing was sent: the arguments are not a JSON object.")
        if tool == FIND_TOOLS:
            return self._find(arguments)
        if not self._offers(tool):
            return ToolResult("failed", f"There is no tool {tool[:64]!r}. {FIND_TOOLS} finds tools.")
        try:
            return _result(await run(self._services, tool, arguments, caller))
        except UnknownToolError as error:
            return ToolResult("failed", str(error))

    def found_by(self, arguments: Arguments | None) -> list[str]:
        """Return the tools that a search found, best first."""
        try:
            given = (arguments or {})["queries"]
            queries = [query[:500] for query in (given if isinstance(given, list) else [given])[:3] if query.strip()]
            return rank_tools(self._services, queries, access=self._access)[:HITS]
        except (ArgumentError, KeyError, TypeError, AttributeError):
            return []

    def _find(self, arguments: Arguments) -> ToolResult:
        names = self.found_by(arguments)
        if not names:
            return ToolResult("failed", "No tool fits. Give `queries`: the task in one to three other wordings.")
        tools = [short_description(self._operation(name)) for name in names]
        return ToolResult("done", compact({"tools": tools, "message": "Call them by their names."}))

    def _offers(self, name: str) -> bool:
        services = self._services
        if name not in services.catalogue and name not in services.builtin_tools:
            return False
        return self._access.scopes is None or self._access.permits(self._operation(name).risk)

    def _operation(self, name: str) -> Operation:
        services = self._services
        return builtin_operation(name) if name in services.builtin_tools else services.catalogue.find(name)


def newest_found(searches: Iterable[Collection[str]]) -> list[str]:
    """Return the tools that the newest searches found, up to `MOST_FOUND`."""
    newest: dict[str, None] = {}
    for names in searches:
        for name in names:
            newest.pop(name, None)
            newest[name] = None
    return list(newest)[-MOST_FOUND:]


def _result(result: CallResult) -> ToolResult:
    structured = result.structured or {}
    # The form of an approval can quote such text too. It raises levels, so the person gets to know of it.
    theirs = NOTICE in structured or FENCE in result.text or NOTICE in (result.approval or {})
    if result.approval is not None:
        return ToolResult("waiting", result.text, result.call, None, theirs, result.approval["id"])
    undo = structured.get("undo")
    undo_id = undo.get("id") if isinstance(undo, dict) else None
    status: Literal["done", "failed", "refused"] = (
        "done" if result.kind == "done" else "refused" if result.kind == "refused" else "failed"
    )
    return ToolResult(status, result.text, result.call, undo_id, theirs)


def shown(text: str, limit: int = 8_000) -> str:
    """Return a result in the form that a person is shown: shortened, without live links."""
    return safe(text if len(text) <= limit else f"{text[:limit]}… [{len(text):,} characters in all]")
