"""Counts by hour, which are merged into days and months as they age. Metrics are computed from them.

Most counts are packed: each hour has two arrays, the numbers of its cells and how often each cell occurred.
"""

import json
from array import array
from calendar import timegm
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from time import gmtime
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from mailgun_mcp.simulator.model.clock import DAY, HOUR
from mailgun_mcp.simulator.model.json_forms import PAIRS, hashable, numbers_from_text, numbers_to_text
from mailgun_mcp.simulator.model.parts import Part, to_text

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

Resolution = Literal["hour", "day", "month"]
Cell = tuple[object, ...]
"""What is counted: the values of all dimensions, then the fact."""
Counts = Annotated[dict[Cell, int], PAIRS]

RETENTION: dict[Resolution, float] = {"hour": 60 * DAY, "day": 365 * DAY, "month": float("inf")}
"""Resolution -> seconds for which its counts stay readable."""
HOUR_SECONDS, DAY_SECONDS = int(HOUR), int(DAY)
CELLS_OF_A_PART = 500
UNPACKED = 50_000
"""Maximum number of unpacked counts."""


def period_start(at: float, resolution: Resolution) -> int:
    """Return the start of the hour, day or month (UTC) that contains `at`."""
    if resolution == "hour":
        return int(at // HOUR_SECONDS) * HOUR_SECONDS
    if resolution == "day":
        return int(at // DAY_SECONDS) * DAY_SECONDS
    year, month = gmtime(at)[:2]
    return timegm((year, month, 1, 0, 0, 0))


def next_period(start: int, resolution: Resolution) -> int:
    """Return the start of the next hour, day or month."""
    if resolution == "month":
        return period_start(start + 32 * DAY, "month")
    return start + (HOUR_SECONDS if resolution == "hour" else DAY_SECONDS)


class CellTable:
    """Numbers the cells in the order in which they first occur. It only grows, so copies of a series can share it."""

    __slots__ = ("_cells", "_numbers", "_size", "_unread")

    def __init__(self) -> None:
        self._cells: list[Cell] = []
        self._numbers: dict[Cell, int] = {}
        self._unread: list[Part] = []
        """Parts from a file that have not been read yet. Their cells follow those already read."""
        self._size = 0
        """The number of cells, including those of unread parts."""

    def __deepcopy__(self, _: object) -> "CellTable":
        return self

    def number(self, cell: Cell) -> int:
        """Return the number of a cell."""
        self._read()
        number = self._numbers.get(cell)
        if number is None:
            number = self._numbers[cell] = self._size
            self._cells.append(cell)
            self._size += 1
        return number

    def __len__(self) -> int:
        return self._size

    @property
    def cells(self) -> list[Cell]:
        """The cells, in the order of their numbers."""
        self._read()
        return self._cells

    def add_part(self, part: Part, *, read_now: bool) -> None:
        """Add a part of another table, to be read now or on demand. Raises ValueError or TypeError if it is invalid."""
        number = part.index["cells"]
        if not isinstance(number, int) or number < 1:
            raise TypeError("the number of cells must be a number above 0")
        self._unread.append(part)
        self._size += number
        if read_now:
            self._read()

    def read(self) -> Iterator[None]:
        """Read the parts from a file that were not read yet. Yields after each, so that the caller can let others run.

        Raises ValueError when a part is invalid.
        """
        while self._unread:
            part = self._unread[0]
            cells = [*map(_cell, json.loads(part.content)["cells"])]
            numbers = dict(zip(cells, range(len(self._cells), self._size), strict=False))
            if len(cells) != part.index["cells"]:
                raise ValueError("the number of cells is wrong")
            if len(numbers) != len(cells) or not self._numbers.keys().isdisjoint(numbers):
                raise ValueError("a cell occurs twice")
            self._cells += cells
            self._numbers |= numbers
            del self._unread[0]
            yield

    def _read(self) -> None:
        if self._unread:
            for _ in self.read():
                pass

    def parts(self) -> Iterator[Part]:
        """Return the cells as JSON, part by part. Cells added later are not included."""
        return self._parts(len(self._cells), [*self._unread])

    def _parts(self, size: int, unread: list[Part]) -> Iterator[Part]:
        for start in range(0, size, CELLS_OF_A_PART):
            cells = self._cells[start : min(start + CELLS_OF_A_PART, size)]
            yield Part(to_text({"cells": cells}), {"cells": len(cells)})
        yield from unread


class PackedCounts(NamedTuple):
    """Immutable counts: the numbers of cells, and how often each cell occurred."""

    numbers: Sequence[int]
    counts: Sequence[int]

    def __deepcopy__(self, _: object) -> "PackedCounts":
        return self


NO_COUNTS = PackedCounts((), ())


@dataclass(frozen=True, slots=True)
class _UnreadCounts:
    """Packed counts from a file that have not been read yet."""

    part: Part
    cells: int
    """The number of cells."""

    def __deepcopy__(self, _: object) -> "_UnreadCounts":
        return self

    def read(self) -> PackedCounts:
        """Return the counts. Raises ValueError when they are invalid."""
        try:
            document = json.loads(self.part.content)
            packed = PackedCounts(
                numbers_from_text("I", document["numbers"]), numbers_from_text("Q", document["counts"])
            )
        except (TypeError, KeyError) as error:
            raise ValueError(f"counts are damaged: {error}") from error
        if len(packed.numbers) != len(packed.counts) or max(packed.numbers, default=0) >= self.cells:
            raise ValueError("a count has no cell")
        return packed


@dataclass(slots=True)
class _PeriodCounts:
    """The counts of an hour, day or month: packed ones, and those added since."""

    _packed: PackedCounts | _UnreadCounts = NO_COUNTS
    unpacked: dict[int, int] = field(default_factory=dict)

    @property
    def packed(self) -> PackedCounts:
        """The packed counts, read now if necessary."""
        if isinstance(self._packed, _UnreadCounts):
            self._packed = self._packed.read()
        return self._packed

    def add(self, part: _UnreadCounts) -> None:
        """Add packed counts. If they are the first, they are read later."""
        if self._packed is NO_COUNTS:
            self._packed = part
        else:
            self.unpacked = dict(zip(*part.read(), strict=True))
            self.pack()

    def pack(self) -> None:
        if not self.unpacked:
            return
        counts = dict(zip(*self.packed, strict=True))
        for number, count in self.unpacked.items():
            counts[number] = counts.get(number, 0) + count
        self._packed, self.unpacked = PackedCounts(array("I", counts), array("Q", counts.values())), {}

    def parts(self) -> Iterator[PackedCounts]:
        for part in self.lazy_parts():
            yield self.read(part)

    def lazy_parts(self) -> Iterator[PackedCounts | _UnreadCounts]:
        """Yield the parts as they are now. `read` reads them, also when counts were added meanwhile."""
        if self._packed is not NO_COUNTS:
            yield self._packed
        if self.unpacked:
            yield self._unpacked_part()

    def read(self, part: PackedCounts | _UnreadCounts) -> PackedCounts:
        """Return a part of these counts, read now if necessary."""
        if isinstance(part, PackedCounts):
            return part
        return self.packed if part is self._packed else part.read()

    def written_parts(self) -> Iterator[PackedCounts | Part]:
        """Yield the parts to write. Unread parts are passed on as their JSON."""
        if isinstance(self._packed, _UnreadCounts):
            yield self._packed.part
        elif self._packed.numbers:
            yield self._packed
        if self.unpacked:
            yield self._unpacked_part()

    def _unpacked_part(self) -> PackedCounts:
        return PackedCounts(list(self.unpacked), list(self.unpacked.values()))


@dataclass(slots=True)
class _Document:
    """The JSON form of a series: the fields that it had in the first release."""

    _levels: dict[Resolution, Annotated[dict[int, Counts], PAIRS]]
    _rolled: int = 0


class Series:
    """Counts over time. All hours share one copy of each cell."""

    __slots__ = ("_levels", "_rolled", "_table", "_unpacked")

    def __init__(self) -> None:
        self._levels: dict[Resolution, dict[int, _PeriodCounts]] = {"hour": {}, "day": {}, "month": {}}
        self._table = CellTable()
        self._unpacked = 0
        self._rolled = 0
        """The day on which counts were last merged."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(cls._from_document, handler.generate_schema(_Document))

    @classmethod
    def _from_document(cls, document: _Document) -> "Series":
        series = cls()
        series._rolled = document._rolled
        for resolution, level in document._levels.items():
            for at, counts in level.items():
                for cell, count in counts.items():
                    series._add(resolution, at, series._table.number(cell), count)
        return series

    def empty_document(self) -> _Document:
        """Return the JSON form without the counts. `parts` has those."""
        return _Document({}, self._rolled)

    def to_document(self) -> _Document:
        """Return a copy of the series in its JSON form."""
        cells = self._table.cells
        levels: dict[Resolution, dict[int, Counts]] = {resolution: {} for resolution in self._levels}
        for resolution, level in self._levels.items():
            for at, period in level.items():
                counts = levels[resolution].setdefault(at, {})
                for part in period.parts():
                    for number, count in zip(*part, strict=True):
                        counts[cells[number]] = counts.get(cells[number], 0) + count
        return _Document(levels, self._rolled)

    def parts(self) -> Iterator[Part]:
        """Return the counts as JSON, part by part. Later counts are not included."""
        periods = [
            ({"resolution": resolution, "at": at}, part)
            for resolution, level in self._levels.items()
            for at, period in level.items()
            for part in period.written_parts()
        ]
        return _written(self._table.parts(), periods)

    def add_part(self, part: Part, *, read_now: bool) -> None:
        """Add a part of another series. Raises ValueError, TypeError, KeyError or OverflowError."""
        if "cells" in part.index:
            self._table.add_part(part, read_now=read_now)
            return
        period = self._levels[part.index["resolution"]].setdefault(int(part.index["at"]), _PeriodCounts())
        period.add(_UnreadCounts(Part(part.stored), len(self._table)))
        if read_now:
            _ = period.packed

    @property
    def cells(self) -> Sequence[Cell]:
        """The cells in the order of their numbers."""
        return self._table.cells

    def read_cells(self) -> Iterator[None]:
        """Read cells from a file that were not read yet, step by step, so that the caller can let others run."""
        return self._table.read()

    def add(self, at: float, cell: Cell, count: int = 1) -> None:
        """Add to the count of a cell at the time `at`."""
        self._add("hour", period_start(at, "hour"), self._table.number(cell), count)

    def between(self, start: float, end: float, resolution: Resolution) -> Iterator[tuple[int, PackedCounts]]:
        """Yield the start of each hour, day or month that has counts at this resolution, and the counts, in order of time.

        The same start may be yielded several times in a row, with different counts. Counts added meanwhile are left out.
        Counts from a file are read when they are reached.
        """
        low = period_start(start, resolution)
        parts = [
            (period_start(at, resolution), period, part)
            for level in FINER[resolution]
            for at, period in self._levels[level].items()
            if low <= at <= end
            for part in period.lazy_parts()
        ]
        parts.sort(key=itemgetter(0))
        return ((at, period.read(part)) for at, period, part in parts)

    def roll_up(self, now: float) -> None:
        """Merge counts that are too old for their resolution into the next coarser one."""
        today = period_start(now, "day")
        if today == self._rolled:
            return
        self._rolled = today
        self._merge("hour", "day", period_start(now - RETENTION["hour"], "day"))
        self._merge("day", "month", period_start(now - RETENTION["day"], "day"))

    def _add(self, resolution: Resolution, start: int, number: int, count: int) -> None:
        period = self._levels[resolution].get(start)
        if period is None:
            period = self._levels[resolution][start] = _PeriodCounts()
        before = period.unpacked.get(number)
        period.unpacked[number] = (before or 0) + count
        if before is None:
            self._unpacked += 1
            if self._unpacked > UNPACKED:
                self._pack()

    def _pack(self) -> None:
        for level in self._levels.values():
            for period in level.values():
                period.pack()
        self._unpacked = 0

    def _merge(self, fine: Resolution, coarse: Resolution, before: int) -> None:
        level = self._levels[fine]
        for at in [at for at in level if at < before]:
            start, period = period_start(at, coarse), level.pop(at)
            self._unpacked -= len(period.unpacked)
            for part in period.parts():
                for number, count in zip(*part, strict=True):
                    self._add(coarse, start, number, count)


def _cell(value: list[Any]) -> Cell:
    """Return a cell from its JSON form. Only tags are a list, so nothing else is converted: there may be many cells."""
    return tuple([hashable(each) if type(each) is list else each for each in value])


def _written(cells: Iterator[Part], periods: list[tuple[Any, PackedCounts | Part]]) -> Iterator[Part]:
    if not periods:
        return
    yield from cells
    for index, counts in periods:
        if isinstance(counts, Part):
            yield Part(counts.stored, index)
        else:
            numbers, times = numbers_to_text(array("I", counts.numbers)), numbers_to_text(array("Q", counts.counts))
            yield Part(to_text({"numbers": numbers, "counts": times}), index)


FINER: dict[Resolution, tuple[Resolution, ...]] = {
    "hour": ("hour",),
    "day": ("hour", "day"),
    "month": ("hour", "day", "month"),
}
