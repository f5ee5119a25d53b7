"""Processes that do the same at the same time, and processes that are killed."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.call.counters import Nonces
from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import FILE, Store
from mailgun_mcp.store.opening import open_store
from tests.support.engines import on_both_engines
from tests.support.racers import racing_context
from tests.support.state import NOW, PATIENCE, asked, granted, python, request_approval, rows

ROUNDS = 100
Act = Callable[[Store, Any], bool]


def burn(store: Store, nonce: str) -> bool:
    return Nonces(store).burn(nonce, NOW + 60, NOW)


def use(store: Store, name: str) -> bool:
    return Approvals(store).consume(name, NOW)


def redeem(store: Store, request: str) -> bool:
    found = granted(store, asked(request=request))
    return found is not None and Approvals(store).consume(found.id, NOW)


def second_yes(store: Store, name: str) -> bool:
    """Give a yes under one and the same name; at most one of them counts."""
    try:
        return bool(Approvals(store).approve(name, by="ann", now=NOW, typed="mail.example.com"))
    except StateError:
        return False


def create_and_burn(store: Store, name: str) -> bool:
    """Burn a nonce in a state that nobody made yet."""
    other = Store(store.directory / name)
    try:
        return Nonces(other).burn("nonce", NOW + 60, NOW)
    finally:
        other.close()


def race(directory: Path, url: str | None, act: Act, subjects: list[Any], barrier: Barrier, results: Any) -> None:
    store = open_store(directory, url)
    won = []
    try:
        for subject in subjects:
            barrier.wait(PATIENCE)
            won.append(act(store, subject))
    finally:
        if len(won) < len(subjects):
            barrier.abort()
        results.put(won)


def winners(directory: Path, url: str | None, act: Act, subjects: Iterable[Any], processes: int = 2) -> list[int]:
    """Return how many processes won each round."""
    context = racing_context()
    barrier, results, listed = context.Barrier(processes), context.Queue(), list(subjects)
    arguments = (directory, url, act, listed, barrier, results)
    racers = [context.Process(target=race, args=arguments) for _ in range(processes)]
    for racer in racers:
        racer.start()
    # A racer that fails breaks the barrier: the others then end at once instead of waiting for it.
    won = [results.get(timeout=PATIENCE) for _ in racers]
    for racer in racers:
        racer.join(PATIENCE)
    results.close()
    return [sum(outcomes) for outcomes in zip(*won, strict=True)]


def approvals(store: Store, count: int) -> list[str]:
    """Request and approve so many calls and return their ids."""
    names = [request_approval(store, asked(request=str(number))).id for number in range(count)]
    return [Approvals(store).approve(name, by="ann", now=NOW).id for name in names]


@on_both_engines
def test_a_nonce_is_burnt_by_one_process(store: Store, state_url: str | None) -> None:
    assert winners(store.directory, state_url, burn, map(str, range(ROUNDS))) == [1] * ROUNDS


@on_both_engines
def test_an_approval_is_used_by_one_process(store: Store, state_url: str | None) -> None:
    assert winners(store.directory, state_url, use, approvals(store, ROUNDS)) == [1] * ROUNDS
    assert {approval.status for approval in Approvals(store).list(NOW)} == {"used"}


@on_both_engines
def test_a_call_is_let_through_in_one_process(store: Store, state_url: str | None) -> None:
    approvals(store, ROUNDS)
    assert winners(store.directory, state_url, redeem, map(str, range(ROUNDS)), processes=4) == [1] * ROUNDS


@on_both_engines
def test_one_person_in_two_terminals_is_one_person(store: Store, state_url: str | None) -> None:
    names = [request_approval(store, asked("two_people", request=str(number))).id for number in range(20)]
    assert winners(store.directory, state_url, second_yes, names) == [1] * 20
    assert {(one.status, one.people) for one in Approvals(store).list(NOW)} == {("pending", "ann")}


def test_a_new_state_is_made_by_all_who_come_at_once(store: Store) -> None:
    store.directory.mkdir(mode=0o700)
    assert winners(store.directory, None, create_and_burn, map(str, range(30)), processes=6) == [1] * 30


WRITER = """
import sys
from pathlib import Path
from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.opening import open_store
from tests.support.engines import on_both_engines
from tests.support.racers import racing_context
from tests.support.state import NOW, asked, request_approval
store = Store(Path(sys.argv[1]))
for number in range(100_000):
    approval = request_approval(store, asked(request=str(number)))
    Approvals(store).approve(approval.id, by="ann", now=NOW)
    print(approval.id, flush=True)
"""
INSIDE = """
import sys, time
from pathlib import Path
from mailgun_mcp.store.database import Store
store = Store(Path(sys.argv[1]))
with store.writing() as connection:
    connection.execute("UPDATE approvals SET status = 'approved'")
    print("inside", flush=True)
    sys.stdin.read()
"""


def killed_after(lines: int, code: str, directory: Path) -> list[str]:
    """Run `code` until it has written so many lines, kill it, and return all that it wrote."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    output = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    # Not by `communicate`, which loses lines that `readline` has read ahead.
    output += process.stdout.readlines()
    assert process.wait(PATIENCE) == -signal.SIGKILL
    assert process.stdin is not None
    process.stdin.close()
    process.stdout.close()
    return [line.rstrip("\n") for line in output if line.endswith("\n")]


@pytest.mark.parametrize("lines", [1, 2, 7, 30])
def test_a_killed_process_leaves_what_it_had_written_and_nothing_by_half(store: Store, lines: int) -> None:
    said = killed_after(lines, WRITER, store.directory)
    status = {approval.id: approval.status for approval in Approvals(store).list(NOW)}
    assert len(said) >= lines
    assert {status[name] for name in said} == {"approved"}
    assert len(status) - len(said) in (0, 1)
    assert rows(store, "PRAGMA integrity_check") == [("ok",)]
    assert all(Approvals(store).consume(name, NOW) for name in said)


def test_what_a_killed_process_was_about_to_write_was_never_written(store: Store) -> None:
    approval = request_approval(store, asked())
    assert killed_after(1, INSIDE, store.directory) == ["inside"]
    assert Approvals(store).list(NOW) == (approval,)
    assert Approvals(store).approve(approval.id, by="ann", now=NOW).status == "approved"


def test_an_audit_log_that_was_cut_off_loses_its_end_only(store: Store) -> None:
    said = killed_after(10, WRITER, store.directory)
    wal = store.directory / f"{FILE}-wal"
    wal.write_bytes(wal.read_bytes()[: wal.stat().st_size * 2 // 3 + 11])
    kept = [approval.id for approval in Approvals(store).list(NOW)]
    assert set(kept) < set(said) or set(said) <= set(kept)
    with sqlite3.connect(store.directory / FILE) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


COMES_AND_GOES = """
import sys
from pathlib import Path
from mailgun_mcp.store.database import Store
store = Store(Path(sys.argv[1]))
with store.reading() as connection:
    print(*sorted(row[0] for row in connection.execute("SELECT nonce FROM nonces")))
store.close()
"""


def test_what_one_process_writes_over_two_connections_is_seen_after_others_came_and_went(store: Store) -> None:
    """Closing a file drops every lock that a process has on it, and another would take the log away."""
    assert Nonces(store).burn("first", NOW + 60, NOW)
    beside = Store(store.directory)
    assert not Nonces(beside).burn("first", NOW + 60, NOW)
    assert python(COMES_AND_GOES, store.directory) == ["first"]
    assert Nonces(store).burn("second", NOW + 60, NOW)
    assert python(COMES_AND_GOES, store.directory) == ["first second"]
    beside.close()
