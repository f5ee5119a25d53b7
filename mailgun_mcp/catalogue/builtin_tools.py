"""The server's own tools: they read long results, undo calls, and find and call other tools."""

from collections.abc import Collection
from functools import cache

from mailgun_mcp.catalogue.catalogue import Catalogue, deprecated_last
from mailgun_mcp.catalogue.client_hints import ALWAYS_LOAD, ASKS_PERSON, hints_of, with_hint, without_hints
from mailgun_mcp.catalogue.operation import Argument, Operation, UndoInfo
from mailgun_mcp.catalogue.search.tools import ALWAYS_LISTED, CALL_TOOL, READ_TOOL
from mailgun_mcp.catalogue.search.tools import TOOLS as SEARCH_TOOLS_BY_NAME
from mailgun_mcp.catalogue.types import Record, Risk
from mailgun_mcp.catalogue.workflow_tools import UNLISTED, WORKFLOW_TOOLS, listing

TOOLSET = "builtin"
READ_RESULT = "read_result"
LIST_UNDOABLE = "list_undoable"
UNDO_OPERATION = "undo_operation"
WHOAMI = "whoami"


_FOUND_BY = {
    LIST_UNDOABLE: "history of changes deleted by mistake restore roll back put back",
    WHOAMI: "which account policy scopes rights key am I allowed",
}
"""Tool -> words with which a client's search finds it."""


def _tool(
    name: str, title: str, description: str, properties: Record, output: Record, *, required: list[str], reads: bool
) -> Record:
    schema: Record = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return {
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": schema,
        "outputSchema": {"type": "object", "properties": output},
        "annotations": {
            "readOnlyHint": reads,
            "destructiveHint": not reads,
            "idempotentHint": True,
            "openWorldHint": False,
        },
        "_meta": _meta(name, reads=reads),
    }


def _meta(name: str, *, reads: bool) -> Record:
    return {
        "mailgun-mcp/operation": f"builtin {name}",
        "mailgun-mcp/toolset": TOOLSET,
        "mailgun-mcp/risk": "read" if reads else "destructive",
        **hints_of(name, reads=reads, found_by=_FOUND_BY.get(name, "")),
    }


TEXT: Record = {"type": "string"}
TEXTS: Record = {"type": "array", "items": TEXT}
COUNT: Record = {"type": "integer"}
OBJECT_OR_NULL: Record = {"type": ["object", "null"]}

BUILTIN_TOOLS: dict[str, Record] = {
    tool["name"]: tool
    for tool in (
        _tool(
            READ_RESULT,
            "Read on in a long result",
            "Reads a result that was cut, part by part, as JSON text.",
            {"result": TEXT, "offset": {"type": "integer"}},
            {"text": TEXT, "characters": COUNT, "next": OBJECT_OR_NULL},
            required=["result"],
            reads=True,
        ),
        _tool(
            LIST_UNDOABLE,
            "List what can be undone",
            "Lists the calls whose removals or changes can still be put back, the newest first.",
            {"limit": {"type": "integer"}},
            {"items": {"type": "array", "items": {"type": "object"}}, "more": COUNT},
            required=[],
            reads=True,
        ),
        _tool(
            UNDO_OPERATION,
            "Undo a call",
            "Puts back what a call removed or overwrote, and removes what it made. Refuses where somebody changed it since.",
            {
                "id": {"type": "string", "description": "`undo.id` of its result, or of list_undoable"},
                "dry_run": {"type": "boolean", "description": "Only report what would be done"},
            },
            {
                "message": TEXT,
                "put_back": COUNT,
                "not_put_back": TEXTS,
                "steps": TEXTS,
                "changed_since": TEXTS,
            },
            required=["id"],
            reads=False,
        ),
        _tool(
            WHOAMI,
            "Show who calls",
            "Returns who you are to this server: principal, scopes, accounts, domains, policy.",
            {},
            {"principal": TEXT, "scopes": TEXTS, "accounts": TEXTS, "policy": TEXT},
            required=[],
            reads=True,
        ),
    )
}

_UNLISTED: dict[str, dict[str, Record]] = {
    READ_RESULT: {"offset": {"minimum": 0, "default": 0}},
    LIST_UNDOABLE: {"limit": {"minimum": 1, "maximum": 100, "default": 20}},
    UNDO_OPERATION: {"dry_run": {"default": False}},
    **{
        name: {argument: UNLISTED[argument] for argument in tool.properties if argument in UNLISTED}
        for name, tool in WORKFLOW_TOOLS.items()
    },
}
"""Tool -> argument -> the part of its schema that is checked but not listed."""

OWN_TOOLS = (*WORKFLOW_TOOLS, *BUILTIN_TOOLS)
"""The names of the server's own tools, in every mode."""

OPEN_ARGUMENTS = {READ_TOOL: ("arguments",), CALL_TOOL: ("arguments",)}
"""Tool -> its arguments that take any properties: the arguments of the tool that it calls."""

SEARCH_MODE_TOOLS: dict[str, Record] = {
    name: {"name": name, **tool, "_meta": _meta(name, reads=tool["annotations"]["readOnlyHint"])}
    for name, tool in SEARCH_TOOLS_BY_NAME.items()
}
"""The additional tools of a server in search mode."""

LISTED_WORKFLOWS = ("explain_delivery",)
"""Workflow tools that are listed in search mode too. More would make the list too large; search finds the others."""
_WORKFLOWS: dict[str, Record] = {name: listing(name) for name in WORKFLOW_TOOLS}


def offered(catalogue: Catalogue, exclude: Collection[str] = (), *, search_mode: bool = False) -> dict[str, Record]:
    """Return the server's own tools that it offers besides those of `catalogue`."""
    read_only = not catalogue.changes_something
    without = {*exclude, *([LIST_UNDOABLE, UNDO_OPERATION, CALL_TOOL] if read_only else [])}
    without |= {name for name, tool in WORKFLOW_TOOLS.items() if not all(needed in catalogue for needed in tool.needs)}
    tools = {**_WORKFLOWS, **(SEARCH_MODE_TOOLS if search_mode else {}), **BUILTIN_TOOLS}
    return {name: tool for name, tool in tools.items() if name not in without}


def listed(
    catalogue: Catalogue,
    exclude: Collection[str] = (),
    *,
    search_mode: bool = False,
    asks_person: Collection[str] = (),
) -> list[Record]:
    """Return the tools that a server lists. In search mode, those of `catalogue` can be called without being listed.

    Clients are told to ask a person before each call of a tool in `asks_person`.
    """
    tools = _listed(catalogue, exclude, search_mode=search_mode)
    if not asks_person:
        return tools
    return [with_hint(tool, ASKS_PERSON) if tool["name"] in asks_person else tool for tool in tools]


def _listed(catalogue: Catalogue, exclude: Collection[str], *, search_mode: bool) -> list[Record]:
    builtin = offered(catalogue, exclude, search_mode=search_mode)
    if not search_mode:
        return deprecated_last([*catalogue.tools(), *builtin.values()])
    always = [catalogue.find(name).tool for name in ALWAYS_LISTED if name in catalogue]
    own = [builtin[name] for name in SEARCH_MODE_TOOLS if name in builtin]
    workflows = [builtin[name] for name in LISTED_WORKFLOWS if name in builtin]
    tools = [*own, *always, *workflows, *(builtin[name] for name in BUILTIN_TOOLS if name in builtin)]
    # They are few and find all the others. A client that loads tools by its own search would search twice.
    return [with_hint(without_hints(tool), ALWAYS_LOAD) for tool in tools]


@cache
def builtin_operation(name: str, risk: Risk | None = None) -> Operation:
    """Return one of the server's own tools as an operation, for policy, people and the audit log.

    `risk` is the risk of this call, if not every call of the tool has the same.
    """
    tool = BUILTIN_TOOLS.get(name) or _WORKFLOWS.get(name) or SEARCH_MODE_TOOLS[name]
    actual_risk: Risk = risk or tool["_meta"]["mailgun-mcp/risk"]
    return Operation(
        name=name,
        title=tool["title"],
        toolset=tool["_meta"]["mailgun-mcp/toolset"],
        method="BUILTIN",
        path=f"/{name}/{{id}}" if actual_risk != "read" else f"/{name}",
        body=None,
        arguments=tuple(Argument(argument, "path", argument, "text") for argument in tool["inputSchema"]["properties"]),
        risk=actual_risk,
        risk_reason=None,
        bulk=False,
        idempotent=True,
        reversible=None if actual_risk == "read" else "whole",
        undo=None
        if actual_risk == "read"
        else UndoInfo((), None, None, "it puts things back as they were before the call"),
        preview=None,
        pages=None,
        price=None,
        secrets=(),
        # Third-party text in these results is fenced where the results are made.
        authors=None,
        personal=(),
        raises=(),
        rules=(),
        wrap=None,
        unlisted=_UNLISTED.get(name, {}),
        open=dict.fromkeys(OPEN_ARGUMENTS.get(name, ()), True),
        tool=tool,
    )
