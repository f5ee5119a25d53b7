"""Reads lines from stdin and writes bytes to stdout in the event loop.

The SDK's stdio transport uses a thread for every line, write and flush, which takes a fifth of a call's time. Clients
use pipes, which do not need threads.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from threading import Thread
from typing import BinaryIO, Protocol, cast

import anyio
from anyio import to_thread

from mailgun_mcp.server.standard_streams import Streams, are_pipes

LONGEST = 2**30
"""Bytes of the longest line, more than any client sends. The size of a call is checked where its arguments are read."""

LAST_READ = 2.0
"""Seconds for the client to read the remaining output after it has closed its end."""


class Wire(Protocol):
    """The connection to the client."""

    async def read_line(self) -> bytes:
        """Return the next line. Empty at the end."""
        ...

    async def write(self, data: bytes) -> None:
        """Write all of `data`. Raises anyio.BrokenResourceError if the client has closed its end."""
        ...

    @property
    def is_terminal(self) -> bool:
        """Whether a person's terminal is at the other end instead of a client."""
        ...


@asynccontextmanager
async def open_wire(streams: Streams, received: bytes = b"") -> AsyncIterator[Wire]:
    """Open the connection on two reserved descriptors. `received` was read from the client before."""
    if are_pipes(streams):
        async with _open_pipes(*streams, received) as wire:
            yield wire
    else:
        stdin, stdout = streams
        yield _Threads(os.fdopen(stdin, "rb", closefd=False), os.fdopen(stdout, "wb", closefd=False))


@asynccontextmanager
async def _open_pipes(stdin: int, stdout: int, received: bytes = b"") -> AsyncIterator[Wire]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LONGEST)
    if received:
        reader.feed_data(received)

    def end_input() -> None:
        # The client cannot read answers any more, although stdin may still be open.
        if not reader.at_eof() and reader.exception() is None:
            reader.set_exception(anyio.EndOfStream())

    reader_transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(stdin), "rb", buffering=0)
    )
    _, writer = await loop.connect_write_pipe(
        lambda: _PipeWriter(end_input), os.fdopen(os.dup(stdout), "wb", buffering=0)
    )
    try:
        yield _Pipes(reader, writer)
    finally:
        reader_transport.close()
        await writer.close()
        # Other processes may share these files and expect them to block.
        os.set_blocking(stdin, True)
        os.set_blocking(stdout, True)


class _Pipes:
    def __init__(self, reader: asyncio.StreamReader, writer: "_PipeWriter") -> None:
        self._reader = reader
        self._writer = writer

    async def read_line(self) -> bytes:
        return await self._reader.readline()

    async def write(self, data: bytes) -> None:
        await self._writer.write(data)

    @property
    def is_terminal(self) -> bool:
        return False


class _PipeWriter(asyncio.BaseProtocol):
    """Writes to a pipe, and waits while it is full."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self._on_lost = on_lost
        self._is_lost = False
        self._written = asyncio.Event()
        self._written.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._transport.set_write_buffer_limits(high=0)

    def pause_writing(self) -> None:
        self._written.clear()

    def resume_writing(self) -> None:
        self._written.set()

    def connection_lost(self, _: Exception | None) -> None:
        self._is_lost = True
        self._written.set()
        self._on_lost()

    async def write(self, data: bytes) -> None:
        if not self._is_lost:
            self._transport.write(data)
            await self._written.wait()
        if self._is_lost:
            raise anyio.BrokenResourceError

    async def close(self) -> None:
        with anyio.move_on_after(LAST_READ, shield=True):
            await self._written.wait()
        if not self._is_lost:
            self._transport.abort()


class _Threads:
    """Reads and writes files and terminals in threads."""

    def __init__(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._has_ended = False

    async def read_line(self) -> bytes:
        """Read in a daemon thread. Unlike a worker thread, it lets an interrupt end the program while it waits.

        Once the end is reached, nothing more is read: a terminal would wait for another Ctrl+D.
        """
        if self._has_ended:
            return b""
        loop, line = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

        def deliver(result: bytes | OSError) -> None:
            if line.done():
                return
            if isinstance(result, OSError):
                line.set_exception(result)
            else:
                line.set_result(result)

        def read() -> None:
            result: bytes | OSError
            try:
                result = self._stdin.readline()
            except OSError as error:
                result = error
            with suppress(RuntimeError):  # The loop has been closed meanwhile.
                loop.call_soon_threadsafe(deliver, result)

        Thread(target=read, name="stdin", daemon=True).start()
        received: bytes = await line
        self._has_ended = not received
        return received

    @property
    def is_terminal(self) -> bool:
        return self._stdin.isatty()

    async def write(self, data: bytes) -> None:
        try:
            await to_thread.run_sync(self._write, data)
        except OSError as error:
            raise anyio.BrokenResourceError from error

    def _write(self, data: bytes) -> None:
        self._stdout.write(data)
        self._stdout.flush()
