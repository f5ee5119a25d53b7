"""A request in front of the simulator, to be read, answered or passed on.

Types and responses are starlette's. Its `Request` and `Headers` are not used: they take 10 of the
120 microseconds of CPU that a request takes.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.types import Message, Receive, Scope, Send

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.simulator.http.body import too_large
from mailgun_mcp.simulator.http.router import Router

MAX_CONTENT = int(52.4 * 1024 * 1024)
"""Bytes of a body that Mailgun takes at most."""


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """A request and the operation that it is for, if there is one."""

    scope: Scope
    receive: Receive
    send: Send
    operation: Operation | None


Next = Callable[[RoutedRequest], Awaitable[None]]


def raw_path(scope: Scope) -> str:
    """Return the path as it was sent, percent-encoded, without the query."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return raw.decode("latin-1").partition("?")[0]


def operation_of(router: Router, scope: Scope) -> Operation | None:
    """Return the operation that a request is for."""
    match = router.match(scope["method"], raw_path(scope))
    return match.operation if match else None


async def read_body(receive: Receive) -> bytes:
    """Return the whole body of a request. Raises ApiError when it is larger than Mailgun takes."""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_CONTENT:
            raise too_large()
        more = message.get("more_body", False)
    return b"".join(chunks)


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by their names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def replayed(content: bytes) -> Receive:
    """Return a channel that receives a body which was read already."""

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    return receive


async def discard(_: Message) -> None:
    """Send nowhere."""


def read_json(content: bytes) -> Any:
    """Return a JSON body; an empty one is an empty object. Raises ValueError."""
    return json.loads(content) if content else {}
