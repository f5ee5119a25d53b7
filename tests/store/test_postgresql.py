"""A state in PostgreSQL: opened by whoever comes first, refused with a sentence, and alone inside a transaction."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, Thread

import psycopg
import pytest

from mailgun_mcp.call.counters import Nonces, Sends
from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.errors import StateError
from mailgun_mcp.store import postgresql as module
from mailgun_mcp.store import postgresql_driver as driver
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.migrations import MIGRATIONS
from mailgun_mcp.store.opening import open_store
from mailgun_mcp.store.postgresql import lock_key
from tests.support.engines import on_postgresql
from tests.support.postgresql import Cluster
from tests.support.state import NOW, asked, request_approval, rows

pytestmark = on_postgresql


@pytest.fixture
def empty(postgresql: Cluster) -> Iterator[str]:
    """A database without tables."""
    url = postgresql.new_database()
    yield url
    postgresql.drop(url)


def terminate_others(url: str) -> None:
    """End all connections to the database, as a restart would."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_of_servers_that_start_at_once_one_makes_the_tables(empty: str, tmp_path: Path) -> None:
    stores = [open_store(tmp_path / str(number), empty) for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(lambda store: Nonces(store).burn("nonce", NOW + 60, NOW), stores)) == 1
    assert rows(stores[0], "SELECT version FROM schema_version") == [(len(MIGRATIONS),)]
    for store in stores:
        store.close()


def test_an_older_version_is_brought_up_with_what_it_holds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = request_approval(store, asked())
    steps = (
        ("CREATE TABLE notes (text TEXT NOT NULL)", "INSERT INTO notes (text) VALUES ('kept')"),
        ("ALTER TABLE notes ADD COLUMN at REAL NOT NULL DEFAULT 7",),
    )
    for loaded in (module, driver):
        monkeypatch.setattr(loaded, "MIGRATIONS", (*MIGRATIONS, *steps))
    newer = store.reopened()
    assert Approvals(newer).list(NOW) == (approval,)
    assert rows(newer, "SELECT * FROM notes") == [("kept", 7.0)]
    newer.close()


def test_a_step_that_fails_leaves_the_older_version_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = request_approval(store, asked())
    for loaded in (module, driver):
        monkeypatch.setattr(loaded, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE notes (text TEXT)", "no SQL")))
    newer = store.reopened()
    with pytest.raises(StateError, match="syntax error"):
        Approvals(newer).list(NOW)
    newer.close()
    assert Approvals(store).list(NOW) == (approval,)
    assert rows(store, "SELECT to_regclass('notes')") == [(None,)]


def test_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    request_approval(store, asked())
    with store.writing() as connection:
        connection.execute("UPDATE schema_version SET version = 9999")
    older = store.reopened()
    for _ in range(2):
        with pytest.raises(
            StateError, match=r"newer version of mailgun-mcp \(version 9999 of the tables\): update mailgun-mcp"
        ):
            Approvals(older).list(NOW)
    older.close()


def test_a_database_of_something_else_is_refused(empty: str, tmp_path: Path) -> None:
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("CREATE TABLE tokens (id int)")
    store = open_store(tmp_path, empty)
    with pytest.raises(StateError, match="give it a database of its own"):
        Approvals(store).list(NOW)
    store.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda url: url.replace("secret", "not-the-secret"), "password authentication failed"),
        (lambda url: url + "none", r'database "\w+none" does not exist'),
        (lambda url: re.sub(r":\d+/", ":1/", url), "[Cc]onnection refused"),
    ],
    ids=["password", "database", "port"],
)
def test_why_it_cannot_be_reached_is_said_without_the_password(
    store: Store, state_url: str, change: Callable[[str], str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    unreachable = open_store(store.directory, change(state_url))
    with pytest.raises(StateError, match=reason) as refused:
        Approvals(unreachable).list(NOW)
    assert str(refused.value).startswith("the state in postgresql://127.0.0.1:")
    assert "secret" not in str(refused.value)
    unreachable.close()


def test_connections_that_the_database_closed_are_replaced(store: Store, state_url: str) -> None:
    approval = request_approval(store, asked())
    with ThreadPoolExecutor(6) as threads:
        barrier = Barrier(6)

        def read(_: int) -> None:
            with store.reading():
                barrier.wait(60)

        list(threads.map(read, range(6)))
    terminate_others(state_url)
    assert Approvals(store).approve(approval.id, by="ann", now=NOW).status == "approved"
    assert [one.status for one in Approvals(store).list(NOW)] == ["approved"]


def test_what_was_inside_a_lost_connection_was_never_written(store: Store, state_url: str) -> None:
    approval = request_approval(store, asked())

    def lose() -> None:
        with store.writing(lock="approvals") as connection:
            connection.execute("UPDATE approvals SET status = 'approved'")
            terminate_others(state_url)
            connection.execute("SELECT 1")

    with pytest.raises(StateError, match="cannot be used"):
        lose()
    assert Approvals(store).list(NOW) == (approval,)


def test_the_pool_says_how_many_connections_are_used(store: Store) -> None:
    with store.reading():
        assert store.connections["used"] == 1
    assert store.connections["used"] == 0
    assert store.connections["idle"] >= 1


def test_a_fault_inside_undoes_the_whole(store: Store) -> None:
    approval = request_approval(store, asked())

    def fail() -> None:
        with store.writing() as connection:
            connection.execute("UPDATE approvals SET status = 'approved'")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Approvals(store).list(NOW) == (approval,)


def test_a_transaction_inside_another_is_a_part_of_it(store: Store) -> None:
    def fail() -> None:
        with store.writing(lock="outer"):
            assert Nonces(store).burn("nonce", NOW + 60, NOW)
            assert not Nonces(store).burn("nonce", NOW + 60, NOW)
            assert rows(store, "SELECT count(*) FROM nonces") == [(1,)]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Nonces(store).burn("nonce", NOW + 60, NOW)


@pytest.mark.parametrize(
    ("first", "second", "waits"),
    [("a", "a", True), (None, "a", True), ("a", None, True), (None, None, True), ("a", "b", False)],
)
def test_transactions_of_one_lock_follow_each_other(
    store: Store, first: str | None, second: str | None, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEGIN", "BEGIN; SET LOCAL lock_timeout = 100;")
    inside, leave = Event(), Event()

    def hold() -> None:
        with store.writing(lock=first):
            inside.set()
            leave.wait(10)

    thread = Thread(target=hold)
    thread.start()
    inside.wait(10)
    other = store.reopened()
    try:
        if waits:
            with pytest.raises(StateError, match="another transaction held its lock"), other.writing(lock=second):
                pass
        else:
            with other.writing(lock=second):
                pass
    finally:
        leave.set()
        thread.join()
        other.close()


def test_of_two_sends_at_once_one_counts_the_other(store: Store) -> None:
    other = store.reopened()
    barrier = Barrier(2)

    def send(one: Store) -> int:
        barrier.wait(60)
        row = Sends(one).record("main", "ann", "digest", 1, NOW)
        return Sends(one).recipients_since("main", NOW - 60, row)

    with ThreadPoolExecutor(2) as threads:
        for number in range(10):
            assert sorted(threads.map(send, [store, other])) == [2 * number, 2 * number + 1]
    other.close()


def test_time_is_that_of_the_database(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    ahead = store.reopened()
    assert ahead.clock() - real() > 3000
    with ahead.reading():
        pass
    assert abs(ahead.clock() - real()) < 2
    with ahead.writing():
        pass
    assert abs(ahead.clock() - real()) < 2
    ahead.close()


def test_a_lock_has_the_same_number_on_every_server() -> None:
    assert lock_key("audit log") == lock_key("audit log") != lock_key("approvals")
    assert -(2**63) <= lock_key("audit log") < 2**63


def test_only_what_touches_the_tables_of_others_stops_all_other_transactions() -> None:
    package = Path(module.__file__).parents[1]
    writers = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if re.search(r"\.writing\((?!.*lock=)", path.read_text(encoding="utf-8"))
    }
    assert writers == {"identity/accounts.py", "call/reseal.py"}


def test_text_with_a_nul_is_looked_up_and_stored_as_on_sqlite(store: Store) -> None:
    with store.writing() as connection:
        assert connection.execute("SELECT name FROM accounts WHERE name = ?", ("a\0b",)).fetchone() is None
        row = ("1", "a\0b", 0, NOW)
        connection.execute("INSERT INTO accounts (id, name, named, created) VALUES (?, ?, ?, ?)", row)
        connection.executemany(
            "INSERT INTO accounts (id, name, named, created) VALUES (?, ?, ?, ?)", [("2\0", "c\0d", 0, NOW)]
        )
    assert rows(store, "SELECT name FROM accounts ORDER BY name") == [
        ("a\N{REPLACEMENT CHARACTER}b",),
        ("c\N{REPLACEMENT CHARACTER}d",),
    ]
    with pytest.raises(StateError), store.reading() as connection:
        connection.execute("SELECT 'x'::int", ())
