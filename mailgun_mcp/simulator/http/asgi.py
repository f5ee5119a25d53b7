"""What stands in front of the simulator: an ASGI request that can be looked at, answered or passed on."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.simulator.http.router import Router
from mailgun_mcp.simulator.replies.reply import Reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """A request whose operation is known, if it has one."""

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


async def send_reply(send: Send, reply: Reply) -> None:
    """Send a whole answer."""
    content = reply.content()
    headers = list(reply.headers)
    # RFC 9110: a 204 has no content, and so neither type nor length.
    if reply.status != 204:
        headers += [(b"content-type", reply.content_type.encode()), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def read_body(receive: Receive) -> bytes:
    """Return the whole body of a request."""
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


def replayed(content: bytes) -> Receive:
    """Return what receives a body that was read already."""

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    return receive


async def discard(_: Message) -> None:
    """Send nowhere."""


def read_json(content: bytes) -> Any:
    """Return a JSON body; nothing is an empty object. Raises ValueError."""
    return json.loads(content) if content else {}
