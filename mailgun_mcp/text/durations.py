"""Durations, hours and weekdays as a policy writes them."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DAY = 24 * 60

DURATION = re.compile(r"[0-9]{1,9}[smhd](?: ?[0-9]{1,9}[smhd])*", re.ASCII)
HOURS = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?-([0-9]{1,2})(?::([0-9]{2}))?", re.ASCII)


def iso(at: float) -> str:
    """Return a time in seconds since 1970 as people and programs read it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def duration(text: str) -> float:
    """Return the seconds of `15m`, `30s`, `2h`, `7d` or `1h30m`. Raises ValueError for anything else."""
    if not DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration: write 30s, 15m, 2h or 7d")
    seconds = sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([smhd])", text))
    if not seconds:
        raise ValueError(f"{text!r} is no time at all")
    return float(seconds)


def minutes_of(hours: str | int) -> frozenset[int]:
    """Return the minutes of the day of `9-17` (until 17:00), `22:30-6` or the hour `9`.

    Raises ValueError for anything else.
    """
    if isinstance(hours, int):
        return minutes_of(f"{hours}-{hours + 1}")
    found = HOURS.fullmatch(hours)
    if not found:
        raise ValueError(f"{hours!r} is not a span of hours: write 9-17, 22-6 or 8:30-12:00")
    begin, end = _minute(hours, found[1], found[2]), _minute(hours, found[3], found[4])
    if begin == end:
        raise ValueError(f"{hours!r} ends where it begins: write 0-24 for the whole day")
    return frozenset(range(begin, end) if begin < end else (*range(begin, DAY), *range(end)))


def _minute(hours: str, hour: str, minute: str | None) -> int:
    found = int(hour) * 60 + int(minute or 0)
    if found > DAY or int(minute or 0) > 59:
        raise ValueError(f"{hours!r} is not within a day of 24 hours")
    return found


def weekdays_of(days: Iterable[str]) -> frozenset[int]:
    """Return the numbers (Monday is 0) of `mon`, `mon-fri`. Raises ValueError for anything else."""
    return frozenset(number for day in days for number in _weekdays(day))


def _weekdays(span: str) -> Iterable[int]:
    first, dash, last = span.partition("-")
    for name in (first, last) if dash else (first,):
        if name not in WEEKDAYS:
            raise ValueError(f"{span!r} is not a weekday: write mon, tue, wed, thu, fri, sat, sun or mon-fri")
    begin = WEEKDAYS.index(first)
    end = WEEKDAYS.index(last) if dash else begin
    return range(begin, end + 1) if begin <= end else (*range(begin, 7), *range(end + 1))
