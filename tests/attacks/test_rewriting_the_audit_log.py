"""Somebody who can write the state wants the audit log to say something else: to hide what an agent did on their behalf.

They may change entries and make the hashes fit again, cut the end and set the numbering back, forge a prune, number
entries anew, empty or delete the log, or put an older or other log in its place. They do not have the key.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.heads import Head, exported
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.audit.log_keys import FILE as KEYS
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import FILE, Store
from tests.support.state import NOW

Attack = Callable[[sqlite3.Connection], None]


def filled(directory: Path, calls: int = 5, first: int = 0) -> None:
    """Write calls, and note the head as a server does."""
    with closing(Store(directory)) as store:
        log = AuditLog(store)
        for number in range(first, first + calls):
            log.append([LogEntry(f"call{number}", "intent", {"tool": "delete_bounce"})], NOW + number, durable=True)
        log.note_head(log.head(NOW + first + calls))


def broken(directory: Path, *heads: Head) -> str | None:
    with closing(Store(directory)) as store:
        return AuditLog(store).verify(heads=heads).broken


def attacked(directory: Path, attack: Attack) -> None:
    with closing(sqlite3.connect(directory / FILE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for trigger in ("audit_log_is_not_changed", "audit_log_is_not_shortened"):
            connection.execute(f"DROP TRIGGER {trigger}")
        attack(connection)
        connection.commit()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    state = tmp_path / "state"
    filled(state)
    assert broken(state) is None
    return state


def rewritten(connection: sqlite3.Connection, hash_of: Callable[[list[object]], str]) -> None:
    """Change the third entry, and give every later entry a hash that fits to it."""
    connection.execute('UPDATE audit_log SET body = \'{"tool":"list_bounces"}\' WHERE seq = 3')
    prev = connection.execute("SELECT prev FROM audit_log WHERE seq = 3").fetchone()[0]
    rows = connection.execute("SELECT seq, at, call, kind, body FROM audit_log WHERE seq >= 3 ORDER BY seq").fetchall()
    for seq, *fields in rows:
        entry_hash = hash_of([prev, *fields])
        connection.execute("UPDATE audit_log SET prev = ?, hash = ? WHERE seq = ?", (prev, entry_hash, seq))
        prev = entry_hash


def plain(fields: list[object]) -> str:
    return sha256(json.dumps(fields).encode()).hexdigest()


def with_hashes_of_version_one(connection: sqlite3.Connection) -> None:
    rewritten(connection, plain)


def with_a_key_of_their_own(connection: sqlite3.Connection) -> None:
    rewritten(connection, lambda fields: f"abcd1234:{plain(fields)}")


def with_hashes_without_the_key(connection: sqlite3.Connection) -> None:
    key = connection.execute("SELECT hash FROM audit_log WHERE seq = 1").fetchone()[0].partition(":")[0]
    rewritten(connection, lambda fields: f"{key}:{plain(fields)}")


def whole_as_version_one(connection: sqlite3.Connection) -> None:
    """Leave nothing that tells of a key."""
    rows = connection.execute("SELECT seq, at, call, kind, body FROM audit_log ORDER BY seq").fetchall()
    prev = "0" * 64
    for seq, *fields in rows:
        entry_hash = plain([prev, *fields])
        connection.execute("UPDATE audit_log SET prev = ?, hash = ? WHERE seq = ?", (prev, entry_hash, seq))
        prev = entry_hash


def cut(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM audit_log WHERE seq > 4")
    connection.execute("UPDATE sqlite_sequence SET seq = 4 WHERE name = 'audit_log'")


def emptied(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM audit_log")
    connection.execute("DELETE FROM sqlite_sequence WHERE name = 'audit_log'")


def numbered_anew(connection: sqlite3.Connection) -> None:
    """Take the second entry away and close the gap in the numbers."""
    connection.execute("DELETE FROM audit_log WHERE seq = 2")
    connection.execute("UPDATE audit_log SET seq = seq - 1 WHERE seq > 2")
    connection.execute("UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = 'audit_log'")


def moved_up(connection: sqlite3.Connection) -> None:
    """Number the entries later, as if others had been before them and were pruned."""
    connection.execute("UPDATE audit_log SET seq = -(seq + 10)")
    connection.execute("UPDATE audit_log SET seq = -seq")
    connection.execute("UPDATE audit_anchor SET seq = 10")
    connection.execute("UPDATE sqlite_sequence SET seq = 15 WHERE name = 'audit_log'")


def pruned_without_a_trace(connection: sqlite3.Connection) -> None:
    entry_hash = connection.execute("SELECT hash FROM audit_log WHERE seq = 3").fetchone()[0]
    connection.execute("UPDATE audit_anchor SET seq = 3, hash = ?", (entry_hash,))
    connection.execute("DELETE FROM audit_log WHERE seq <= 3")


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (with_hashes_of_version_one, "entry 3 (call2) was changed"),
        (with_a_key_of_their_own, "is signed with the key abcd1234"),
        (with_hashes_without_the_key, "was changed"),
        (whole_as_version_one, "no entry has a key"),
        (cut, "entry 5 is missing: it had 5 entries, as recorded at"),
        (emptied, "the log is missing: it had 5 entries"),
        (numbered_anew, "was changed"),
        (moved_up, "was changed"),
        (pruned_without_a_trace, "no entry says that they were pruned"),
    ],
)
def test_a_rewritten_log_is_broken(state: Path, attack: Attack, message: str) -> None:
    attacked(state, attack)
    assert message in str(broken(state))


@pytest.mark.parametrize("attack", [cut, emptied])
def test_a_log_whose_end_was_cut_together_with_the_note_of_it_stays_broken(state: Path, attack: Attack) -> None:
    attacked(state, attack)
    (state / "audit-head.json").unlink()
    assert "audit-head.json, where the server notes the end of the log, is missing" in str(broken(state))
    with pytest.raises(StateError, match="is missing"):
        filled(state, first=20)
    assert "is missing" in str(broken(state)), "a server that goes on does not hide it"


def test_a_deleted_log_is_broken(state: Path) -> None:
    for path in state.glob(f"{FILE}*"):
        path.unlink()
    assert "the log is missing" in str(broken(state))
    (state / "audit-head.json").unlink()
    assert "the log is missing" in str(broken(state)), "its key is still there"


def test_a_log_that_is_deleted_with_all_that_tells_of_it_does_not_pass_for_a_whole_one(state: Path) -> None:
    for path in state.iterdir():
        path.unlink()
    assert "or the log was removed together with its key" in str(broken(state))
    shutil.rmtree(state)
    assert "or the log was removed together with its key" in str(broken(state))


def test_a_cut_log_with_an_older_entry_noted_as_its_head_is_broken(state: Path) -> None:
    path = state / "audit-head.json"
    noted = json.loads(path.read_text(encoding="utf-8"))
    attacked(state, cut)
    with closing(sqlite3.connect(state / FILE)) as connection:
        noted["seq"], noted["hash"] = connection.execute("SELECT seq, hash FROM audit_log WHERE seq = 4").fetchone()
    for head in (
        noted,
        {"seq": noted["seq"], "hash": noted["hash"], "at": noted["at"]},
        {"seq": 0, "hash": "", "at": 0},
    ):
        path.write_text(json.dumps(head), encoding="utf-8")
        assert "was not written by a server with the log's key" in str(broken(state))
        with pytest.raises(StateError, match="was not written by a server"):
            filled(state, first=20)


def test_a_log_that_a_server_began_in_place_of_a_deleted_one_is_broken(state: Path) -> None:
    for path in state.glob(f"{FILE}*"):
        path.unlink()
    with pytest.raises(StateError, match="cut or replaced: it had 5 entries"):
        filled(state, calls=9, first=20)
    assert "rewritten or replaced" in str(broken(state)), "the note of the old log was kept"


def test_an_older_copy_in_place_of_the_log_is_broken(state: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(state / FILE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(state / FILE, tmp_path / "older")
    filled(state, first=5)
    for path in state.glob(f"{FILE}*"):
        path.unlink()
    shutil.copy(tmp_path / "older", state / FILE)
    assert "are missing: it had 10 entries" in str(broken(state))


def test_a_whole_state_that_was_put_back_does_not_hold_the_heads_that_were_exported(
    state: Path, tmp_path: Path
) -> None:
    shutil.copytree(state, tmp_path / "older")
    filled(state, first=5)
    with closing(Store(state)) as store:
        head = AuditLog(store).head(NOW + 20)
    heads = tmp_path / "heads.jsonl"
    heads.write_text(json.dumps(head.record) + "\n", encoding="utf-8")
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "older", state)
    assert broken(state) is None
    assert "are missing: it had 10 entries" in str(broken(state, *exported(heads)))


def test_a_log_whose_key_is_gone_is_broken_and_nothing_is_added_to_it(state: Path) -> None:
    (state / KEYS).unlink()
    assert "is missing: neither the keyring nor the file of keys has it" in str(broken(state))
    with closing(Store(state)) as store, pytest.raises(StateError, match=r"its key [0-9a-f]{8} is missing"):
        AuditLog(store).append([LogEntry("more", "intent", {})], NOW, durable=True)
