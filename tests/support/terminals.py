"""The command line in a real terminal (a pty)."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

PATIENCE = 30.0
CONTROL = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>()][A-Z0-9]?)")
WHERE = "\x1b[6n"
"""What a program writes that asks the terminal where the cursor is."""


class Terminal:
    """A process of `mailgun-mcp` with a terminal of its own."""

    def __init__(self, *words: str, columns: int = 100) -> None:
        self._main, other = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "40"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mailgun_mcp", *words],
            stdin=other,
            stdout=other,
            stderr=other,
            env=environment,
            start_new_session=True,
            preexec_fn=_own_terminal,
        )
        os.close(other)
        self._seen = 0
        self.raw = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._main)

    def type(self, text: str) -> None:
        """Type."""
        os.write(self._main, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until the terminal shows the text, after what was waited for before."""
        until = time.monotonic() + PATIENCE
        while (found := CONTROL.sub("", self.raw).find(text, self._seen)) < 0:
            assert time.monotonic() < until, f"{text!r} is not shown:\n{CONTROL.sub('', self.raw)}"
            assert self._read(), f"it ended:\n{CONTROL.sub('', self.raw)}"
        self._seen = found + len(text)

    def end(self) -> int:
        """Wait for the end of the program and return its exit code."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._read():
            pass
        return self._process.wait(PATIENCE)

    def _read(self) -> bool:
        if not select.select([self._main], [], [], 0.2)[0]:
            return self._process.poll() is None
        try:
            data = os.read(self._main, 65_536).decode(errors="replace")
        except OSError:
            return False
        if WHERE in data:
            self.type("\x1b[1;1R")
        self.raw += data
        return bool(data)


def _own_terminal() -> None:
    """Make the pty the terminal of the process, so that Ctrl+C in it is an interrupt."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
