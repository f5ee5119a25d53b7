"""The server's own tools: they read on in a long result, and put back what a call removed or overwrote."""

from collections.abc import Collection
from functools import cache

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Argument, Operation, UndoInfo
from mailgun_mcp.catalogue.types import Record, Risk

TOOLSET = "builtin"
READ_RESULT = "read_result"
LIST_UNDOABLE = "list_undoable"
UNDO_OPERATION = "undo_operation"


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
        "_meta": {
            "mailgun-mcp/operation": f"builtin {name}",
            "mailgun-mcp/toolset": TOOLSET,
            "mailgun-mcp/risk": "read" if reads else "destructive",
            "mailgun-mcp/deprecated": False,
        },
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
            "Reads the whole of a result that was cut, part by part, as JSON text.",
            {"result": TEXT, "offset": {"type": "integer", "minimum": 0, "default": 0}},
            {"text": TEXT, "characters": COUNT, "next": OBJECT_OR_NULL},
            required=["result"],
            reads=True,
        ),
        _tool(
            LIST_UNDOABLE,
            "List what can be undone",
            "Lists the calls whose removals or changes can still be put back, the newest first.",
            {"limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}},
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
                "dry_run": {"type": "boolean", "description": "Only tell what would be done", "default": False},
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
    )
}


def offered(catalogue: Catalogue, exclude: Collection[str] = ()) -> dict[str, Record]:
    """Return the tools of the server's own that it offers beside those of `catalogue`."""
    without = {*exclude, *([] if catalogue.changes_something else [LIST_UNDOABLE, UNDO_OPERATION])}
    return {name: tool for name, tool in BUILTIN_TOOLS.items() if name not in without}


@cache
def builtin_operation(name: str, risk: Risk | None = None) -> Operation:
    """Return a tool of the server's own as an operation, for policy, people and the audit log.

    `risk` is that of what it does, where that is not always the same.
    """
    tool = BUILTIN_TOOLS[name]
    actual_risk: Risk = risk or tool["_meta"]["mailgun-mcp/risk"]
    return Operation(
        name=name,
        title=tool["title"],
        toolset=TOOLSET,
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
        # What of these results third parties wrote is fenced where they are made.
        authors=None,
        personal=(),
        raises=(),
        rules=(),
        wrap=None,
        open={},
        tool=tool,
    )
