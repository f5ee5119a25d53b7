"""A client on stdio in the test's own process, which looks at each answer before it sends the next message."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from mailgun_mcp.call.services import Services
from mailgun_mcp.server.early_answers import EarlyAnswers
from mailgun_mcp.server.stdio_session import Session
from tests.support.processes import INITIALIZE
from tests.support.stdio_sessions import ENVELOPE, READY, frame

LEGACY, MODERN = "2025-11-25", "2026-07-28"
CALLS: dict[str, dict[str, Any]] = {
    "a read": {"name": "list_domains", "arguments": {"limit": 5}},
    "a read without arguments": {"name": "list_domains"},
    "arguments of null": {"name": "list_domains", "arguments": None},
    "arguments in a list": {"name": "list_domains", "arguments": []},
    "an argument that does not exist": {"name": "list_domains", "arguments": {"lim": 5}},
    "an argument of the wrong kind": {"name": "list_domains", "arguments": {"limit": "five", "skip": [1]}},
    "what Mailgun does not have": {"name": "get_domain", "arguments": {"name": "nowhere.example.com"}},
    "a text that is no ASCII": {"name": "get_domain", "arguments": {"name": "größe.example.com"}},
    "no such tool": {"name": "list_domain", "arguments": {}},
    "no name": {"arguments": {}},
    "a number for a name": {"name": 5},
    "another field": {"name": "list_domains", "arguments": {}, "more": 1},
    "a tool of the server's own": {"name": "search_tools", "arguments": {"query": "bounces"}},
    "what needs an approval": {"name": "delete_domain", "arguments": {"name": "mg.example.com"}},
    "an answer that nobody asked for": {"name": "list_domains", "inputResponses": {"a": {"action": "cancel"}}},
}
CHANGES = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]+Z?|[A-Za-z0-9_-]{12,}|[0-9a-f]{8}")
"""Ids and times, which differ from call to call."""


class Client:
    """The client's end: what it sends, and what it was sent."""

    is_terminal = False

    def __init__(self) -> None:
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        self._written: asyncio.Queue[bytes] = asyncio.Queue()
        self.messages: list[dict[str, Any]] = []

    async def read_line(self) -> bytes:
        return await self._lines.get()

    async def write(self, data: bytes) -> None:
        self._written.put_nowait(data)

    def send(self, line: bytes) -> None:
        self._lines.put_nowait(line)

    def end(self) -> None:
        self._lines.put_nowait(b"")

    async def receive(self) -> dict[str, Any]:
        with anyio.fail_after(20):
            message: dict[str, Any] = json.loads(await self._written.get())
        self.messages.append(message)
        return message

    async def ask(self, line: bytes) -> dict[str, Any]:
        self.send(line)
        return await self.receive()

    def rest(self) -> list[dict[str, Any]]:
        """What was written and not yet received."""
        return [json.loads(self._written.get_nowait()) for _ in range(self._written.qsize())]


def call(era: str, tool: str, arguments: dict[str, Any], identifier: Any = 1, **more: Any) -> bytes:
    """The frame of a call; `more` is beside its arguments, with what is to be added to `_meta`."""
    meta = {**(ENVELOPE if era == MODERN else {}), **more.pop("_meta", {})}
    return frame(
        "tools/call", {"name": tool, "arguments": arguments, **({"_meta": meta} if meta else {}), **more}, identifier
    )


@asynccontextmanager
async def in_session(
    services: Services, era: str, abilities: dict[str, Any] | None = None, *, session: Callable[..., Any] = Session
) -> AsyncIterator[Client]:
    """A client that has listed the tools."""
    client = Client()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(session(services, client, EarlyAnswers(services)).run)
        if era == MODERN:
            await client.ask(frame("server/discover", {"_meta": ENVELOPE}, "discover"))
        else:
            greeting = {**INITIALIZE, "protocolVersion": era, "capabilities": abilities or {}}
            await client.ask(frame("initialize", greeting, "initialize"))
            client.send(READY)
        client.messages.clear()
        yield client
        client.end()
