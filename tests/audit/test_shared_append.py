"""Servers that share a log append in one round trip, and the chain stays whole whoever is quicker."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
from psycopg import sql

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.audit.shared_append import ATTEMPTS
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import Store
from tests.support.engines import on_postgresql, on_sqlite
from tests.support.state import NOW

pytestmark = on_postgresql


@pytest.fixture
def other(store: Store) -> Iterator[Store]:
    """The store of another server."""
    another = store.reopened()
    yield another
    another.close()


def append(log: AuditLog, *calls: str, durable: bool = True) -> None:
    log.append(
        [LogEntry(call, "intent", {"tool": "delete_bounce", "name": "ä\0"}) for call in calls], NOW, durable=durable
    )


def calls_in(store: Store) -> list[str]:
    found = AuditLog(store).verify()
    assert found.broken is None, found.broken
    return [entry.call for entry in AuditLog(store).entries() if entry.kind == "intent"]


def counted_trips(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that grows with each round trip to the database."""
    trips: list[Any] = []
    wait = psycopg.Connection.wait

    def count(*arguments: Any, **options: Any) -> Any:
        trips.append(arguments)
        return wait(*arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "wait", count)
    return trips


def test_an_append_is_one_round_trip_once_the_key_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(store)
    append(log, "one")
    append(log, "two")
    trips = counted_trips(monkeypatch)
    append(log, "three", "four")
    assert len(trips) == 1
    assert calls_in(store) == ["one", "two", "three", "four"]


def test_servers_that_take_turns_write_one_chain(store: Store, other: Store) -> None:
    logs = [AuditLog(store), AuditLog(other)]
    for number in range(8):
        append(logs[number % 2], f"call{number}")
    assert calls_in(store) == [f"call{number}" for number in range(8)]


def test_entries_are_not_sent_in_vain_while_another_server_writes_too(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = AuditLog(store), AuditLog(other)
    append(mine, "a")
    append(theirs, "b")
    append(mine, "sent in vain once")
    append(theirs, "c")
    run_once = store.run_once
    sent = []

    def counted(*values: Any, **options: Any) -> Any:
        sent.append(values)
        return run_once(*values, **options)

    monkeypatch.setattr(store, "run_once", counted)
    append(mine, "d")
    assert len(sent) == 1
    append(mine, "e")
    trips = counted_trips(monkeypatch)
    append(mine, "alone again")
    assert len(trips) == 1
    assert calls_in(store) == ["a", "b", "sent in vain once", "c", "d", "e", "alone again"]


def test_a_server_that_is_never_the_quicker_one_writes_all_the_same(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = AuditLog(store), AuditLog(other)
    append(slow, "first")
    run_once = store.run_once
    overtaken = []

    def overtake(statement: str, parameters: Sequence[Any], lock: str, *, durable: bool) -> Any:
        overtaken.append(1)
        append(quick, f"quick{len(overtaken)}")
        return run_once(statement, parameters, lock, durable=durable)

    monkeypatch.setattr(store, "run_once", overtake)
    append(slow, "slow")
    assert len(overtaken) == ATTEMPTS
    assert calls_in(store) == ["first", "quick1", "quick2", "quick3", "slow"]


def test_a_key_that_another_server_made_signs_what_follows(store: Store, other: Store) -> None:
    log = AuditLog(store)
    append(log, "one")
    key = AuditLog(other).rotate_key(NOW)
    append(log, "two")
    assert list(log.entries())[-1].hash.startswith(f"{key.id}:")
    assert calls_in(store) == ["one", "two"]


def test_after_pruning_the_log_goes_on(store: Store, other: Store) -> None:
    log = AuditLog(store)
    append(log, "one", "two")
    assert AuditLog(other).prune(NOW + 9, before=NOW + 1) == 1
    append(log, "three")
    assert calls_in(store) == ["two", "three"]


def test_what_could_not_be_written_is_not_there_and_the_next_one_is(store: Store) -> None:
    log = AuditLog(store)
    append(log, "one")
    with pytest.raises(StateError, match="cannot be used"):
        append(log, "lone surrogate \ud800")
    append(log, "two")
    assert calls_in(store) == ["one", "two"]


def test_it_waits_for_the_lock_of_the_log_and_not_for_ever(store: Store, other: Store) -> None:
    """Whoever prunes or rotates a key must not be overtaken."""
    with store.reading() as connection:
        (settings,) = connection.execute(
            "SELECT proconfig FROM pg_proc WHERE proname = 'append_to_audit_log'"
        ).fetchone()
    assert settings == ["lock_timeout=5000"]
    append(AuditLog(store), "one")
    with store.reading() as connection:
        connection.execute("ALTER FUNCTION append_to_audit_log SET lock_timeout = 50")
    log = AuditLog(store)
    append(log, "two")
    with other.writing(lock="audit log"), pytest.raises(StateError, match="another transaction held its lock"):
        append(log, "three")
    append(log, "four")
    assert calls_in(store) == ["one", "two", "four"]


def test_entries_of_reads_alone_do_not_wait_for_the_disk(store: Store, state_url: str) -> None:
    with store.reading() as connection:
        connection.execute("CREATE TABLE commits (waits TEXT NOT NULL)")
        connection.execute("""CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO commits VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$""")
        connection.execute("""CREATE CONSTRAINT TRIGGER commit_is_noted AFTER INSERT ON audit_log
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_commit()""")
    with psycopg.connect(state_url, autocommit=True) as connection:
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = local").format(database))
    store.close()
    log = AuditLog(store)
    for call, durable in (("first", True), ("read", False), ("change", True), ("read again", False)):
        append(log, call, durable=durable)
    with store.reading() as connection:
        commits = [row["waits"] for row in connection.execute("SELECT waits FROM commits")]
    assert commits == ["local", "off", "local", "off"]
    assert calls_in(store) == ["first", "read", "change", "read again"]


@on_sqlite
def test_a_file_has_no_such_statements(store: Store) -> None:
    with pytest.raises(NotImplementedError):
        store.run_once("SELECT 1", (), "audit log")
