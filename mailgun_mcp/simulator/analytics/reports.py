"""Reports: periods, filters, counts grouped by dimensions, sort order and pages."""

import re
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, HOUR, parse_mail_date
from mailgun_mcp.simulator.model.series import (
    RETENTION,
    Cell,
    PackedCounts,
    Resolution,
    Series,
    next_period,
    period_start,
)
from mailgun_mcp.simulator.replies.give_way import Turn
from mailgun_mcp.simulator.replies.reply import ApiError
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest

Values = tuple[str, ...]
DimensionReader = Callable[[Cell], Values]
"""Returns a cell's values for one dimension. A cell without values belongs to no group."""
FactCounts = dict[str, int]
RowKey = tuple[object, ...]
Rows = dict[RowKey, FactCounts]
Group = tuple[RowKey, FactCounts]
"""A row of a report: the values of its dimensions, and its counts."""
CELLS_A_TURN = 2000

UNITS = {"h": HOUR, "d": DAY, "m": 30 * DAY}
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Period:
    """A range of time, both ends included, in steps of a resolution."""

    start: float
    end: float
    resolution: Resolution

    def steps(self, now: float) -> Iterator[int]:
        """Yield the start of each step for which counts are still stored."""
        at = period_start(max(self.start, now - RETENTION[self.resolution], 0.0), self.resolution)
        while at <= min(self.end, now):
            yield at
            at = next_period(at, self.resolution)


@dataclass(frozen=True, slots=True)
class CountSource:
    """An account's counts."""

    account: Account
    name: str
    series: Series


@dataclass(frozen=True, slots=True)
class DimensionCondition:
    """One predicate of a filter. A missing value is not equal to any value."""

    attribute: str
    comparator: str
    expected: tuple[str, ...]

    def holds(self, values: Sequence[str]) -> bool:
        return COMPARATORS[self.comparator]([value.lower() for value in values], self.expected)


def equal(values: Sequence[str], expected: Sequence[str]) -> bool:
    return not set(values).isdisjoint(expected)


def contain(values: Sequence[str], expected: Sequence[str]) -> bool:
    return any(text in value for value in values for text in expected)


COMPARATORS: dict[str, Callable[[Sequence[str], Sequence[str]], bool]] = {
    "=": equal,
    "!=": lambda values, expected: not equal(values, expected),
    "contains": contain,
    "not contains": lambda values, expected: not contain(values, expected),
}


@dataclass(frozen=True, slots=True)
class Grouping:
    """How counts are grouped: the dimensions, and the conditions that a cell must meet."""

    readers: Mapping[str, DimensionReader]
    dimensions: tuple[str, ...] = ()
    conditions: tuple[DimensionCondition, ...] = ()
    time: str = "time"
    owner: str = "subaccount"
    """`time` and `owner` are the names of the dimensions for the time and the account."""

    def keys(self, source: CountSource, cell: Cell) -> list[RowKey]:
        """Return the keys of the rows that a cell contributes to, with an empty string in place of the time."""
        if not self.conditions and self.dimensions == (self.time,):
            return [("",)]
        for condition in self.conditions:
            if not condition.holds(self._values(source, cell, condition.attribute)):
                return []
        keys: list[RowKey] = [()]
        for name in self.dimensions:
            if name == self.time:
                keys = [(*key, "") for key in keys]
            else:
                values = self._values(source, cell, name)
                keys = [(*key, value) for key in keys for value in values if value]
        return keys

    def _values(self, source: CountSource, cell: Cell, name: str) -> Values:
        if name == self.time:
            return ("",)
        if name == self.owner:
            return (source.account.id,)
        return self.readers[name](cell)


async def aggregate(sources: Sequence[CountSource], period: Period, grouping: Grouping) -> Rows:
    """Return how often each fact occurred, grouped by the dimensions.

    The fact is the last value of a cell. Other requests run meanwhile.
    """
    rows: Rows = {}
    async for step in aggregate_steps(sources, period, grouping):
        rows |= step
    return rows


async def aggregate_steps(
    sources: Sequence[CountSource], period: Period, grouping: Grouping
) -> AsyncGenerator[Rows, None]:
    """Like `aggregate`, but yield the rows of one time step after the other. Without the time, there is one step.

    All rows together may be too many for the memory, such as those by hour and recipient domain.
    """
    turn = Turn()
    for source in sources:
        for _ in source.series.read_cells():
            await turn.give_way()
    time_index = grouping.dimensions.index(grouping.time) if grouping.time in grouping.dimensions else None
    parts = [_parts(_Columns(source, grouping), period) for source in sources]
    steps = groupby(merge(*parts, key=itemgetter(0)), lambda part: 0 if time_index is None else part[0])
    for at, step in steps:
        totals: dict[_Columns, dict[int, int]] = {}
        for _, columns, counts in step:
            counted = totals.setdefault(columns, defaultdict(int))
            for start in range(0, len(counts.numbers), CELLS_A_TURN):
                end = start + CELLS_A_TURN
                columns.add(counted, counts.numbers[start:end], counts.counts[start:end])
                await turn.give_way()
        yield _rows_of(totals, at, time_index)
        await turn.give_way()


def _parts(columns: "_Columns", period: Period) -> "Iterator[tuple[int, _Columns, PackedCounts]]":
    parts = columns.source.series.between(period.start, period.end, period.resolution)
    return ((at, columns, counts) for at, counts in parts)


def _rows_of(totals: "Mapping[_Columns, Mapping[int, int]]", at: int, time_index: int | None) -> Rows:
    """Return the rows of a time step, from the totals of each source's columns."""
    rows: Rows = {}
    for columns, counts in totals.items():
        for key, facts in columns.rows(counts):
            timed = key if time_index is None else (*key[:time_index], at, *key[time_index + 1 :])
            row = rows.setdefault(timed, facts)
            if row is not facts:
                for fact, count in facts.items():
                    row[fact] = row.get(fact, 0) + count
    return rows


class _Columns:
    """Numbers the (row, fact) pairs that the cells of a source contribute to. Each pair is a column."""

    def __init__(self, source: CountSource, grouping: Grouping) -> None:
        self.source, self._grouping = source, grouping
        self._cells = source.series.cells
        self._names: list[tuple[RowKey, str]] = []
        self._numbers: dict[tuple[RowKey, str], int] = {}
        self._of_cell: dict[int, tuple[int, ...]] = {}

    def add(self, totals: dict[int, int], numbers: Iterable[int], counts: Iterable[int]) -> None:
        """Add the counts of cells to the totals of their columns."""
        columns_of = self._of_cell.get
        for number, count in zip(numbers, counts, strict=True):
            columns = columns_of(number)
            for column in self._find(number) if columns is None else columns:
                totals[column] += count

    def rows(self, totals: Mapping[int, int]) -> Iterable[Group]:
        """Return the rows of totals, each with its counts."""
        rows: Rows = {}
        for column, count in totals.items():
            key, fact = self._names[column]
            if key in rows:
                rows[key][fact] = count
            else:
                rows[key] = {fact: count}
        return rows.items()

    def _find(self, number: int) -> tuple[int, ...]:
        cell = self._cells[number]
        fact = str(cell[-1])
        columns = []
        # This runs once for each cell of each query, so it avoids extra function calls.
        for key in self._grouping.keys(self.source, cell):
            column = self._numbers.get((key, fact))
            if column is None:
                column = self._numbers[key, fact] = len(self._names)
                self._names.append((key, fact))
            columns.append(column)
        numbers = self._of_cell[number] = tuple(columns)
        return numbers


def count_sources(
    account: Account, series: Callable[[Account], Series], *, subaccounts: bool = False
) -> list[CountSource]:
    """Return the counts of the account and, on request, of its subaccounts."""
    owners = [(account, account.id)]
    if subaccounts:
        owners += [(below.account, below.name) for below in account.administration.subaccounts.values()]
    for owner, _ in owners:
        owner.analytics.roll_up(account.clock.now())
    return [CountSource(owner, name, series(owner)) for owner, name in owners]


def parse_period(
    account: Account, request: SimulatedRequest, units: Mapping[str, float] = UNITS, default: float = WEEK
) -> Period:
    """Return the period of a request. A duration is measured back from the end and overrides the start."""
    end = parse_moment(request["end"]) if request.get("end") else account.clock.now()
    start = parse_moment(request["start"]) if request.get("start") else end - default
    if request.get("duration"):
        start = end - parse_duration(request["duration"], units)
    if start > end:
        raise ApiError(400, "'start' should be before 'end'")
    resolution: Resolution = request.get("resolution") or "day"
    return Period(period_start(max(start, 0.0), resolution), end, resolution)


def parse_moment(text: str) -> float:
    """Return an RFC 2822 date in seconds since 1970. Raises ApiError for any other text."""
    try:
        return parse_mail_date(text)
    except (ValueError, OverflowError) as error:
        raise ApiError(400, f"{text} is not an RFC-2822 compliant date") from error


def parse_duration(duration: str, units: Mapping[str, float] = UNITS) -> float:
    """Return a duration such as `7d` in seconds. Raises ApiError for any other text."""
    parts = re.findall(r"(\d{1,9})([a-z])", duration)
    if not parts or "".join(map("".join, parts)) != duration or any(unit not in units for _, unit in parts):
        raise ApiError(400, "'duration' attribute is invalid")
    return sum(int(number) * units[unit] for number, unit in parts)


def parse_conditions(request: SimulatedRequest, attributes: Mapping[str, object]) -> tuple[DimensionCondition, ...]:
    """Return the predicates of a filter. Raises ApiError for an attribute or comparator that does not exist."""
    return tuple(_condition(item, attributes) for item in (request.get("filter") or {}).get("AND", ()))


def _condition(item: Record, attributes: Mapping[str, object]) -> DimensionCondition:
    if item["attribute"] not in attributes:
        raise ApiError(400, f"'{item['attribute']}' is not a valid filter predicate attribute")
    if item["comparator"] not in COMPARATORS:
        raise ApiError(400, f"'{item['comparator']}' is not a valid comparator")
    expected = tuple(str(value["value"]).lower() for value in item["values"])
    return DimensionCondition(item["attribute"], item["comparator"], expected)


@dataclass(frozen=True, slots=True)
class SortOrder:
    """The sort order of rows, and the page that is requested."""

    by: str
    descending: bool
    skip: int
    limit: int

    def page(self, rows: list[Record], value: Callable[[Record, str], Any]) -> list[Record]:
        """Return the rows of the page. `value` returns a row's value of a sort column."""
        ordered = sorted(rows, key=lambda row: value(row, self.by), reverse=self.descending)
        return ordered[self.skip : self.skip + self.limit]

    def answer(self, total: int) -> Record:
        """Return the `pagination` object of the response."""
        sort = f"{self.by}:{'desc' if self.descending else 'asc'}"
        return {"sort": sort, "skip": self.skip, "limit": self.limit, "total": total}


def parse_order(request: SimulatedRequest, columns: Sequence[str], default: str, limit: int, most: int) -> SortOrder:
    """Return the sort order and page of a request. Raises ApiError for an unknown column."""
    pagination = request.get("pagination") or {}
    by, _, direction = str(pagination.get("sort") or default).partition(":")
    if by not in columns or direction not in ("", "asc", "desc"):
        raise ApiError(400, "'sort' attribute is invalid")
    size = pagination.get("limit") or limit
    if size > most:
        raise ApiError(400, f"The 'pagination.limit' parameter can't be larger than {most}")
    if size < 0 or (pagination.get("skip") or 0) < 0:
        raise ApiError(400, "The 'pagination' parameters can't be negative")
    return SortOrder(by, direction == "desc", pagination.get("skip") or 0, size)
