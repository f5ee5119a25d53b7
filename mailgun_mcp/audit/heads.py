"""Heads of the audit log: the number and hash of its last entry, noted outside the database.

A log that was truncated or replaced can pass verification on its own. But it lacks a head that was noted earlier.
"""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from mailgun_mcp.errors import StateError, reason_of
from mailgun_mcp.output.logs import logger
from mailgun_mcp.policy.model import HeadRules
from mailgun_mcp.settings import hook_environment
from mailgun_mcp.text.atomic_write import write_file
from mailgun_mcp.text.durations import iso

FILE = "audit-head.json"
PATIENCE = 10.0
"""How long a command may take, in seconds."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a log at some point in time."""

    seq: int
    hash: str
    at: float
    source: str = field(default="", compare=False)
    """Where the head was noted, in words."""
    signature: str = field(default="", compare=False)
    """Made with a key of the log, so that nobody else can note another entry as the head."""

    @property
    def record(self) -> dict[str, Any]:
        """The head as it is written."""
        signature = {"signature": self.signature} if self.signature else {}
        return {"seq": self.seq, "hash": self.hash, "at": self.at, "when": iso(self.at), **signature}


def note(directory: Path, head: Head) -> None:
    """Note the head in the state directory, beside the database. Raises OSError."""
    write_file(directory / FILE, json.dumps(head.record).encode())


def noted(directory: Path) -> Head | None:
    """Return the head noted in the state directory, or None. Raises StateError if it is damaged."""
    path = directory / FILE
    try:
        return _head(path.read_text(encoding="utf-8"), str(path)) if path.exists() else None
    except (OSError, ValueError) as error:
        raise StateError(f"{path} cannot be read: restore it, or see `mailgun-mcp audit restart`") from error


def exported(path: Path) -> tuple[Head, ...]:
    """Return the heads in a file that `export` wrote, or that has one JSON record per line. Raises StateError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(_head(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip())
    except OSError as error:
        raise StateError(f"{path} cannot be read: {reason_of(error)}") from error
    except ValueError as error:
        raise StateError(f"{path} is not a file of exported heads: one JSON record per line") from error


def _head(text: str, source: str) -> Head:
    record = json.loads(text)
    try:
        signature = str(record.get("signature", ""))
        return Head(int(record["seq"]), str(record["hash"]), float(record["at"]), source, signature)
    except (KeyError, TypeError) as error:
        raise ValueError("not a head") from error


def export(rules: HeadRules, head: Head) -> None:
    """Write the head wherever the policy says. Failures are logged, and nothing waits for a command."""
    text = json.dumps(head.record)
    ways: tuple[tuple[str, object, Callable[[str], None]], ...] = (
        ("file", rules.file, lambda line: _append(Path(str(rules.file)).expanduser(), line)),
        ("syslog", rules.syslog, _to_syslog),
        ("command", rules.command, lambda line: _start(rules.command or (), line)),
    )
    for way, setting, write in ways:
        if setting:
            _try(way, write, text)


def _try(way: str, write: Callable[[str], None], text: str) -> None:
    try:
        write(text)
    except (OSError, ValueError, ImportError, subprocess.SubprocessError) as error:
        logger().error("the head of the audit log was not exported", way=way, reason=str(error))


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text + "\n")


def _to_syslog(text: str) -> None:
    import syslog

    syslog.syslog(syslog.LOG_NOTICE | syslog.LOG_AUTH, f"mailgun-mcp audit head {text}")


def _start(command: tuple[str, ...], text: str) -> None:
    Thread(target=_try, args=("command", lambda line: _run(command, line), text), daemon=True).start()


def _run(command: tuple[str, ...], text: str) -> None:
    """Run the command without a shell, without the server's stdout, and without the API key."""
    ended = subprocess.run(  # noqa: S603 - the command of the operator, from the policy
        command,
        input=f"{text}\n".encode(),
        stdout=subprocess.DEVNULL,
        timeout=PATIENCE,
        env=hook_environment(None),
        check=False,
    )
    if ended.returncode:
        raise ValueError(f"the command ended with exit code {ended.returncode}")
