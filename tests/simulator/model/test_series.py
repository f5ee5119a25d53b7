"""Counts over time: nothing is lost while they grow old but the detail."""

from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.model import series as series_module
from mailgun_mcp.simulator.model.clock import DAY, HOUR
from mailgun_mcp.simulator.model.series import Cell, Resolution, Series, next_period, period_start

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC).timestamp()


def moment(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[arg-type,misc]  # year, month, day, …


def total(series: Series, start: float, resolution: Resolution) -> int:
    return sum(sum(part.counts) for _, part in series.between(start, NOW, resolution))


def counted(series: Series, resolution: Resolution) -> Counter[tuple[int, Cell]]:
    counts: Counter[tuple[int, Cell]] = Counter()
    for at, part in series.between(0, NOW, resolution):
        for number, count in zip(part.numbers, part.counts, strict=True):
            counts[at, series.cells[number]] += count
    return counts


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
        assert counted(daily, resolution) == counted(once, resolution)


def test_a_range_counts_whole_steps() -> None:
    series = Series()
    series.add(NOW - 2 * HOUR, ("a",))
    series.add(NOW, ("a",))
    assert total(series, NOW - HOUR, "hour") == 1
    assert total(series, NOW - HOUR, "day") == 2


def test_packed_counts_go_on_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    packing, plain = Series(), Series()
    for number in range(500):
        plain.add(NOW - number % 7 * HOUR, (number % 3,), number)
    monkeypatch.setattr(series_module, "UNPACKED", 5)
    for number in range(500):
        packing.add(NOW - number % 7 * HOUR, (number % 3,), number)
    assert counted(packing, "hour") == counted(plain, "hour")
    assert counted(packing, "day") == counted(plain, "day")


def test_a_range_that_is_being_read_does_not_change() -> None:
    series = Series()
    series.add(NOW - 100 * DAY, ("old",))
    series.add(NOW, ("a",))
    parts = series.between(0, NOW, "month")
    series.add(NOW, ("a",), 5)
    series.roll_up(NOW)
    assert sum(sum(part.counts) for _, part in parts) == 2


def test_a_copy_counts_for_itself() -> None:
    series = Series()
    series.add(NOW, ("a",))
    copied = deepcopy(series)
    copied.add(NOW, ("b",), 2)
    assert (total(series, 0, "hour"), total(copied, 0, "hour")) == (1, 3)


def test_a_range_from_a_file_is_read_when_it_is_reached_and_leaves_later_counts_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = Series()
    for hours in range(3):
        written.add(NOW - hours * HOUR, (f"cell {hours}",), hours + 1)
    series = Series()
    for part in written.parts():
        series.add_part(part, read_now=False)
    assert len(list(series.read_cells())) == 1
    assert list(series.read_cells()) == []
    parts = series.between(0, NOW, "hour")
    next(parts)
    monkeypatch.setattr(series_module, "UNPACKED", 0)
    series.add(NOW - HOUR, ("cell 1",), 100)
    assert sum(sum(part.counts) for _, part in parts) == 3
    assert total(series, 0, "hour") == 106
