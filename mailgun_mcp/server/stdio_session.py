"""One client on stdio. Its messages are answered without the SDK if possible; the SDK is imported for the others.

Most sessions list the tools and call them. They never need the SDK, which would take half a second and 40 MB.
"""

import asyncio
import gc
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import anyio

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.server.direct_calls import BegunCall, DirectCalls, Write
from mailgun_mcp.server.early_answers import EarlyAnswers
from mailgun_mcp.server.early_session import EarlySession
from mailgun_mcp.server.plain_messages import Message, NotUnderstoodError, cancelled_in, parsed
from mailgun_mcp.server.standard_streams import Streams
from mailgun_mcp.server.stdio_wire import Wire, open_wire
from mailgun_mcp.store.database import in_thread

WAITING = (
    "mailgun-mcp waits for an MCP client on stdin. A client starts it by itself: `mailgun-mcp install` sets one up, "
    "`mailgun-mcp demo` shows a session. Ctrl+C ends it.\n"
)
"""Shown to a person who starts the server in a terminal."""
READS = (
    *("ping", "tools/list", "prompts/list", "prompts/get", "completion/complete"),
    *("resources/list", "resources/templates/list", "resources/read"),
)
"""Requests that a call may overtake while the SDK is being imported for them: they do not depend on calls."""


def serve(services: Services, streams: Streams, session: EarlySession) -> None:
    """Serve one client on stdin and stdout until it closes them. `session` is what has happened so far."""
    anyio.run(_serve, services, streams, session)


async def _serve(services: Services, streams: Streams, session: EarlySession) -> None:
    async with services, open_wire(streams, session.rest) as wire:
        if wire.is_terminal:
            sys.stderr.write(WAITING)
            sys.stderr.flush()
        if session.answers is None:
            from mailgun_mcp.server import stdio

            await stdio.serve(services, wire)
        else:
            await Session(services, wire, session.answers).run()


class Session:
    """The messages of one client. Each goes to the part that answers it."""

    def __init__(self, services: Services, wire: Wire, answers: EarlyAnswers) -> None:
        self._wire = wire
        self._answers = answers
        self._calls = DirectCalls(services, local_user(), wire.write, self._go_on)
        self._lines = LinesForSdk(wire.write)
        self._serve_sdk = partial(self._run_sdk, services)
        self._start: Callable[[], object] | None = None

    async def run(self) -> None:
        """Answer the client until it closes its end."""
        async with anyio.create_task_group() as group:
            self._start = partial(group.start_soon, self._serve_sdk)
            try:
                await self._answer_all()
            finally:
                self._start = None
                with anyio.CancelScope(shield=True):
                    await self._calls.close()
                self._lines.end()

    async def _answer_all(self) -> None:
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):  # The client has stopped reading.
            while line := await self._wire.read_line():
                answer = self._take(line)
                if answer:
                    await self._wire.write(answer)

    def _take(self, line: bytes) -> bytes:
        """Have the line answered. Return the answer if it is known at once."""
        try:
            message = parsed(line) if line.strip() else {}
            method = message.get("method")
            if method == "tools/call":
                return self._begin(line, message)
            if method == "notifications/cancelled" and "id" not in message and self._cancelled(message):
                return b""
            if not self._lines.are_read:
                return self._answers.answer(line)
            self._give(line, may_be_overtaken=method in READS)
        except NotUnderstoodError:
            if not self._calls.cancel(cancelled_in(line)):
                self._give(line, may_be_overtaken=False)
        return b""

    def _begin(self, line: bytes, message: Message) -> bytes:
        if self._answers.opened is None or self._lines.must_be_first:
            raise NotUnderstoodError
        self._calls.begin(line, message, self._answers.opened)
        return b""

    def _cancelled(self, message: Message) -> bool:
        """End the call that the client cancels. Return whether the SDK does not need to know."""
        params = message.get("params")
        identifier = params.get("requestId") if isinstance(params, dict) else None
        return self._calls.cancel(identifier) or (not self._lines.are_read and self._answers.opened is not None)

    def _go_on(self, call: BegunCall) -> None:
        self._give(call.line, may_be_overtaken=True, call=call)

    def _give(self, line: bytes, *, may_be_overtaken: bool, call: BegunCall | None = None) -> None:
        self._lines.put(line, call, may_be_overtaken=may_be_overtaken)
        if self._start is not None:
            self._lines.are_read = True
            self._start()
            self._start = None

    async def _run_sdk(self, services: Services) -> None:
        await in_thread(_import_sdk)
        from mailgun_mcp.server import stdio
        from mailgun_mcp.server.server import create_server

        server = create_server(services, local_user())
        self._calls.called = server.called
        await stdio.run(services, server, self._lines, self._answers.replay, begun=self._lines.begun)


class _Line(NamedTuple):
    text: bytes
    call: BegunCall | None = None
    in_order: bool = False


class LinesForSdk:
    """The lines that the SDK reads from the client, and where it writes its answers."""

    is_terminal = False

    def __init__(self, write: Write) -> None:
        self.write = write
        self.are_read = False
        """Whether the SDK reads the lines, or will once it is imported."""
        self._lines: asyncio.Queue[_Line] = asyncio.Queue()
        self._read = _Line(b"")
        self._in_order = 0

    @property
    def must_be_first(self) -> bool:
        """Whether a line is waiting that no call may overtake."""
        return self._in_order > 0

    def put(self, line: bytes, call: BegunCall | None, *, may_be_overtaken: bool) -> None:
        """Add a line. `call` is the call in it, if one was begun."""
        self._in_order += not may_be_overtaken
        self._lines.put_nowait(_Line(line, call, in_order=not may_be_overtaken))

    def end(self) -> None:
        """Mark the end of the client's messages."""
        self._lines.put_nowait(_Line(b""))

    async def read_line(self) -> bytes:
        """Return the next line. Empty at the end."""
        self._in_order -= self._read.in_order
        self._read = _Line(b"")
        self._read = await self._lines.get()
        return self._read.text

    def begun(self) -> BegunCall | None:
        """Return the call of the last line read, if it was begun."""
        return self._read.call


def _import_sdk() -> None:
    # Imports create objects that all stay, so garbage collection meanwhile would be wasted time.
    gc.disable()
    try:
        from mailgun_mcp.server import stdio  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()
