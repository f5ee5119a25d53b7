"""Cuts a page out of event logs. The search stops as soon as the page is complete."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from mailgun_mcp.simulator.model.event_log import EventRange, Position
from mailgun_mcp.simulator.replies.give_way import Turn
from mailgun_mcp.simulator.replies.paging import BACKWARD

Item = TypeVar("Item")
Search = Callable[[EventRange, bool], Iterator[tuple[Position, Item | None]]]
"""Yields the items of a range with their positions, forward in time, or backward if the flag is set.

A None in place of an item is a point at which other requests may run.
"""
NOWHERE: Position = (0.0, 0)
"""The position that a search of a single log yields along with None."""


@dataclass(frozen=True, slots=True)
class EventPageQuery:
    """The requested page: `page` (such as `next`), relative to the item at `pivot`."""

    page: str
    pivot: Position | None
    limit: int
    ascending: bool


@dataclass(frozen=True, slots=True)
class EventPage(Generic[Item]):
    """A page, and whether there are more items before and after it."""

    positions: list[Position]
    items: list[Item]
    before: bool
    after: bool


async def cut_page(search: Search[Item], span: EventRange, asked: EventPageQuery) -> EventPage[Item]:
    """Return the requested page of the items in `span`."""
    onward = asked.page not in (*BACKWARD, "last")
    pivot = None if asked.page in ("first", "last") else asked.pivot
    if not onward and asked.page != "last" and pivot is None:
        onward = True
    upward = asked.ascending == onward
    taken: list[tuple[Position, Item]] = []
    turn = Turn()
    for position, item in search(_narrowed(span, pivot, upward), not upward):
        if item is None:
            await turn.give_way()
        elif _beyond(position, pivot, upward):
            taken.append((position, item))
            if len(taken) > asked.limit:
                break
    more, page = len(taken) > asked.limit, taken[: asked.limit]
    if not onward:
        page.reverse()
    left_behind = pivot is not None
    before, after = (left_behind, more) if onward else (more, left_behind)
    return EventPage([position for position, _ in page], [item for _, item in page], before, after)


def _narrowed(span: EventRange, pivot: Position | None, upward: bool) -> EventRange:
    if pivot is None:
        return span
    if upward:
        return replace(span, low=max(span.low, pivot[0]))
    return replace(span, high=min(span.high, pivot[0]))


def _beyond(position: Position, pivot: Position | None, upward: bool) -> bool:
    return pivot is None or (position > pivot if upward else position < pivot)
