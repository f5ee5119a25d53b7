"""A log that was sealed, rotated, pruned and restarted still verifies, and says what happened to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.heads import FILE as HEAD
from mailgun_mcp.audit.heads import Head, noted
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.audit.log_keys import FILE as KEYS
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import FILE, Store
from tests.support.engines import on_both_engines, on_postgresql, on_sqlite
from tests.support.state import NOW

pytestmark = on_both_engines


@pytest.fixture
def log(store: Store) -> Iterator[AuditLog]:
    log = AuditLog(store)
    write(log)
    yield log
    store.close()


def write(log: AuditLog, calls: int = 3) -> None:
    for number in range(calls):
        log.append([LogEntry(f"call{number}", "intent", {})], NOW + number, durable=True)


def kinds(log: AuditLog) -> list[str]:
    return [entry.kind for entry in log.entries()]


def test_every_entry_of_a_new_log_has_the_key(log: AuditLog) -> None:
    assert kinds(log) == ["intent", "intent", "intent"]
    assert len({entry.key for entry in log.entries()}) == 1
    result = log.verify(heads=[log.head(NOW)])
    assert (result.entries, result.seq, result.broken, result.notes) == (3, 3, None, ())


@on_sqlite
def test_a_log_without_the_note_of_its_end_is_broken_and_no_other_is_made(log: AuditLog, store: Store) -> None:
    assert log.verify().broken is None, "a head is noted before the first entry"
    (store.directory / HEAD).unlink()
    for heads in ((), (log.head(NOW),)):
        broken = str(log.verify(heads=heads).broken)
        assert "audit-head.json, where the server notes the end of the log, is missing" in broken
        assert "audit restart --reason TEXT" in broken
    write(log)
    with pytest.raises(StateError, match="is missing, so entries may be missing at the end"):
        log.note_head(log.head(NOW))
    log.restart(by="olga", reason="the file was not in the backup", now=NOW + 60)
    result = log.verify()
    assert (result.broken, len(result.notes)) == (None, 1)
    assert "by olga: the file was not in the backup" in result.notes[0]


def test_a_log_that_was_never_written_is_not_taken_for_an_intact_one(store: Store) -> None:
    result = AuditLog(store).verify()
    assert (result.entries, result.nothing, result.notes) == (0, True, ())
    with store.writing():
        pass
    assert AuditLog(store).verify() == result, "with a database, too"


def test_it_is_said_which_heads_the_log_was_compared_with(log: AuditLog) -> None:
    log.note_head(log.head(NOW + 9))
    heads = [Head(one, log.head(NOW).hash, NOW, f"line {one}") for one in (3, 0)]
    assert [(head.seq, head.at) for head in log.verify(heads=heads).compared] == [(3, NOW + 9), (3, NOW)]


@on_postgresql
def test_without_an_earlier_head_the_end_of_a_shared_log_is_not_vouched_for(log: AuditLog) -> None:
    result = log.verify()
    assert result.broken is None
    assert "nobody can tell whether entries are missing at the end" in result.notes[-1]
    assert log.verify(expect=result.head).notes == ()
    log.note_head(log.head(NOW))
    assert log.verify().notes == ()


def test_a_rotated_log_verifies_with_both_keys(log: AuditLog) -> None:
    first = log.rotate_key(NOW + 10)
    write(log)
    second = log.rotate_key(NOW + 20)
    write(log)
    assert log.verify().broken is None
    assert [entry.key for entry in log.entries()][-3:] == [second.id] * 3
    assert first.id != second.id


def test_another_process_takes_the_new_key(log: AuditLog, store: Store) -> None:
    running = AuditLog(store.reopened())
    write(running, 1)
    key = log.rotate_key(NOW + 10)
    write(running, 1)
    assert [entry.key for entry in log.entries()][-1] == key.id
    assert log.verify().broken is None


def test_a_pruned_log_verifies_with_heads_of_entries_that_went(log: AuditLog) -> None:
    old = log.head(NOW)
    log.rotate_key(NOW + 3)
    write(log, 40)
    later = log.head(NOW + 50)
    assert log.prune(NOW + 60, before=NOW + 30) > 20
    assert log.verify(heads=[old, later]).broken is None


def test_a_head_that_the_log_never_had_is_named(log: AuditLog) -> None:
    result = log.verify(heads=[Head(2, "other", NOW, "heads.jsonl, line 1")])
    assert "entry 2 is not as recorded at 2027-01-15" in str(result.broken)
    assert "heads.jsonl, line 1" in str(result.broken)


@on_sqlite
def test_a_restart_accounts_for_a_log_that_was_moved_away(log: AuditLog, store: Store) -> None:
    lost = log.head(NOW + 5)
    log.note_head(lost)
    store.close()
    for path in store.directory.glob(f"{FILE}*"):
        path.unlink()
    assert log.verify().broken is not None

    log.restart(by="olga", reason="the disk was full", now=NOW + 60)
    write(log)

    result = log.verify(heads=[lost])
    assert result.broken is None
    assert result.notes == ("the log was restarted at 2027-01-15T08:01:00Z by olga: the disk was full",)
    assert noted(store.directory) is not None


@on_sqlite
def test_a_restart_goes_on_after_a_lost_key_but_does_not_vouch_for_what_was_signed_with_it(
    log: AuditLog, store: Store
) -> None:
    (store.directory / KEYS).unlink()
    again = AuditLog(store)
    again.restart(by="olga", reason="the key was lost", now=NOW + 60)
    write(again, 1)
    assert "the key" in str(again.verify().broken)


def test_a_state_that_is_not_there_has_nothing_to_verify(tmp_path: Path) -> None:
    result = AuditLog(Store(tmp_path / "nothing")).verify()
    assert (result.entries, result.nothing) == (0, True)
    assert not (tmp_path / "nothing").exists()
