"""What the simulator answers: a reply, or a refusal in Mailgun's own words."""

import json
from dataclasses import dataclass
from typing import Any

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `body` is JSON, or with another `content_type` the text or bytes."""

    body: Any
    status: int = 200
    content_type: str = JSON
    headers: tuple[Header, ...] = ()

    def content(self) -> bytes:
        """Return the body as it is sent."""
        if isinstance(self.body, bytes):
            return self.body
        if self.content_type == JSON:
            return json.dumps(self.body, separators=(",", ":")).encode()
        text: str = self.body
        return text.encode()


NO_CONTENT = Reply("", 204, TEXT)
"""What says nothing but that it was done."""


class ApiError(Exception):
    """A request that Mailgun would refuse; `reply` is how, with `key` for sections that say it under another."""

    def __init__(self, status: int, message: str, key: str = "message") -> None:
        super().__init__(message)
        self.reply = Reply({key: message}, status)


def success(message: str, **more: Any) -> Reply:
    """Return Mailgun's usual success: a message, and what it is about."""
    return Reply({"message": message, **more})
