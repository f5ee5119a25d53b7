"""What a person changes with a command is in the audit log."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.call.counters import Untrusted
from mailgun_mcp.cli import exits
from mailgun_mcp.cli.main import run
from mailgun_mcp.errors import AccountError
from mailgun_mcp.identity.accounts import Accounts, KeyInUse
from mailgun_mcp.identity.principal import login_user
from mailgun_mcp.store.database import Store
from tests.support.state import NOW

US = "https://api.mailgun.net"


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / ".local" / "state" / "mailgun-mcp")


def used(store: Store, fingerprint: str) -> None:
    Accounts(store).open(KeyInUse(US, "us", fingerprint * 8, "production", default_name="us"), NOW)


def logged(store: Store) -> list[tuple[Any, ...]]:
    calls = [(call.fields, call.outcome) for call in AuditLog(store).calls()]
    return [(fields["tool"], fields["principal"], fields["arguments"], outcome) for fields, outcome in calls]


def test_each_change_is_recorded_with_who_made_it(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    used(store, "aaaa")
    with pytest.raises(AccountError):
        used(store, "bbbb")
    Untrusted(store).mark("production", "ann", NOW)
    commands: list[tuple[list[str], dict[str, str]]] = [
        (["approvals", "add-approver", "eve"], {"name": "eve"}),
        (["approvals", "remove-approver", "eve"], {"name": "eve"}),
        (["approvals", "grant", "--match", "tool=delete_*"], {"match": "tool=delete_*", "span": "15m"}),
        (["approvals", "clear", "--principal", "ann"], {"principal": "ann"}),
        (["accounts", "accept", "production"], {"name": "production"}),
        (["accounts", "rename", "production", "live"], {"name": "production", "new": "live"}),
    ]
    for words, _ in commands:
        assert run(words) == exits.OK
    output = capsys.readouterr()
    user = login_user().id
    assert logged(store) == [(f"mailgun-mcp {words[0]} {words[1]}", user, given, "done") for words, given in commands]
    assert run(["audit", "verify"]) == exits.OK
    secret = next(line for line in output.out.splitlines() if line)
    assert secret not in str([entry.body for entry in AuditLog(store).entries()])


def test_a_change_that_failed_is_recorded_as_such(store: Store) -> None:
    used(store, "aaaa")
    assert run(["approvals", "revoke", "nothing"]) != exits.OK
    assert [(tool, outcome) for tool, _, _, outcome in logged(store)] == [("mailgun-mcp approvals revoke", "failed")]


def test_a_command_that_only_reads_or_finds_nothing_is_not_recorded(store: Store) -> None:
    assert run(["approvals", "clear"]) == exits.OK
    assert logged(store) == []
    used(store, "aaaa")
    assert run(["approvals", "list"]) == exits.OK
    assert run(["accounts", "list"]) == exits.OK
    assert logged(store) == []


def test_what_cannot_be_recorded_is_not_done(store: Store) -> None:
    used(store, "aaaa")
    with closing(sqlite3.connect(store.directory / "state.db")) as connection, connection:
        connection.execute("ALTER TABLE audit_log RENAME TO gone")
    assert run(["accounts", "rename", "production", "live"]) != exits.OK
    assert [account.name for account in Accounts(store).list()] == ["production"]
