"""Runs command lines, each in a process that kills itself when it has passed so many fault points.

    python -m tests.support.killed

A line of stdin is a request in JSON: `point`, `arguments`, `environment`, and the files for `stdout` and `stderr`.
A line of stdout is its exit code, negative for the signal that ended it. This process imports what a call needs once,
and forks for each request, because a start takes longer than the call. A fault point is the entry of each function
that saves, records or sends something.
"""

import gc
import json
import os
import signal
import sys
from functools import cache, wraps
from importlib import import_module
from typing import Any

from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.cli.main import run
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.undo.planner import Planner
from mailgun_mcp.undo.snapshots import Snapshots
from tests.support.forked import IMPORTS

POINTS: list[tuple[type, str]] = [
    (Client, "_exchange"),
    (Client, "_without_key"),
    (AuditLog, "append"),
    (Planner, "plan"),
    *(
        (Snapshots, name)
        for name in ("begin", "_add", "save", "set_outcome", "delete", "begin_step", "end_step", "mark_undone")
    ),
]


def arm(point: int) -> None:
    """Have this process kill itself at a fault point. A point past the last one lets it come to its end."""
    left = point

    def passed() -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def watched(function: Any) -> Any:
        @wraps(function)
        def watch(*args: Any, **kwargs: Any) -> Any:
            passed()
            return function(*args, **kwargs)

        return watch

    for owner, name in POINTS:
        setattr(owner, name, watched(getattr(owner, name)))


def child(request: dict[str, Any]) -> int:
    """Run the command line in this process, with its own environment and output."""
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(request["environment"])
    arm(request["point"])
    code = run(request["arguments"])
    sys.stderr.flush()
    return code


def main() -> None:
    """Answer requests until stdin ends."""
    for name in IMPORTS:
        import_module(name)
    # The command line reads the catalogue more than once, and no call changes it.
    Catalogue.load = cache(Catalogue.load)  # type: ignore[method-assign]
    for packed in (False, True):
        Catalogue.load(packed=packed)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            # Threads that a call leaves behind end with the process.
            os._exit(child(json.loads(line)))
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
