"""Events: shown at once, written soon, and read again from any id on."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mailgun_mcp.agent import event_log
from mailgun_mcp.agent.event_log import EventLog
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.connection import Connection
from mailgun_mcp.store.database import Store
from tests.support.engines import on_both_engines
from tests.support.state import NOW

pytestmark = [pytest.mark.anyio, on_both_engines]


async def test_pieces_of_a_text_are_one_row_and_are_read_from_any_of_them_on(store: Store) -> None:
    log = EventLog(store, lambda: NOW)
    live = log.begin("c", "t", 0)
    for piece in ("One ", "two ", "three."):
        live.add("text", message="m", text=piece)
    live.add("text", message="n", text="Other.")
    await log.flush()
    texts = [[event.body["text"] for event in log.read("c", after)] for after in range(5)]
    assert texts == [["One two three.", "Other."], ["two three.", "Other."], ["three.", "Other."], ["Other."], []]
    assert [event.id for event in log.read("c", 0)] == [3, 4]


async def test_events_that_cannot_be_written_are_tried_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    log = EventLog(store, lambda: NOW)
    log.begin("c", "t", 0).add("warning", text="careful")

    def full(*_: object, again: bool) -> None:
        raise StateError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(log, "_write", full)
        with pytest.raises(StateError):
            await log.flush()
    await log.flush()
    assert [event.record for event in log.read("c", 0)] == [
        {"id": 1, "turn": "t", "at": NOW, "kind": "warning", "text": "careful"}
    ]


async def test_events_that_were_written_although_the_connection_was_lost_are_there_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine it would write by itself meanwhile.
    monkeypatch.setattr(event_log, "LINGER", 600.0)
    log = EventLog(store, lambda: NOW)
    live = log.begin("c", "t", 0)
    live.add("text", message="m", text="One ")
    writing = store.writing

    @contextmanager
    def lose(*, durable: bool, lock: str) -> Iterator[Connection]:
        with writing(durable=durable, lock=lock) as connection:
            yield connection
        raise StateError("the connection was lost")

    with monkeypatch.context() as patched:
        patched.setattr(store, "writing", lose)
        for _ in range(2):
            with pytest.raises(StateError):
                await log.flush()
    live.add("text", message="m", text="two.")
    await log.flush()
    assert [(event.id, event.body["text"]) for event in log.read("c", 0)] == [(2, "One two.")]


async def test_a_caller_who_is_cancelled_lets_no_batch_overtake_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "LINGER", 600.0)
    log = EventLog(store, lambda: NOW)
    live = log.begin("c", "t", 0)
    live.add("warning", text="one")
    begun, failing = threading.Event(), threading.Event()

    def lose(*_: object, again: bool) -> None:
        begun.set()
        assert failing.wait(60)
        raise StateError("the connection was lost")

    write = log._write
    monkeypatch.setattr(log, "_write", lose)
    watcher = asyncio.create_task(log.flush())
    assert await asyncio.to_thread(begun.wait, 60)
    watcher.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watcher
    monkeypatch.setattr(log, "_write", write)
    live.add("warning", text="two")
    other = asyncio.create_task(log.flush())
    await asyncio.sleep(0.05)
    failing.set()
    await other
    await log.flush()
    assert [event.body["text"] for event in log.read("c", 0)] == ["one", "two"]


async def test_a_run_that_is_forgotten_is_not_live(store: Store) -> None:
    log = EventLog(store, lambda: NOW)
    first = log.begin("c", "t", 0)
    second = log.begin("c", "t", 0)
    log.forget(first)
    assert log.live("c") is second
    log.forget(second)
    assert log.live("c") is None
