"""The result of a call as MCP sends it."""

from base64 import b64encode
from typing import Any

from mailgun_mcp.call.results import CallResult
from mailgun_mcp.server.description import COMPLETE

APPROVAL = "mailgun-mcp/approval"
"""In `_meta`: the approval that the call waits for."""


def result_of(outcome: CallResult) -> dict[str, Any]:
    """Return the `CallToolResult` of a call that has ended."""
    result: dict[str, Any] = {
        **COMPLETE,
        "content": [{"type": "text", "text": outcome.text}, *map(_image, outcome.pictures)],
        "isError": outcome.is_error,
    }
    if outcome.structured is not None:
        result["structuredContent"] = outcome.structured
    if outcome.approval is not None:
        result["_meta"] = {APPROVAL: outcome.approval}
    return result


def error_result(text: str) -> dict[str, Any]:
    """Return the `CallToolResult` of a call that was not made."""
    return {**COMPLETE, "content": [{"type": "text", "text": text}], "isError": True}


def _image(picture: tuple[str, bytes]) -> dict[str, str]:
    mime_type, content = picture
    return {"type": "image", "data": b64encode(content).decode(), "mimeType": mime_type}
