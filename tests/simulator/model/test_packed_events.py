"""Packed events come back exactly as they were, and a filter finds in them what it finds in the events."""

import json
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.model.packed_events import (
    AT,
    FACTS,
    NAMES,
    RULE,
    TIMESTAMP,
    MailEvent,
    PackedEvents,
    Path,
    field_of,
    passes,
)

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False), st.text(max_size=4), st.just("\ud800\n")
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(
    st.sampled_from(["timestamp", "recipient", "tags", "message", "storage", "user-variables", "envelope", "x"]),
    JSON,
    max_size=6,
)


def events_of(records: list[dict[str, Any]]) -> list[MailEvent]:
    return [
        MailEvent(number + 0.5, number, {"event": "opened", **record}, number % 2 == 0)
        for number, record in enumerate(records)
    ]


@given(st.lists(RECORDS, min_size=1, max_size=12))
def test_events_come_back_exactly_as_they_were(records: list[dict[str, Any]]) -> None:
    events = events_of(records)
    unpacked = list(PackedEvents(events).events())
    assert unpacked == events
    # Equal is not enough: 1 and True are, and so are objects whose keys have another order.
    assert [json.dumps(event.record) for event in unpacked] == [json.dumps(event.record) for event in events]


LEAVES = SCALARS | st.lists(SCALARS, max_size=2)


@given(st.lists(RECORDS, min_size=1, max_size=12), st.lists(LEAVES, max_size=12), LEAVES, st.sampled_from([("y",), AT]))
def test_a_test_passes_the_same_events_packed_or_not(
    records: list[dict[str, Any]], leaves: list[Any], value: Any, path: Path
) -> None:
    events = events_of([{**record, "y": leaf} for record, leaf in zip(records, leaves, strict=False)] + records)
    tests = ((path, lambda each: each == value or each is None), (AT, lambda at: at > 2))
    passing = PackedEvents(events).passing(tests)
    assert list(passing) == [index for index, event in enumerate(events) if passes(event, tests)]


def mail(number: int) -> MailEvent:
    recipient = f"ann{number}@x.example"
    record = {
        "event": "failed",
        "timestamp": float(number),
        "severity": "permanent",
        "reason": "bounce",
        "recipient": recipient,
        "envelope": {"targets": recipient},
        "message": {"headers": {"to": f"Ann <{recipient}>" if number % 2 else recipient}},
        "storage": {"url": f"https://s.example/k{number}", "key": f"k{number}"},
        "delivery-status": {"code": 550, "message": "5.1.1 User unknown"},
    }
    return MailEvent(float(number), number, record)


def test_fields_that_end_with_another_one_are_read_whole() -> None:
    events = [mail(number) for number in range(0, 20, 2)]
    packed = PackedEvents(events)
    assert list(packed.events()) == events
    assert packed.column(("storage", "url")) == [event.record["storage"]["url"] for event in events]
    assert packed.column(("message", "headers", "to")) == [event.record["recipient"] for event in events]
    mixed = [mail(number) for number in range(20)]
    assert list(PackedEvents(mixed).events()) == mixed


def test_what_an_event_counts_as_can_be_asked_for() -> None:
    events = [mail(1), MailEvent(2.0, 2, {"event": "opened"}, unique=True)]
    packed = PackedEvents(events)
    assert packed.column(FACTS) == ["hard_bounces processed", "opened unique_opened"]
    assert packed.column(NAMES) == ["failed", "opened unique_opened"]
    assert [len(rule.split()) for rule in packed.column(RULE)] == [3, 0]
    assert [field_of(event, FACTS) for event in events] == packed.column(FACTS)


def test_some_events_are_unpacked_in_the_order_that_is_asked_for() -> None:
    events = [mail(number) for number in range(9)]
    assert list(PackedEvents(events).events([5, 2])) == [events[5], events[2]]


def test_rows_have_the_fields_that_are_asked_for() -> None:
    packed = PackedEvents([mail(number) for number in range(4)])
    assert list(packed.rows((("storage", "key"), ("nothing",)), range(4))) == [
        (f"k{number}", None) for number in range(4)
    ]
    assert list(packed.rows((TIMESTAMP,), [2])) == [(2.0,)]
    assert list(packed.rows((), [1, 2])) == [(), ()]


def test_a_copy_shares_what_never_changes() -> None:
    packed = PackedEvents([mail(1)])
    assert deepcopy(packed) is packed
    assert 0 < packed.packed_size < 3000
