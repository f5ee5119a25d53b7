"""Counts by hour, merged into days and months as they age. Metrics are computed from them."""

from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import gmtime
from typing import Annotated, Literal

from mailgun_mcp.simulator.model.clock import DAY, HOUR
from mailgun_mcp.simulator.model.json_forms import PAIRS

Resolution = Literal["hour", "day", "month"]
Cell = tuple[object, ...]
"""What is counted: the values of all dimensions, and the fact."""
Counts = Annotated[dict[Cell, int], PAIRS]

RETENTION: dict[Resolution, float] = {"hour": 60 * DAY, "day": 365 * DAY, "month": float("inf")}
"""How many seconds counts stay readable at each resolution."""
HOUR_SECONDS, DAY_SECONDS = int(HOUR), int(DAY)


def period_start(at: float, resolution: Resolution) -> int:
    """Return the beginning of the hour, day or month (UTC) that `at` is in."""
    if resolution == "hour":
        return int(at // HOUR_SECONDS) * HOUR_SECONDS
    if resolution == "day":
        return int(at // DAY_SECONDS) * DAY_SECONDS
    year, month = gmtime(at)[:2]
    return timegm((year, month, 1, 0, 0, 0))


def next_period(start: int, resolution: Resolution) -> int:
    """Return the beginning of the next hour, day or month."""
    if resolution == "month":
        return period_start(start + 32 * DAY, "month")
    return start + (HOUR_SECONDS if resolution == "hour" else DAY_SECONDS)


@dataclass(slots=True)
class Series:
    """Counts over time. All hours share one copy of a cell."""

    _levels: dict[Resolution, Annotated[dict[int, Counts], PAIRS]] = field(
        default_factory=lambda: {"hour": {}, "day": {}, "month": {}}
    )
    _cells: dict[Cell, Cell] = field(default_factory=dict)
    _rolled: int = 0
    """The day on which counts were merged last."""

    def add(self, at: float, cell: Cell, count: int = 1) -> None:
        """Count what happened at `at`."""
        counts = self._levels["hour"].setdefault(period_start(at, "hour"), {})
        shared = self._cells.setdefault(cell, cell)
        counts[shared] = counts.get(shared, 0) + count

    def between(self, start: float, end: float, resolution: Resolution) -> Iterator[tuple[int, Counts]]:
        """Yield the start of each hour, day or month that has counts at this resolution, and the counts.

        The same start may come several times, with different counts.
        """
        low = period_start(start, resolution)
        for level in FINER[resolution]:
            for at, counts in self._levels[level].items():
                if low <= at <= end:
                    yield period_start(at, resolution), counts

    def roll_up(self, now: float) -> None:
        """Merge counts that are too old for their resolution into the next coarser one."""
        today = period_start(now, "day")
        if today == self._rolled:
            return
        self._rolled = today
        self._merge("hour", "day", period_start(now - RETENTION["hour"], "day"))
        self._merge("day", "month", period_start(now - RETENTION["day"], "day"))

    def _merge(self, fine: Resolution, coarse: Resolution, before: int) -> None:
        level = self._levels[fine]
        for at in [at for at in level if at < before]:
            target = self._levels[coarse].setdefault(period_start(at, coarse), {})
            for cell, count in level.pop(at).items():
                target[cell] = target.get(cell, 0) + count


FINER: dict[Resolution, tuple[Resolution, ...]] = {
    "hour": ("hour",),
    "day": ("hour", "day"),
    "month": ("hour", "day", "month"),
}
