"""A client on stdio in the test's own process, which looks at each answer before it sends the next message."""

import asyncio
import json
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
