"""Cuts a page out of the rows of a report, of which there may be too many for the memory."""

from collections.abc import AsyncIterable, Callable, Iterator
from heapq import merge
from itertools import islice
from typing import Any

from mailgun_mcp.simulator.analytics.reports import FactCounts, Group, RowKey, Rows, SortOrder
from mailgun_mcp.simulator.replies.give_way import Turn

Ranked = tuple[Any, RowKey, FactCounts]
"""A row and its rank: the lowest comes first, and of rows with the same rank the one with the lower key."""
ROWS_A_TURN = 2000
RUN = 4000
"""Number of rows that are sorted together. More are merged, because sorting holds up other requests."""


async def page_of_groups(
    order: SortOrder, steps: AsyncIterable[Rows], value: Callable[[Group, str], Any], *, in_order: bool = False
) -> tuple[list[Group], int]:
    """Return the rows of the page, and the number of all rows. `value` returns a row's value of a sort column.

    Rows that cannot be on the page are dropped, and other requests run meanwhile. With `in_order`, the rows of each
    step belong after those of the steps before it.
    """
    total, most, turn = 0, order.skip + order.limit, Turn()
    lowest, page = _Lowest(most), list[Group]()
    async for rows in steps:
        before, total = total, total + len(rows)
        if in_order and (total <= order.skip or before >= most):
            continue
        groups, ranked = iter(rows.items()), list[Ranked]()
        while part := [(_rank(value(group, order.by), order), *group) for group in islice(groups, ROWS_A_TURN)]:
            if in_order:
                ranked += part
            else:
                lowest.add(part)
            await turn.give_way()
        ranked.sort()
        page += [(key, facts) for _, key, facts in ranked[max(0, order.skip - before) : most - before]]
    if not in_order:
        page = await _in_place(lowest.rows(), order)
    return page, total


async def _in_place(rows: Iterator[Ranked], order: SortOrder) -> list[Group]:
    """Return the rows of the page out of all rows in order."""
    turn, skip = Turn(), order.skip
    while skip and (skipped := sum(1 for _ in islice(rows, min(skip, ROWS_A_TURN)))):
        skip -= skipped
        await turn.give_way()
    return [(key, facts) for _, key, facts in islice(rows, order.limit)]


class _Lowest:
    """The rows with the lowest ranks. Rows are never compared by their counts, because each key is unique."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._newest: list[Ranked] = []
        self._runs: list[list[Ranked]] = []
        self._highest: Ranked | None = None
        """The last row of the page so far, once the page is full. Later rows do not belong to it."""

    def add(self, rows: list[Ranked]) -> None:
        highest = self._highest
        self._newest += rows if highest is None else [row for row in rows if row < highest]
        if len(self._newest) >= RUN:
            self._sort()

    def rows(self) -> Iterator[Ranked]:
        """Return the rows in order. Nothing may be added after that."""
        self._sort()
        return merge(*self._runs, self._newest)

    def _sort(self) -> None:
        self._newest.sort()
        if self._most > RUN // 2:
            self._runs.append(self._newest)
            self._newest = []
            return
        del self._newest[self._most :]
        if self._newest and len(self._newest) == self._most:
            self._highest = self._newest[-1]


COMPLEMENTS = bytes(range(256))[::-1]


def _rank(value: Any, order: SortOrder) -> Any:
    if not order.descending:
        return value
    if not isinstance(value, str):
        return -value
    # Bytes that are in the reverse order of the texts: much faster to compare than objects of a class of ours.
    return value.encode("utf-8", "surrogatepass").translate(COMPLEMENTS) + b"\xff"
