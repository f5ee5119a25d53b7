"""The log of events: in the order of time, complete, bounded, whatever order they come in."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.model import event_log
from mailgun_mcp.simulator.model.clock import DAY, HOUR
from mailgun_mcp.simulator.model.event_log import CHUNK, RETENTION, EventLog, EventRange, MailEvent

KINDS = ("accepted", "delivered", "opened")


def event(at: float, serial: int) -> MailEvent:
    return MailEvent(at, serial, {"event": KINDS[serial % 3], "id": str(serial), "tags": ["ü"]}, unique=serial % 2 == 0)


def serials(log: EventLog, span: EventRange = event_log.EVERYTHING, *, descending: bool = False) -> list[int]:
    return [found.serial for found in log.walk(span, descending=descending)]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "CHUNK", 4)


def test_what_is_packed_is_what_came() -> None:
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


def test_what_is_not_packed_yet_can_be_changed() -> None:
    log = EventLog([event(1.0, 1)])
    log[0].record["mailing-list"] = {"address": "a@x.example"}
    assert next(iter(log)).record["mailing-list"] == {"address": "a@x.example"}


@pytest.mark.usefixtures("small_chunks")
@given(moments=st.lists(st.integers(0, 40), max_size=60), low=st.integers(0, 40), high=st.integers(0, 40))
def test_any_span_is_walked_in_order_both_ways(moments: list[int], low: int, high: int) -> None:
    events = [event(float(at), serial) for serial, at in enumerate(moments)]
    log = EventLog(events)
    wanted = sorted(
        (e for e in events if low <= e.at <= high and e.record["event"] != "opened"), key=lambda e: e.position
    )
    span = EventRange(low, high, frozenset({"accepted", "delivered"}))
    assert serials(log, span) == [e.serial for e in wanted]
    assert serials(log, span, descending=True) == [e.serial for e in wanted[::-1]]


def test_only_what_is_reached_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    log = EventLog(event(float(number), number) for number in range(20 * CHUNK))
    unpacked = []
    original = event_log.marshal.loads
    monkeypatch.setattr(event_log.marshal, "loads", lambda packed: unpacked.append(1) or original(packed))
    walk = log.walk(descending=True)
    for _ in range(3 * CHUNK):
        next(walk)
    assert 0 < len(unpacked) <= 4


def test_the_oldest_are_dropped_when_there_are_too_many() -> None:
    log = EventLog((event(float(number), number) for number in range(10 * CHUNK)), limit=3 * CHUNK)
    assert len(log) <= 3 * CHUNK
    assert serials(log)[-1] == 10 * CHUNK - 1
    assert serials(log) == list(range(10 * CHUNK - len(log), 10 * CHUNK))


def test_what_is_older_than_any_plan_keeps_is_dropped() -> None:
    log = EventLog(event(number * HOUR, number) for number in range(40 * 24))
    oldest, newest = next(iter(log)).at, log[-1].at
    assert newest - oldest <= RETENTION + CHUNK * HOUR
    log.forget(newest + DAY)
    assert len(log) <= 2 * CHUNK
