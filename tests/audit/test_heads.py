"""Heads are noted beside the database and exported: to a file, the system's log, or a command."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.audit import heads
from mailgun_mcp.audit.heads import FILE, Head, export, exported, note, noted
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.errors import StateError
from mailgun_mcp.policy.model import HeadRules
from tests.support.audit_log import write
from tests.support.state import NOW


class AtOnce:
    """A thread that runs where it is started."""

    def __init__(self, *, target: Callable[..., None], args: tuple[Any, ...], daemon: bool) -> None:
        assert daemon
        self.start = lambda: target(*args)


def test_a_noted_head_is_read_again(tmp_path: Path) -> None:
    head = Head(7, "key:hash", NOW)
    assert noted(tmp_path) is None
    note(tmp_path, head)
    assert noted(tmp_path) == head


def test_a_damaged_note_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(StateError, match="cannot be read: restore it"):
        noted(tmp_path)


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "heads").write_text("x", encoding="utf-8")
    with pytest.raises(StateError, match="is not a file of exported heads"):
        exported(tmp_path / "heads")
    with pytest.raises(StateError, match="cannot be read: No such file"):
        exported(tmp_path / "missing")


def test_a_head_that_cannot_be_exported_stops_nothing(
    log: AuditLog, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(log)
    export(HeadRules(file=str(tmp_path / "missing" / "heads")), log.head(NOW))
    assert "was not exported" in capfd.readouterr().err


def test_a_command_gets_the_head_without_the_api_key(
    log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILGUN_API_KEY", "key-of-the-test")
    monkeypatch.setattr(heads, "Thread", AtOnce)
    out = tmp_path / "out"
    code = "import os, sys; open(sys.argv[1], 'w').write(sys.stdin.read() + str('MAILGUN_API_KEY' in os.environ))"
    write(log)
    head = log.head(NOW)
    export(HeadRules(command=(sys.executable, "-c", code, str(out))), head)
    assert out.read_text(encoding="utf-8") == json.dumps(head.record) + "\nFalse"


def test_the_system_log_gets_the_head(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    syslog = pytest.importorskip("syslog")
    lines: list[str] = []
    monkeypatch.setattr(syslog, "syslog", lambda _, line: lines.append(line))
    write(log)
    export(HeadRules(syslog=True), log.head(NOW))
    assert lines == [f"mailgun-mcp audit head {json.dumps(log.head(NOW).record)}"]
