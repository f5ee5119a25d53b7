"""Counts over time: nothing is lost while they grow old but the detail."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.model.clock import DAY, HOUR
from mailgun_mcp.simulator.model.series import Resolution, Series, next_period, period_start

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC).timestamp()


def moment(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[arg-type,misc]  # year, month, day, …


def total(series: Series, start: float, resolution: Resolution) -> int:
    return sum(sum(counts.values()) for _, counts in series.between(start, NOW, resolution))


@pytest.mark.parametrize(
    ("resolution", "start", "end"),
    [
        ("hour", moment(2026, 11, 23, 9), moment(2026, 11, 23, 10)),
        ("day", moment(2026, 11, 23), moment(2026, 11, 24)),
        ("month", moment(2026, 11, 1), moment(2026, 12, 1)),
    ],
)
def test_a_step_of_time_begins_and_ends_in_utc(resolution: Resolution, start: int, end: int) -> None:
    assert period_start(NOW, resolution) == start
    assert next_period(start, resolution) == end


def test_the_year_turns() -> None:
    assert next_period(moment(2026, 12, 1), "month") == moment(2027, 1, 1)


@given(ages=st.lists(st.integers(0, 800), max_size=30))
def test_days_stay_a_year_hours_sixty_days_and_months_for_ever(ages: list[int]) -> None:
    series = Series()
    for age in ages:
        series.add(NOW - age * DAY, ("a", "sent"))
    series.roll_up(NOW)
    assert total(series, 0, "month") == len(ages)
    assert total(series, 0, "day") == sum(age <= 365 for age in ages)
    assert total(series, 0, "hour") == sum(age <= 60 for age in ages)


def test_rolling_up_day_by_day_comes_to_the_same_as_at_once() -> None:
    daily, once = Series(), Series()
    for age in range(500, -1, -1):
        at = NOW - age * DAY
        daily.add(at, ("a",), 2)
        once.add(at, ("a",), 2)
        daily.roll_up(at)
    once.roll_up(NOW)
    for resolution in ("hour", "day", "month"):
        assert dict(daily.between(0, NOW, resolution)) == dict(once.between(0, NOW, resolution))


def test_a_range_counts_whole_steps() -> None:
    series = Series()
    series.add(NOW - 2 * HOUR, ("a",))
    series.add(NOW, ("a",))
    assert total(series, NOW - HOUR, "hour") == 1
    assert total(series, NOW - HOUR, "day") == 2
