"""Tools of the server's own: they read what the server keeps and call nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.catalogue.operation import Arguments
from mailgun_mcp.catalogue.request import RequestFault
from mailgun_mcp.catalogue.validate import schema_faults
from mailgun_mcp.results import Results


@dataclass(frozen=True, slots=True)
class LocalTool:
    """A tool as it is listed, and what it does."""

    tool: dict[str, Any]
    run: Callable[[Results, Arguments], dict[str, Any]]


def _read_result(results: Results, arguments: Arguments) -> dict[str, Any]:
    found = schema_faults(READ_RESULT.tool["inputSchema"], arguments)
    if found:
        raise RequestFault(found)
    name = arguments["result"]
    # For JSON Schema 2.0 is an integer as well.
    part = results.read(name, int(arguments.get("offset", 0)))
    if part is None:
        raise RequestFault([f"result: {name[:80]!r} is not kept (any more); make the call again, for less at a time"])
    return part


READ_RESULT = LocalTool(
    {
        "name": "read_result",
        "title": "Read on in a long result",
        "description": "Reads the whole of a result that was cut, part by part, as JSON text.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "result": {"type": "string"},
                "offset": {"type": "integer", "minimum": 0, "default": 0},
            },
            "required": ["result"],
            "additionalProperties": False,
        },
        "outputSchema": {
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "characters": {"type": "integer"},
                "next": {"type": ["object", "null"]},
            },
        },
        "annotations": {
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": False,
        },
        "_meta": {
            "mailgun-mcp/operation": "local read_result",
            "mailgun-mcp/toolset": "local",
            "mailgun-mcp/risk": "read",
            "mailgun-mcp/deprecated": False,
        },
    },
    _read_result,
)

LOCAL_TOOLS = {tool.tool["name"]: tool for tool in (READ_RESULT,)}
