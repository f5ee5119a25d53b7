"""Durations, hours and weekdays as people read and write them."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from math import ceil

from mailgun_mcp.text.sizes import count_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DAY = 24 * 60
UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))

DURATION = re.compile(r"[0-9]{1,9}[smhd](?: ?[0-9]{1,9}[smhd])*", re.ASCII)
HOURS = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?-([0-9]{1,2})(?::([0-9]{2}))?", re.ASCII)


def iso(at: float) -> str:
    """Return a time in seconds since 1970 as ISO 8601 text."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def duration(text: str) -> float:
    """Return the seconds of `15m`, `30s`, `2h`, `7d` or `1h30m`. Raises ValueError for anything else."""
    if not DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration: write 30s, 15m, 2h or 7d")
    seconds = sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([smhd])", text))
    if not seconds:
        raise ValueError(f"{text!r} must be longer than zero")
    return float(seconds)


def in_words(seconds: float, *, up: bool = False) -> str:
    """Return a time as people say it, such as `1 hour` and `90 minutes`: rounded down, or `up`.

    The unit is the largest that gives two or more, or exactly one.
    """
    whole = max(0, ceil(seconds) if up else int(seconds))
    unit, size = next((unit, size) for unit, size in UNITS if whole >= 2 * size or whole == size or size == 1)
    return count_of(-(-whole // size) if up else whole // size, unit)


def minutes_of(hours: str | int) -> frozenset[int]:
    """Return the minutes of the day in `9-17` (until 17:00), `22:30-6` or the hour `9`.

    Raises ValueError for anything else.
    """
    if isinstance(hours, int):
        return minutes_of(f"{hours}-{hours + 1}")
    match = HOURS.fullmatch(hours)
    if not match:
        raise ValueError(f"{hours!r} is not a range of hours: write 9-17, 22-6 or 8:30-12:00")
    begin, end = _minute(hours, match[1], match[2]), _minute(hours, match[3], match[4])
    if begin == end:
        raise ValueError(f"{hours!r} starts and ends at the same time: write 0-24 for the whole day")
    return frozenset(range(begin, end) if begin < end else (*range(begin, DAY), *range(end)))


def _minute(hours: str, hour: str, minute: str | None) -> int:
    minutes = int(hour) * 60 + int(minute or 0)
    if minutes > DAY or int(minute or 0) > 59:
        raise ValueError(f"{hours!r} is outside the 24 hours of a day")
    return minutes


def weekdays_of(days: Iterable[str]) -> frozenset[int]:
    """Return the numbers (Monday is 0) of the days in `mon`, `mon-fri`. Raises ValueError for anything else."""
    return frozenset(number for day in days for number in _weekdays(day))


def _weekdays(span: str) -> Iterable[int]:
    first, dash, last = span.partition("-")
    for name in (first, last) if dash else (first,):
        if name not in WEEKDAYS:
            raise ValueError(f"{span!r} is not a weekday: write mon, tue, wed, thu, fri, sat, sun or mon-fri")
    begin = WEEKDAYS.index(first)
    end = WEEKDAYS.index(last) if dash else begin
    return range(begin, end + 1) if begin <= end else (*range(begin, 7), *range(end + 1))
