"""Whose a conversation is, and which process runs it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from mailgun_mcp.agent.conversations import LEASE, Conversations, Run
from mailgun_mcp.agent.errors import BusyError, NotFoundError
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.store.database import Store
from tests.support.chats import ANN, BEN
from tests.support.engines import on_both_engines
from tests.support.state import NOW

pytestmark = on_both_engines


def begin(table: Conversations, run: str = "r", *, holder: str = "here", now: float = NOW) -> tuple[Run, bool]:
    return table.claim_new_turn("c", run, ANN, "chat:test", title="Hello", holder=holder, now=now)


def test_one_process_at_a_time_runs_a_conversation(store: Store) -> None:
    table = Conversations(store)
    assert begin(table) == (Run("c", "r", "r", 0), False)
    with pytest.raises(BusyError):
        begin(table, "s")
    with pytest.raises(BusyError):
        table.delete("c", ANN.id, NOW)
    table.release("c", "somebody else", "idle", NOW)
    assert table.find("c", ANN.id).status == "running"
    table.release("c", "here", "idle", NOW)
    assert begin(table, "s") == (Run("c", "s", "s", 0), False)


def test_of_processes_that_begin_a_turn_at_once_one_does(store: Store) -> None:
    others = [store.reopened() for _ in range(3)]
    barrier = Barrier(len(others))

    def race(number: int) -> bool:
        barrier.wait(60)
        try:
            begin(Conversations(others[number]), f"r{number}", holder=str(number))
        except BusyError:
            return False
        return True

    with ThreadPoolExecutor(len(others)) as threads:
        assert sum(threads.map(race, range(len(others)))) == 1
    for other in others:
        other.close()


def test_a_process_that_lives_keeps_its_runs_and_one_that_died_loses_them(store: Store) -> None:
    table = Conversations(store)
    begin(table)
    assert table.renew("here", ["c"], NOW + LEASE - 1) == set()
    with pytest.raises(BusyError):
        begin(table, "s", holder="there", now=NOW + LEASE + 1)
    assert begin(table, "s", holder="there", now=NOW + 3 * LEASE) == (Run("c", "s", "s", 0), True)


def test_a_run_whose_end_could_not_be_written_loses_its_lease_while_others_go_on(store: Store) -> None:
    table = Conversations(store)
    begin(table)
    table.claim_new_turn("other", "r", ANN, "chat:test", title="Hello", holder="here", now=NOW)
    table.renew("here", ["other"], NOW + LEASE - 1)
    assert table.broken(NOW + LEASE) == ("c",)


def test_a_cancel_reaches_the_process_that_runs_it(store: Store) -> None:
    table = Conversations(store)
    begin(table)
    table.ask_to_cancel("c")
    assert table.renew("there", ["c"], NOW) == set()
    assert table.renew("here", ["c"], NOW) == {"c"}


def test_what_the_caller_may_do_is_kept_with_the_run(store: Store) -> None:
    table = Conversations(store)
    access = Access(frozenset({"mailgun:read"}), ("main",), ("*.example.com",))
    principal = Principal("ann@example.com", access=access, expires=NOW)
    table.claim_new_turn("c", "r", principal, "chat:test", title="", holder="here", now=NOW)
    assert table.caller("c") == (principal, "chat:test")
    begin(table, "s", now=NOW + 2 * LEASE)
    assert table.caller("c") == (ANN, "chat:test")


def test_nothing_is_there_for_others_or_before_anything_was_said(store: Store) -> None:
    table = Conversations(store)
    with pytest.raises(NotFoundError):
        table.find("c", ANN.id)
    assert (table.list(ANN.id), table.run("c", "r", ANN.id)) == ((), None)
    begin(table)
    assert table.run("c", "r", ANN.id) == Run("c", "r", "r", 0)
    with pytest.raises(NotFoundError):
        table.run("c", "r", BEN.id)
    with pytest.raises(NotFoundError):
        table.claim_again("c", "s", BEN, "chat:test", holder="there", now=NOW + 2 * LEASE)
