"""Stores an account in a file between runs: `--state`."""

import json
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.simulator.control.account_json import CodecError, restored, snapshot
from mailgun_mcp.simulator.control.harness import Harness
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import Clock, MovableClock
from mailgun_mcp.text.atomic_write import write_file

DELAY = 1.0
"""Seconds until a change is in the file: the most that a killed process loses."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})


class StateFileError(SettingsError):
    """A state file that cannot be read or is damaged."""


def open_account(path: Path, clock: Clock) -> Account | None:
    """Return the account in the file, None when there is no file. Raises StateFileError.

    Time never runs backward: an account that was ahead of the clock stays there.
    """
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_bytes())
        moved = MovableClock(clock)
        account = restored(document, moved)
    except OSError as error:
        raise StateFileError(f"{path}: cannot be read: {error}") from error
    except CodecError as error:
        raise StateFileError(f"{path}: damaged, or not a state of the simulator: {error}") from error
    except (ValueError, RecursionError) as error:
        raise StateFileError(f"{path}: damaged: it is not valid JSON") from error
    moved.advance(max(0.0, document["now"] - clock.now()))
    return account


def write_account(path: Path, account: Account) -> None:
    """Write the account; the file is the old one or the new one, never half of it, and the owner's alone."""
    write_file(path, json.dumps(snapshot(account)).encode())


def with_state_file(app: ASGIApp, harness: Harness, path: Path) -> ASGIApp:
    """Return the application that writes each change of the harness's account to the file."""
    return _StateFile(app, harness, path)


class _StateFile:
    def __init__(self, app: ASGIApp, harness: Harness, path: Path) -> None:
        self._app, self._harness, self._path = app, harness, path
        self._waiting = False
        harness.on_change.append(self._write_soon)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            try:
                await self._app(scope, receive, send)
            finally:
                self._write()
            return
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "http" and scope["method"] not in READING:
                self._write_soon()

    def _write_soon(self) -> None:
        from asyncio import get_running_loop

        if not self._waiting:
            self._waiting = True
            get_running_loop().call_later(DELAY, self._write)

    def _write(self) -> None:
        self._waiting = False
        try:
            write_account(self._path, self._harness.account)
        except OSError as error:
            import sys

            import structlog

            log = structlog.wrap_logger(structlog.PrintLogger(sys.stderr))
            log.error("state_not_saved", path=str(self._path), reason=str(error))
