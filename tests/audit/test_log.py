"""The audit log: append-only, chained, and whole whatever processes do at the same time."""

import json
import sqlite3
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.audit.entries import START, LogEntry
from mailgun_mcp.audit.log import AuditLog, CallFilter, new_call_id
from mailgun_mcp.audit.log_keys import AuditKeys
from mailgun_mcp.audit.log_keys import _StoredKey as StoredKey
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.database import FILE, Store
from mailgun_mcp.store.opening import open_store
from tests.support.engines import on_both_engines, on_sqlite
from tests.support.racers import racing_context
from tests.support.state import NOW, PATIENCE, rows

pytestmark = on_both_engines

DAY = 86_400.0


def intent(call: str, **fields: Any) -> LogEntry:
    return LogEntry(call, "intent", {"tool": "delete_bounce", "risk": "destructive", "caller": "local", **fields})


def outcome(call: str, said: str = "done") -> LogEntry:
    return LogEntry(call, "outcome", {"result": {"outcome": said, "status": 200}})


def written(store: Store, calls: int = 5) -> AuditLog:
    for number in range(calls):
        AuditLog(store).append([intent(f"call{number}")], NOW + number, durable=False)
        AuditLog(store).append([outcome(f"call{number}")], NOW + number + 0.5, durable=True)
    return AuditLog(store)


@pytest.fixture
def log(store: Store) -> AuditLog:
    return written(store)


def test_an_empty_audit_log_does_not_verify(store: Store) -> None:
    found = AuditLog(store).verify()
    assert (found.entries, found.head, found.nothing) == (0, START, True)
    assert "or the log was removed" in str(found.broken)


def test_what_was_written_verifies_and_comes_back_in_order(log: AuditLog) -> None:
    found = log.verify()
    assert (found.entries, found.broken) == (10, None)
    assert [call.id for call in log.calls()] == [f"call{number}" for number in range(5)]
    assert [call.id for call in log.calls(newest_first=True)] == [f"call{number}" for number in range(4, -1, -1)]


def test_a_call_is_told_from_its_entries(log: AuditLog) -> None:
    call = log.call("call3")
    assert (call.at, call.outcome, call.result) == (NOW + 3, "done", {"outcome": "done", "status": 200})
    assert call.fields == {"tool": "delete_bounce", "risk": "destructive", "principal": "local"}


def test_an_intent_without_an_outcome_is_a_call_of_which_nobody_knows(store: Store) -> None:
    AuditLog(store).append([intent("lost")], NOW, durable=True)
    assert AuditLog(store).call("lost").outcome == "unknown"


def test_a_call_that_was_not_made_has_an_outcome_alone(store: Store) -> None:
    AuditLog(store).append(
        [LogEntry("held", "outcome", {"tool": "x", "result": {"outcome": "held"}})], NOW, durable=False
    )
    (call,) = AuditLog(store).calls()
    assert (call.id, call.outcome, call.fields) == ("held", "pending", {"tool": "x"})


def test_an_unknown_call_is_named_with_the_nearest(log: AuditLog) -> None:
    with pytest.raises(UnknownNameError, match=r"^unknown call 'cal3': did you mean 'call3'\?$"):
        log.call("cal3")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (CallFilter(), 5),
        (CallFilter(since=NOW + 3), 2),
        (CallFilter(until=NOW + 3), 3),
        (CallFilter(tool="delete_*"), 5),
        (CallFilter(tool="list_*"), 0),
        (CallFilter(risk="read"), 0),
        (CallFilter(outcome="done"), 5),
        (CallFilter(outcome="unknown"), 0),
        (CallFilter(principal="local", account="default"), 0),
    ],
    ids=str,
)
def test_calls_are_chosen_by_what_they_are(wanted: CallFilter, found: int, log: AuditLog) -> None:
    assert len(list(log.calls(wanted))) == found


def test_no_entry_is_changed_or_removed(log: AuditLog, store: Store) -> None:
    for statement in (
        "UPDATE audit_log SET body = '{}'",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE seq = 1",
    ):
        with pytest.raises(StateError, match="the audit log is append-only"), store.writing() as connection:
            connection.execute(statement)
    assert log.verify().entries == 10


def tamper(store: Store, *statements: str) -> None:
    """Change the log as somebody would who may write the database."""
    if store.sealer is not None:
        with store.writing() as shared:
            shared.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
            for statement in statements:
                shared.execute(statement)
        return
    store.close()
    with sqlite3.connect(store.directory / FILE) as connection:
        for name in ("audit_log_is_not_changed", "audit_log_is_not_shortened"):
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


FIELDS = {
    "at": "1.5",
    "call": "'other'",
    "kind": "'pruned'",
    "body": "'{}'",
    "prev": "'0'",
    "hash": "'0'",
}


@pytest.mark.parametrize("seq", [1, 4, 10])
@pytest.mark.parametrize("field", FIELDS)
def test_a_change_of_any_field_is_found(field: str, seq: int, log: AuditLog, store: Store) -> None:
    call = "other" if field == "call" else f"call{(seq - 1) // 2}"
    tamper(store, f"UPDATE audit_log SET {field} = {FIELDS[field]} WHERE seq = {seq}")
    found = log.verify()
    assert (found.entries, found.broken) == (seq - 1, f"entry {seq} ({call}) was changed")


@pytest.mark.parametrize(
    ("statements", "broken"),
    [
        (["DELETE FROM audit_log WHERE seq = 1"], "entries 1 to 1 are missing before entry 2 (call0)"),
        (["DELETE FROM audit_log WHERE seq IN (4, 5)"], "entries 4 to 5 are missing before entry 6 (call2)"),
        (["DELETE FROM audit_log WHERE seq >= 9"], "entries 9 to 10 are missing at the end"),
        (["DELETE FROM audit_log"], "entries 1 to 10 are missing at the end"),
        (
            [
                "UPDATE audit_anchor SET seq = 2, hash = (SELECT hash FROM audit_log WHERE seq = 2)",
                "DELETE FROM audit_log WHERE seq <= 2",
            ],
            "entries 1 to 2 are missing at the start, and no entry says that they were pruned",
        ),
        (
            ["UPDATE audit_log SET seq = 99 WHERE seq = 3", "UPDATE audit_log SET seq = 3 WHERE seq = 5"],
            "entry 3 (call2) was changed",
        ),
    ],
    ids=["first", "middle", "end", "all", "start", "swapped"],
)
def test_what_is_missing_is_named(statements: list[str], broken: str, log: AuditLog, store: Store) -> None:
    tamper(store, *statements)
    assert log.verify().broken == broken


@on_sqlite
def test_a_log_that_was_rewritten_lacks_the_head_that_was_noted(log: AuditLog, store: Store) -> None:
    head = log.verify().head
    assert log.verify(expect=head).broken is None
    store.close()
    (store.directory / FILE).unlink()
    for name in ("-wal", "-shm"):
        (store.directory / f"{FILE}{name}").unlink(missing_ok=True)
    again = AuditLog(store)
    again.append([intent(f"call{number}", caller="mallory") for number in range(5)], NOW, durable=True)
    assert again.verify().broken is None
    assert again.verify(expect=head).broken == f"no entry has the expected hash {head}: the log was rewritten"


@pytest.mark.parametrize(("before", "left"), [(NOW, 10), (NOW + 1, 9), (NOW + 2.2, 7), (NOW + 99, 3)])
def test_what_is_old_goes_with_its_outcome_and_the_rest_verifies(before: float, left: int, log: AuditLog) -> None:
    removed = log.prune(NOW + 100, before=before)
    found = log.verify()
    assert found.broken is None
    assert (10 - removed + (removed > 0), found.entries) == (left, left)
    assert all(call.outcome == "done" for call in log.calls())


def test_what_is_too_much_goes_from_the_start(log: AuditLog) -> None:
    removed = log.prune(NOW + 100, most_bytes=900)
    assert removed > 0
    assert log.verify().broken is None
    assert [call.id for call in log.calls()][-1] == "call4"


def test_pruning_twice_keeps_the_chain(log: AuditLog) -> None:
    log.prune(NOW + 100, before=NOW + 1)
    log.append([intent("new"), outcome("new")], NOW + 101, durable=False)
    log.prune(NOW + 200, before=NOW + 3)
    assert log.verify().broken is None
    assert [call.id for call in log.calls()] == ["call3", "call4", "new"]


def test_a_dry_run_removes_nothing(log: AuditLog) -> None:
    assert log.prune(NOW + 100, before=NOW + 2, dry_run=True) == 4
    assert log.verify().entries == 10


@pytest.mark.slow
@given(st.lists(st.sampled_from(["call", "prune"]), max_size=12), st.integers(0, 5))
def test_whatever_is_written_and_pruned_the_chain_holds(steps: list[str], keep: int) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as directory:
        store = Store(Path(directory) / "state")
        for number, step in enumerate(steps):
            if step == "call":
                AuditLog(store).append([intent(f"call{number}"), outcome(f"call{number}")], NOW + number, durable=False)
            else:
                AuditLog(store).prune(NOW + number, before=NOW + number - keep)
            found = AuditLog(store).verify()
            assert found.broken is None or (found.nothing and "call" not in steps[: number + 1])
        store.close()


def append(directory: Path, url: str | None, barrier: Barrier, name: str, count: int) -> None:
    store = open_store(directory, url)
    barrier.wait()
    for _ in range(count):
        call = new_call_id()
        AuditLog(store).append([intent(call, process=name)], NOW, durable=False)
        AuditLog(store).append([outcome(call)], NOW, durable=False)
    store.close()


@pytest.mark.slow
def test_processes_that_write_at_the_same_time_keep_one_chain_and_unique_ids(
    store: Store, state_url: str | None
) -> None:
    context = racing_context()
    barrier = context.Barrier(3)
    arguments = (store.directory, state_url, barrier)
    processes = [context.Process(target=append, args=(*arguments, str(one), 200)) for one in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    found = AuditLog(store).verify()
    assert (found.entries, found.broken) == (1200, None)
    assert rows(store, "SELECT count(DISTINCT call) FROM audit_log") == [(600,)]


def test_ids_are_easy_to_type_and_differ() -> None:
    ids = {new_call_id() for _ in range(10_000)}
    assert len(ids) == 10_000
    assert {len(one) for one in ids} == {12}
    assert not set("".join(ids)) & set("il1o0")


def test_a_body_is_written_in_one_way(log: AuditLog) -> None:
    lines = [entry.body for entry in log.entries()]
    assert lines == [json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")) for line in lines]


def test_entries_follow_the_last_one_seen(log: AuditLog) -> None:
    assert [entry.seq for entry in log.entries(7)] == [8, 9, 10]
    assert log.last == 10


@pytest.mark.parametrize("count", [1, 3, 7, 31, 45, 129])
def test_entries_that_are_written_together_keep_their_order(store: Store, count: int) -> None:
    log = AuditLog(store)
    log.append([intent(f"call{number}") for number in range(count)], NOW, durable=False)
    assert [entry.call for entry in log.entries()] == [f"call{number}" for number in range(count)]
    assert log.verify().broken is None


def test_a_prepared_log_reads_nothing_but_itself_for_its_next_entry(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(store)
    log = AuditLog(store)
    log.prepare()
    monkeypatch.setattr(AuditKeys, "_stored", lambda _: pytest.fail("it read the keys again"))
    log.append([intent("later")], NOW, durable=False)
    assert log.last == 11


def test_preparing_a_log_does_not_ask_the_keyring(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailgun_mcp.audit.log_keys._from_keyring", lambda *_: pytest.fail("a person may be asked"))
    keys = AuditKeys(store.directory)
    monkeypatch.setattr(keys, "_stored", lambda: (StoredKey("in-keyring", NOW, None),))
    keys.prepare("in-keyring")
