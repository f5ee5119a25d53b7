"""Reports: periods in steps, conditions, counts grouped by dimensions, order and pages."""

from typing import Any

import pytest

from mailgun_mcp.simulator.analytics.reports import (
    CountSource,
    DimensionCondition,
    Grouping,
    Period,
    SortOrder,
    aggregate,
    aggregate_steps,
    count_sources,
    parse_duration,
    parse_moment,
    parse_order,
    parse_period,
)
from mailgun_mcp.simulator.model.account import Account, Administration, Subaccount
from mailgun_mcp.simulator.model.clock import DAY, HOUR, ManualClock
from mailgun_mcp.simulator.model.series import Series, period_start
from mailgun_mcp.simulator.replies.reply import ApiError
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from tests.support.operations import find

NOW = ManualClock().now()


def asked(**arguments: Any) -> SimulatedRequest:
    return SimulatedRequest(find("query_metrics"), arguments, "https://x.example")


def account() -> Account:
    return Account(ManualClock())


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        (DimensionCondition("a", "=", ("x",)), ["X"], True),
        (DimensionCondition("a", "=", ("x",)), [], False),
        (DimensionCondition("a", "!=", ("x",)), [], True),
        (DimensionCondition("a", "contains", ("es",)), ["test"], True),
        (DimensionCondition("a", "not contains", ("es",)), ["test"], False),
    ],
)
def test_conditions_ignore_case(condition: DimensionCondition, values: list[str], holds: bool) -> None:
    assert condition.holds(values) is holds


@pytest.mark.parametrize(("text", "seconds"), [("7d", 7 * DAY), ("1m", 30 * DAY), ("1d12h", 36 * HOUR)])
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "7y", "7d!"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ApiError, match="'duration' attribute is invalid"):
        parse_duration(text)


def test_a_date_must_be_rfc_2822() -> None:
    assert parse_moment("Thu, 01 Jan 1970 00:01:00 +0000") == 60.0
    with pytest.raises(ApiError, match="not an RFC-2822 compliant date"):
        parse_moment("yesterday")


def test_a_duration_overrides_the_start() -> None:
    period = parse_period(account(), asked(start="0", duration="2d", resolution="day"))
    assert period == Period(period_start(NOW - 2 * DAY, "day"), NOW, "day")


def test_a_period_must_not_end_before_it_starts() -> None:
    with pytest.raises(ApiError, match="'start' should be before 'end'"):
        parse_period(account(), asked(start="100", end="50"))


def test_a_period_has_a_step_for_each_hour() -> None:
    start = period_start(NOW, "hour")
    assert list(Period(start - 2 * HOUR, NOW, "hour").steps(NOW)) == [start - 2 * HOUR, start - HOUR, start]


@pytest.mark.anyio
async def test_counts_are_grouped_by_their_dimensions() -> None:
    series = Series()
    for domain, fact, count in (("a", "opened", 2), ("a", "opened", 3), ("b", "opened", 1), ("a", "clicked", 1)):
        series.add(NOW, (domain, fact), count)
    grouping = Grouping({"domain": lambda cell: (str(cell[0]),)}, ("domain",))
    rows = await aggregate([CountSource(account(), "x", series)], Period(NOW - DAY, NOW, "day"), grouping)
    assert rows == {("a",): {"opened": 5, "clicked": 1}, ("b",): {"opened": 1}}


@pytest.mark.anyio
async def test_conditions_leave_cells_out() -> None:
    series = Series()
    series.add(NOW, ("a", "opened"))
    series.add(NOW, ("b", "opened"))
    only = (DimensionCondition("domain", "=", ("b",)),)
    grouping = Grouping({"domain": lambda cell: (str(cell[0]),)}, ("time",), only)
    rows = await aggregate([CountSource(account(), "x", series)], Period(NOW - DAY, NOW, "day"), grouping)
    assert rows == {(period_start(NOW, "day"),): {"opened": 1}}


@pytest.mark.anyio
async def test_the_rows_of_one_time_step_come_together_and_in_order() -> None:
    first, second = Series(), Series()
    for hours in (3, 0, 1):
        first.add(NOW - hours * HOUR, ("a", "opened"))
        second.add(NOW - hours * HOUR, ("a", "opened"), 2)
    second.add(NOW - 2 * HOUR, ("b", "opened"))
    grouping = Grouping({"domain": lambda cell: (str(cell[0]),)}, ("domain", "time"))
    sources = [CountSource(account(), "x", first), CountSource(account(), "y", second)]
    steps = [step async for step in aggregate_steps(sources, Period(NOW - DAY, NOW, "hour"), grouping)]
    at = [period_start(NOW - hours * HOUR, "hour") for hours in (3, 2, 1, 0)]
    both = {"opened": 3}
    assert steps == [{("a", at[0]): both}, {("b", at[1]): {"opened": 1}}, {("a", at[2]): both}, {("a", at[3]): both}]


def test_subaccounts_count_only_on_request() -> None:
    parent = account()
    child = Account(parent.clock, "child", administration=Administration(parent=parent))
    parent.administration.subaccounts["child"] = Subaccount("child", "Child", child, 0.0, 0.0)
    assert [source.name for source in count_sources(parent, lambda owner: owner.analytics.mail)] == [parent.id]
    both = count_sources(parent, lambda owner: owner.analytics.mail, subaccounts=True)
    assert [source.name for source in both] == [parent.id, "Child"]


def test_a_page_is_cut_from_the_sorted_rows() -> None:
    order = parse_order(asked(pagination={"sort": "n:desc", "skip": 1, "limit": 2}), ("n",), "n", 10, 100)
    assert order == SortOrder("n", True, 1, 2)
    rows = [{"n": number} for number in range(5)]
    assert order.page(rows, lambda row, by: row[by]) == [{"n": 3}, {"n": 2}]
    assert order.answer(5) == {"sort": "n:desc", "skip": 1, "limit": 2, "total": 5}


@pytest.mark.parametrize(
    ("pagination", "message"),
    [
        ({"sort": "m"}, "'sort' attribute is invalid"),
        ({"sort": "n:up"}, "'sort' attribute is invalid"),
        ({"limit": 101}, "can't be larger than 100"),
        ({"skip": -1}, "can't be negative"),
    ],
)
def test_other_orders_and_pages_are_refused(pagination: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError, match=message):
        parse_order(asked(pagination=pagination), ("n",), "n", 10, 100)
