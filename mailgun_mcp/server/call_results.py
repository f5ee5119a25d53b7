"""The result of a call as MCP sends it."""

from base64 import b64encode
from typing import Any

from mailgun_mcp.call.results import CallResult, ReturnedFile
from mailgun_mcp.server.description import COMPLETE

APPROVAL = "mailgun-mcp/approval"
"""Key in `_meta` for the approval that the call waits for."""
LINKS_SINCE = "2025-06-18"
"""First protocol version in which a result can link to a resource."""


def result_of(outcome: CallResult, *, links: bool = True) -> dict[str, Any]:
    """Return the `CallToolResult` of a finished call. `links`: whether the client's protocol version has links."""
    result: dict[str, Any] = {
        **COMPLETE,
        "content": [
            {"type": "text", "text": outcome.text},
            *map(_image, outcome.pictures),
            *(_link(outcome.file) if links and outcome.file is not None and outcome.file.linked else ()),
        ],
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


def _link(file: ReturnedFile) -> list[dict[str, Any]]:
    size = len(file.content)
    return [{"type": "resource_link", "uri": file.uri, "name": "attachment", "mimeType": file.mime_type, "size": size}]
