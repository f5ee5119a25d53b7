"""Pages of the rows of a report: their order, and what is dropped on the way."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from mailgun_mcp.simulator.analytics import group_pages
from mailgun_mcp.simulator.analytics.group_pages import page_of_groups
from mailgun_mcp.simulator.analytics.reports import Group, Rows, SortOrder

ROWS: Rows = {(str(number),): {"n": number * 7919 % 101} for number in range(9000)}


async def in_steps(rows: Rows, size: int = 700) -> AsyncGenerator[Rows, None]:
    groups = list(rows.items())
    for start in range(0, len(groups), size):
        yield dict(groups[start : start + size])


def count(group: Group, by: str) -> Any:
    return group[1][by]


def in_whole(order: SortOrder, value: Any = count) -> list[Group]:
    ordered = sorted(ROWS.items())
    ordered.sort(key=lambda group: value(group, order.by), reverse=order.descending)
    return ordered[order.skip : order.skip + order.limit]


@pytest.mark.anyio
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(("skip", "limit"), [(0, 3), (5, 10), (0, 2500), (4990, 100), (8995, 10), (9500, 10)])
async def test_a_page_of_many_groups_is_that_of_all_in_order(descending: bool, skip: int, limit: int) -> None:
    # The values have many ties, which are in the order of the keys.
    order = SortOrder("n", descending, skip, limit)
    assert await page_of_groups(order, in_steps(ROWS), count) == (in_whole(order), 9000)


@pytest.mark.anyio
async def test_rows_are_sorted_by_a_text_in_both_directions() -> None:
    def last(group: Group, _: str) -> Any:
        return str(group[0][0])[-1]

    for descending in (False, True):
        order = SortOrder("name", descending, 890, 30)
        assert await page_of_groups(order, in_steps(ROWS), last) == (in_whole(order, last), 9000)


@pytest.mark.anyio
@pytest.mark.parametrize(("skip", "limit"), [(0, 3), (695, 10), (700, 700), (1399, 2), (8995, 10), (9500, 10)])
async def test_steps_in_order_give_the_same_page(skip: int, limit: int) -> None:
    rows: Rows = {(at, str(number)): {} for at in range(9) for number in range(1000)}
    order = SortOrder("time", False, skip, limit)
    page = await page_of_groups(order, in_steps(rows, 1000), lambda group, _: group[0][0], in_order=True)
    assert page == (sorted(rows.items())[skip : skip + limit], 9000)


@pytest.mark.anyio
async def test_only_rows_that_can_be_on_the_page_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    lowest: list[Any] = []

    class Noted(group_pages._Lowest):
        def __init__(self, most: int) -> None:
            super().__init__(most)
            lowest.append(self)

    monkeypatch.setattr(group_pages, "_Lowest", Noted)
    most = 0

    async def watched() -> AsyncGenerator[Rows, None]:
        nonlocal most
        async for step in in_steps(ROWS):
            yield step
            most = max(most, len(lowest[0]._newest) + sum(map(len, lowest[0]._runs)))

    await page_of_groups(SortOrder("n", False, 0, 10), watched(), count)
    assert most < group_pages.RUN + group_pages.ROWS_A_TURN
