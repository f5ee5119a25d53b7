"""The simulator's answers: a reply, or an error in Mailgun's own words."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
COMPACT = json.JSONEncoder(separators=(",", ":"))
CHALLENGE = {"www-authenticate": 'Basic realm="MG API"'}
"""The header of a 401."""
NO_HEADERS: Mapping[str, str] = {}


class Reply(Response):
    """A response. `data` is a JSON value, or text or bytes if `content_type` is not JSON."""

    def __init__(
        self, data: Any, status: int = 200, content_type: str = JSON, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        # Starlette's own `__init__` is not called: it would add a charset and take twice the time.
        self.data = data
        self.status_code = status
        self.content_type = content_type
        self.background = None
        self.body = self.render(data)
        self.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        # RFC 9110: a 204 has no content, so it has no content type or length.
        if status != 204:
            self.raw_headers.append((b"content-type", content_type.encode()))
            self.raw_headers.append((b"content-length", b"%d" % len(self.body)))

    def render(self, content: Any) -> bytes:
        """Return the bytes of the body."""
        if self.content_type == JSON and not isinstance(content, bytes):
            return COMPACT.encode(content).encode()
        data: bytes = content if isinstance(content, bytes) else content.encode()
        return data


NO_CONTENT = Reply("", 204, TEXT)
"""A successful response without content."""


class ApiError(Exception):
    """Mailgun refuses the request. `reply` is the response. `key` is the section's JSON key for the message."""

    def __init__(self, status: int, message: str, key: str = "message", **more: Any) -> None:
        super().__init__(message)
        self.reply = Reply({key: message, **more}, status)


def success(message: str, **more: Any) -> Reply:
    """Return Mailgun's usual success response: a message, and the resource."""
    return Reply({"message": message, **more})
