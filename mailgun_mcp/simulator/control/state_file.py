"""Stores an account in a file between runs: `--state`."""

import json
from collections.abc import Iterator
from pathlib import Path
from time import thread_time
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.simulator.control.account_json import CodecError, restored
from mailgun_mcp.simulator.control.account_stream import MAX_LINE, account_from_file, account_lines, is_stream
from mailgun_mcp.simulator.control.harness import Harness
from mailgun_mcp.simulator.control.part_file import PartFile
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import Clock, MovableClock
from mailgun_mcp.text.atomic_write import write_file

if TYPE_CHECKING:
    from asyncio import Task

DELAY = 1.0
"""Minimum number of seconds until a change is written. A killed process loses the changes of this time and of the
writing itself."""
REST = 4.0
"""After a write, the next one waits this many times as long as it took. So writing a large account, which takes
seconds, uses at most a fifth of a core however often the account changes."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
SHUT_DOWN = frozenset({"lifespan.shutdown.complete", "lifespan.shutdown.failed"})


class StateFileError(SettingsError):
    """A state file that cannot be read or is damaged."""


def open_account(path: Path, clock: Clock) -> Account | None:
    """Return the account in the file, or None when there is no file. Raises StateFileError.

    Time never runs backward: if the account's time is ahead of the clock, it stays ahead.
    """
    if not path.exists():
        return None
    moved = MovableClock(clock)
    try:
        now, account = _read(path, moved)
    except OSError as error:
        raise StateFileError(f"{path}: cannot be read: {error}") from error
    except CodecError as error:
        raise StateFileError(f"{path}: damaged, or not a state of the simulator: {error}") from error
    except (ValueError, RecursionError) as error:
        raise StateFileError(f"{path}: damaged: it is not valid JSON") from error
    moved.advance(max(0.0, now - clock.now()))
    return account


def _read(path: Path, clock: Clock) -> tuple[float, Account]:
    with path.open("rb") as file:
        if is_stream(file.readline(MAX_LINE)):
            return account_from_file(PartFile(path), clock)
        # Earlier releases wrote a single document.
        file.seek(0)
        document = json.loads(file.read())
    account = restored(document, clock)
    return document["now"], account


def write_account(path: Path, account: Account) -> None:
    """Write the account atomically: the file is always complete, old or new. Only its owner can read it."""
    write_file(path, account_lines(account))


def with_state_file(app: ASGIApp, harness: Harness, path: Path) -> ASGIApp:
    """Return the application, extended to write each change of the harness's account to the file."""
    return _StateFile(app, harness, path)


class _StateFile:
    def __init__(self, app: ASGIApp, harness: Harness, path: Path) -> None:
        self._app, self._harness, self._path = app, harness, path
        self._changed = self._written_last = False
        self._writing: Task[None] | None = None
        self._next = 0.0
        """When the next write may begin, by the event loop's clock."""
        harness.on_change.append(self._write_soon)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self._app(scope, receive, self._writing_first(send))
            finally:
                await self._write_last()
            return
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "http" and scope["method"] not in READING:
                self._write_soon()

    def _writing_first(self, send: Send) -> Send:
        """Return a `send` that writes the account before it says that the shutdown is complete.

        The server ends the event loop right after that message, so later work would not be finished.
        """

        async def send_after_write(message: Message) -> None:
            if message["type"] in SHUT_DOWN:
                await self._write_last()
            await send(message)

        return send_after_write

    def _write_soon(self) -> None:
        from asyncio import get_running_loop

        self._changed = True
        if self._writing is None or self._writing.done():
            self._writing = get_running_loop().create_task(self._write_changes())

    async def _write_changes(self) -> None:
        """Write the file in a thread, again and again until there are no more changes."""
        from asyncio import get_running_loop, sleep, to_thread

        now = get_running_loop().time
        while self._changed:
            await sleep(max(DELAY, self._next - now()))
            self._changed = False
            took = await to_thread(self._write, account_lines(self._harness.account))
            self._next = now() + REST * took

    async def _write_last(self) -> None:
        from asyncio import gather

        if self._written_last:
            return
        self._written_last = True
        if self._writing is not None:
            self._writing.cancel()
            await gather(self._writing, return_exceptions=True)
        self._write(account_lines(self._harness.account))

    def _write(self, lines: Iterator[bytes]) -> float:
        """Write the lines to the file. Return the CPU time that it took, in seconds."""
        began = thread_time()
        try:
            write_file(self._path, lines)
        except OSError as error:
            import sys

            import structlog

            log = structlog.wrap_logger(structlog.PrintLogger(sys.stderr))
            log.error("state_not_saved", path=str(self._path), reason=str(error))
        return thread_time() - began
