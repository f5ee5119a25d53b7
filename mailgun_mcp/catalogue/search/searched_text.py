"""What of a tool is searched."""

from collections.abc import Iterable, Mapping
from typing import Any

from mailgun_mcp.catalogue.types import Record


def document_of(tool: Record, path: str, asked: Iterable[str] = ()) -> dict[str, str]:
    """Return the text of each field of `index.FIELDS` for a listed tool. `asked` are phrases of people who want it.

    `replaced` is not empty for a tool that Mailgun has replaced by another.
    """
    properties = tool["inputSchema"].get("properties", {})
    return {
        "name": tool["name"],
        "title": tool["title"],
        "asked": "\n".join(asked),
        "toolset": tool["_meta"]["mailgun-mcp/toolset"],
        "description": tool["description"],
        "path": path,
        "arguments": " ".join(properties),
        "texts": " ".join(str(schema.get("description", "")) for schema in properties.values()),
        "replaced": str(tool["_meta"].get("mailgun-mcp/deprecated") or ""),
        "values": " ".join(value for schema in properties.values() for value in _values(schema)),
    }


def _values(schema: Mapping[str, Any]) -> list[str]:
    items = schema.get("items")
    return [str(value) for part in (schema, items if isinstance(items, dict) else {}) for value in part.get("enum", ())]
