"""A stub of Mailgun: an HTTP server in the test's own loop whose answers the test scripts, byte by byte."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.support.empty_lists import empty_lists


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.method} {self.target}"


@dataclass
class Connection:
    """What an answer may do: read on, write, hang up."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Cut the connection without a farewell."""
        self.writer.transport.abort()

    async def closed(self) -> None:
        """Return when the other side has gone."""
        while await self.reader.read(65536):
            pass


Answer = Callable[[Connection], Awaitable[None]]


@dataclass
class Upstream:
    """Answers each request with the next scripted answer, or else with `{"message": "stub"}`, a read with empty lists too."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: deque[Answer] = field(default_factory=deque)
    lists: Answer | None = field(default_factory=lambda: says({"items": []}))
    """Answers the read of the mailing lists that comes before a send, beside the script; None leaves it to the script."""
    list_reads: list[Received] = field(default_factory=list)
    """Those reads, which are not in `received`."""

    def then(self, *answers: Answer) -> "Upstream":
        self.answers.extend(answers)
        return self

    async def echoes(self, connection: Connection) -> None:
        """Answer with the last part of the path that was asked, as an address."""
        address = unquote(self.received[-1].target.rpartition("/")[2])
        await says({"address": address})(connection)

    def forget(self) -> None:
        self.received.clear()
        self.list_reads.clear()
        self.answers.clear()

    @property
    def lines(self) -> list[str]:
        return [request.line for request in self.received]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _receive(reader)) is not None:
                await self._answer_to(request)(Connection(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _answer_to(self, request: Received) -> Answer:
        if self.lists is not None and request.line == LIST_READ:
            self.list_reads.append(request)
            return self.lists
        self.received.append(request)
        if self.answers:
            return self.answers.popleft()
        return says({"message": "stub", **(empty_lists() if _reads(request.line) else {})})


LIST_READ = "GET /v3/lists?limit=100"


@asynccontextmanager
async def serve_upstream() -> AsyncIterator[Upstream]:
    """Serve a stub on a free port of the loopback."""
    upstream = Upstream()
    server = await asyncio.start_server(upstream.handle, "127.0.0.1", 0, limit=2**20)
    upstream.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield upstream
    finally:
        server.close()


def _reads(line: str) -> bool:
    return line.startswith("GET ") or "/analytics/" in line


async def _receive(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    line, *rest = head[:-4].split("\r\n")
    method, target, _ = line.split(" ", 2)
    headers = {name.lower(): value for name, _, value in (item.partition(": ") for item in rest)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body)


def replies(status: int, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Answer with exactly this."""
    head = [
        f"HTTP/1.1 {status} Status",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    data = "\r\n".join([*head, "", ""]).encode() + (b"" if status == 204 else body)

    async def answer(connection: Connection) -> None:
        await connection.write(data)

    return answer


def says(value: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Answer with JSON."""
    return replies(status, json.dumps(value).encode(), [("Content-Type", "application/json"), *headers])


def writes(data: bytes) -> Answer:
    """Answer with these bytes, whatever they are, and hang up."""

    async def answer(connection: Connection) -> None:
        await connection.write(data)
        connection.writer.close()

    return answer


async def resets(connection: Connection) -> None:
    """Cut the connection instead of answering."""
    connection.reset()


def truncates(body: bytes, promised: int) -> Answer:
    """Promise more bytes than follow, then hang up."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {promised}\r\n\r\n"
    return writes(head.encode() + body)


def hangs(begun: asyncio.Event, ended: asyncio.Event) -> Answer:
    """Answer nothing; `begun` is set when the request is there, `ended` when the caller has given up."""

    async def answer(connection: Connection) -> None:
        begun.set()
        await connection.closed()
        ended.set()

    return answer
