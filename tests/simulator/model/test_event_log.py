"""The event log keeps all events in the order of time, in bounded memory, in whatever order they are added."""

from collections.abc import Iterator, Sequence
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.model import event_log
from mailgun_mcp.simulator.model.clock import DAY, HOUR
from mailgun_mcp.simulator.model.event_log import CHUNK, RETENTION, UNPACKED_CHUNKS, EventLog, EventRange, lookup_hash
from mailgun_mcp.simulator.model.packed_events import MailEvent, PackedEvents

KINDS = ("accepted", "delivered", "opened")


def event(at: float, serial: int) -> MailEvent:
    return MailEvent(at, serial, {"event": KINDS[serial % 3], "id": str(serial), "tags": ["ü"]}, unique=serial % 2 == 0)


def serials(log: EventLog, event_range: EventRange = event_log.EVERYTHING, *, descending: bool = False) -> list[int]:
    return [found.serial for found in log.walk(event_range, descending=descending)]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "CHUNK", 4)


def test_packed_events_come_back_as_they_were_added() -> None:
    events = [event(float(number), number) for number in range(5 * CHUNK)]
    log = EventLog(events)
    assert list(log) == events
    assert log[-1] == events[-1]
    assert log[3] == events[3]
    assert log[: CHUNK + 2] == events[: CHUNK + 2]
    assert (len(log), bool(log), bool(EventLog())) == (5 * CHUNK, True, False)


def test_two_logs_of_the_same_events_are_equal() -> None:
    events = [event(float(number), number) for number in range(3 * CHUNK)]
    log = EventLog(events)
    assert log == EventLog(reversed(events)) == deepcopy(log)
    assert log != EventLog(events[1:])


def test_events_that_are_not_packed_yet_can_be_changed() -> None:
    log = EventLog([event(1.0, 1)])
    log[0].record["mailing-list"] = {"address": "a@x.example"}
    assert next(iter(log)).record["mailing-list"] == {"address": "a@x.example"}


@pytest.mark.usefixtures("small_chunks")
@given(moments=st.lists(st.integers(0, 40), max_size=60), low=st.integers(0, 40), high=st.integers(0, 40))
def test_any_range_is_walked_in_order_both_ways(moments: list[int], low: int, high: int) -> None:
    events = [event(float(at), serial) for serial, at in enumerate(moments)]
    log = EventLog(events)
    expected = sorted(
        (e for e in events if low <= e.at <= high and e.record["event"] != "opened"), key=lambda e: e.position
    )
    event_range = EventRange(low, high, frozenset({"accepted", "delivered"}))
    assert serials(log, event_range) == [e.serial for e in expected]
    assert serials(log, event_range, descending=True) == [e.serial for e in expected[::-1]]


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> list[PackedEvents]:
    """The chunks that were unpacked."""
    chunks: list[PackedEvents] = []
    events = PackedEvents.events

    def unpack(packed: PackedEvents, indexes: Sequence[int] | None = None) -> Iterator[MailEvent]:
        chunks.append(packed)
        return events(packed, indexes)

    monkeypatch.setattr(PackedEvents, "events", unpack)
    return chunks


def test_only_the_chunks_that_are_reached_are_unpacked(unpacked: list[PackedEvents]) -> None:
    walk = EventLog(event(float(number), number) for number in range(20 * CHUNK)).walk(descending=True)
    for _ in range(6 * CHUNK):
        next(walk)
    assert 0 < len(unpacked) <= 6


def test_only_chunks_that_may_hold_a_recipient_are_unpacked(unpacked: list[PackedEvents]) -> None:
    log = EventLog(
        MailEvent(float(number), number, {"event": "accepted", "recipient": f"a{number // CHUNK}@x.example"})
        for number in range(20 * CHUNK)
    )
    named = EventRange(hashes=frozenset({lookup_hash("A3@x.example")}))
    assert sum(found.record["recipient"] == "a3@x.example" for found in log.walk(named)) == CHUNK
    assert len(unpacked) <= 2


def test_events_of_any_age_are_taken_and_few_chunks_stay_unpacked() -> None:
    order = [number * 7919 % (8 * CHUNK) for number in range(8 * CHUNK)]
    log = EventLog(event(float(number), number) for number in order[: 4 * CHUNK])
    for number in order[4 * CHUNK : 4 * CHUNK + 40]:
        log.append(event(float(number), number))
    assert serials(log) == sorted(order[: 4 * CHUNK + 40])
    assert len(log._unpacked) <= UNPACKED_CHUNKS


def test_a_walk_that_has_begun_is_not_disturbed_by_new_events() -> None:
    log = EventLog(event(float(number), number) for number in range(2 * CHUNK - 1))
    walk = log.walk()
    seen = [next(walk).serial]
    for number in range(2 * CHUNK - 1, 5 * CHUNK):
        log.append(event(float(number), number))
    seen += [found.serial for found in walk]
    assert seen == list(range(2 * CHUNK - 1))


def test_the_oldest_are_dropped_when_there_are_too_many() -> None:
    log = EventLog((event(float(number), number) for number in range(10 * CHUNK)), limit=3 * CHUNK)
    assert len(log) <= 3 * CHUNK
    assert serials(log)[-1] == 10 * CHUNK - 1
    assert serials(log) == list(range(10 * CHUNK - len(log), 10 * CHUNK))


def test_events_older_than_any_plan_keeps_are_dropped() -> None:
    log = EventLog(event(number * HOUR, number) for number in range(40 * 24))
    oldest, newest = next(iter(log)).at, log[-1].at
    assert newest - oldest <= RETENTION + CHUNK * HOUR
    log.forget(newest + DAY)
    assert len(log) <= 2 * CHUNK
