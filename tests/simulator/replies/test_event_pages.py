"""Pages of an event log: every event once, in both directions, whatever the limit."""

import asyncio
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.model.event_log import EventRange, Position
from mailgun_mcp.simulator.replies.event_pages import EventPage, EventPageQuery, cut_page

EVERYTHING = EventRange()


def page(count: int, query: EventPageQuery) -> EventPage[int]:
    def search(span: EventRange, backward: bool) -> Iterator[tuple[Position, int | None]]:
        numbers = [number for number in range(count) if span.low <= number // 2 <= span.high]
        for number in reversed(numbers) if backward else numbers:
            yield (number // 2, number), number if number % 3 else None

    return asyncio.run(cut_page(search, EVERYTHING, query))


@given(st.integers(0, 30), st.integers(1, 7), st.booleans())
def test_following_the_pages_shows_every_event_once(count: int, limit: int, ascending: bool) -> None:
    expected = [number for number in range(count) if number % 3 != 0]
    shown = page(count, EventPageQuery("first", None, limit, ascending))
    seen = list(shown.items)
    while shown.after:
        shown = page(count, EventPageQuery("next", shown.positions[-1], limit, ascending))
        seen += shown.items
    assert seen == (expected if ascending else expected[::-1])


@given(st.integers(0, 30), st.integers(1, 7), st.booleans())
def test_the_pages_lead_back_from_the_last(count: int, limit: int, ascending: bool) -> None:
    expected = [number for number in range(count) if number % 3 != 0]
    shown = page(count, EventPageQuery("last", None, limit, ascending))
    seen = list(shown.items)
    while shown.before:
        shown = page(count, EventPageQuery("previous", shown.positions[0], limit, ascending))
        seen = [*shown.items, *seen]
    assert seen == (expected if ascending else expected[::-1])
