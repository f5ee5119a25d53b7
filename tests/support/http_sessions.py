"""A client of a session over HTTP in the test's own process, which reads each stream while it is open."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import pytest

from mailgun_mcp import asgi
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.start_token import start_token
from mailgun_mcp.settings import Settings
from tests.support.processes import INITIALIZE
from tests.support.stdio_sessions import READY, frame

LEGACY = "2025-11-25"
PATIENCE = 60.0
"""Seconds for what a test waits for; it only ends a test that hangs."""
Headers = list[tuple[bytes, bytes]]


class Exchange:
    """One request, and what has come back."""

    def __init__(self, app: Any, method: str, headers: dict[str, str], body: bytes) -> None:
        self.status = 0
        self.headers: Headers = []
        self.content = b""
        self._left = asyncio.Event()
        self._changed = asyncio.Event()
        self._body: bytes | None = body
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": "/mcp",
            "raw_path": b"/mcp",
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "headers": raw,
        }
        self._task = asyncio.get_running_loop().create_task(app(scope, self._receive, self._send))

    def leave(self) -> None:
        """Close the connection."""
        self._left.set()

    async def ended(self) -> tuple[int, Headers, bytes]:
        """Wait for the end of the answer, and return all of it."""
        with anyio.fail_after(PATIENCE):
            await self._task
        return self.status, self.headers, self.content

    async def messages(self, number: int) -> list[dict[str, Any]]:
        """Wait for this many messages on the stream, and return them."""
        with anyio.fail_after(PATIENCE):
            while len(found := messages_in(self.content)) < number:
                self._changed.clear()
                await self._changed.wait()
        return found

    async def answer(self) -> dict[str, Any]:
        """Return the answer at the end of the stream."""
        return messages_in((await self.ended())[2])[-1]

    async def _receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        self.content += message.get("body", b"")
        self._changed.set()


def messages_in(content: bytes) -> list[dict[str, Any]]:
    """Return the messages in the complete events of a stream."""
    complete = content[: content.rfind(b"\r\n\r\n") + 2]
    return [json.loads(line[6:]) for line in complete.split(b"\r\n") if line.startswith(b"data: ") and line[6:]]


class HttpClient:
    """A client that has opened a session."""

    def __init__(self, app: Any, token: str) -> None:
        self.app = app
        self.headers = {
            "Host": "127.0.0.1",
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {token}",
        }

    async def open(self, abilities: dict[str, Any] | None = None) -> None:
        greeting = {**INITIALIZE, "protocolVersion": LEGACY, "capabilities": abilities or {}}
        status, headers, content = await self.post(frame("initialize", greeting, "initialize")).ended()
        assert status == 200, content
        self.headers["Mcp-Session-Id"] = dict(headers)[b"mcp-session-id"].decode()
        self.headers["MCP-Protocol-Version"] = LEGACY
        assert (await self.post(READY).ended())[0] == 202

    def post(self, body: bytes, **headers: str) -> Exchange:
        return Exchange(self.app, "POST", {**self.headers, **headers}, body)

    def get(self) -> Exchange:
        return Exchange(self.app, "GET", self.headers, b"")

    async def delete(self) -> int:
        return (await Exchange(self.app, "DELETE", self.headers, b"").ended())[0]

    async def tell(self, method: str, **params: Any) -> int:
        """Send a notification, and return the status of the answer."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        return (await self.post(json.dumps(message).encode()).ended())[0]


@asynccontextmanager
async def served(services: Services, *, direct: bool) -> AsyncIterator[Any]:
    """Run the app, whose plain calls are made without the SDK if `direct`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asgi, "may_answer", lambda: direct)
        app = asgi.create(Settings(transport="http"), services=services, loopback=True)
    async with app.lifespan():
        yield app


@asynccontextmanager
async def http_session(
    services: Services, *, direct: bool, abilities: dict[str, Any] | None = None
) -> AsyncIterator[HttpClient]:
    """Give a client in a session of its own."""
    async with AsyncExitStack() as stack:
        client = HttpClient(
            await stack.enter_async_context(served(services, direct=direct)), start_token(services.state)
        )
        await client.open(abilities)
        yield client
