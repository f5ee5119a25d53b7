"""`mailgun-mcp simulator` as a process of its own, with what it prints."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from tests.support.processes import PATIENCE, command, environment


@contextmanager
def simulating(
    home: Path, *arguments: str, start: Callable[..., list[str]] = command
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run the simulator on a free port; gives the process and the lines that it greets with."""
    process = subprocess.Popen(
        start("simulator", "--port", "0", *arguments),
        # Killed, it leaves its temporary folder behind.
        env={**environment(home), "TMPDIR": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        greeting = [process.stdout.readline().rstrip() for _ in range(3)]
        watchdog.cancel()
        yield process, greeting
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def url_in(greeting: list[str]) -> str:
    (url,) = re.findall(r"listens on (http://\S+)", greeting[0])
    return str(url)
