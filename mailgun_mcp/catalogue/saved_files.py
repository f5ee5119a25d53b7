"""The `save_as` argument, which writes the result of a read to a new file. Only servers with `--files` have it."""

from mailgun_mcp.catalogue.types import Record

SAVE_AS = "save_as"
SAVED: dict[str, tuple[str, ...]] = {
    "get_stored_attachment": ("text", "base64"),
    "get_stored_message": ("body-mime",),
}
"""Tool -> the fields of its result that contain the file."""
NEEDS = {"get_stored_message": ["accept"]}
"""Tool -> the arguments that a call needs in order to return a file."""
_SCHEMA: Record = {"type": "string", "description": "New file to write it to, under --files"}
_RAISE: Record = {
    "when": {SAVE_AS: []},
    "narrows": None,
    "risk": "write",
    "reason": "it writes a file on the server's machine",
}
_UNDO: Record = {"affects": [], "missing": None, "why": None, "nothing": "a file is added, and none is replaced"}


def with_save_as(record: Record) -> Record:
    """Return the operation with the argument, if it returns a file. A call that uses the argument is a write."""
    tool = record["tool"]
    if tool["name"] not in SAVED:
        return record
    schema = tool["inputSchema"]
    needs = NEEDS.get(tool["name"])
    return {
        **record,
        "tool": {
            **tool,
            "inputSchema": {**schema, "properties": {**schema["properties"], SAVE_AS: _SCHEMA}},
            "annotations": {**tool["annotations"], "readOnlyHint": False, "destructiveHint": False},
        },
        "arguments": [*record["arguments"], {"name": SAVE_AS, "in": "answer", "wire": "", "encode": "text"}],
        "raises": [*record["raises"], _RAISE],
        "rules": [*record["rules"], *([{"argument": SAVE_AS, "requires": needs}] if needs else [])],
        "reversible": "whole",
        "undo": _UNDO,
    }
