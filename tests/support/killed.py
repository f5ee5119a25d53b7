"""Runs the command line, and kills its own process when so many fault points were passed.

    python -m tests.support.killed POINT -- tools call …

A fault point is the entry of each function that keeps, records or sends something. Prints how many were passed.
"""

import os
import signal
import sys
from functools import wraps
from typing import Any

from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.cli import run
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.undo.planner import Planner
from mailgun_mcp.undo.snapshots import Snapshots

POINTS: list[tuple[type, str]] = [
    (Client, "_exchange"),
    (Client, "_read"),
    (AuditLog, "append"),
    (Planner, "plan"),
    *(
        (Snapshots, name)
        for name in ("begin", "_add", "save", "set_outcome", "delete", "begin_step", "end_step", "mark_undone")
    ),
]


def main(arguments: list[str]) -> int:
    """Run what follows `--`. A point past the last one lets it come to its end."""
    left = int(arguments[0])

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
    return run(arguments[2:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
