"""The simulator's time, and the date formats of Mailgun's API."""

import re
import time
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from typing import Protocol, runtime_checkable

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


NAME_WITH_OFFSET = re.compile(r"\s[A-Za-z]+[+-]\d[\d:]*\s*$")
"""Matches a time zone such as GMT-3, which RFC 2822 does not allow."""


@runtime_checkable
class Clock(Protocol):
    """A source of the time, in seconds since 1970."""

    def now(self) -> float: ...


class SystemClock:
    """The system's clock."""

    def now(self) -> float:
        return time.time()


class ManualClock:
    """A clock that moves only when `advance` is called."""

    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


class MovableClock:
    """A clock that follows another clock, and can be moved, stopped and reset."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = 0.0
        self._stopped_at: float | None = None

    def now(self) -> float:
        return self._clock.now() + self._ahead if self._stopped_at is None else self._stopped_at

    @property
    def stopped(self) -> bool:
        return self._stopped_at is not None

    def advance(self, seconds: float) -> None:
        if self._stopped_at is None:
            self._ahead += seconds
        else:
            self._stopped_at += seconds

    def stop(self) -> None:
        """Stop the clock."""
        self._stopped_at = self.now()

    def run(self) -> None:
        """Let the clock continue from where it stopped."""
        self._ahead, self._stopped_at = self.now() - self._clock.now(), None

    def reset(self) -> None:
        """Return to the other clock's time."""
        self._ahead, self._stopped_at = 0.0, None


def parse_mail_date(text: str) -> float:
    """Return an RFC 2822 date, or a number of seconds since 1970, as seconds. Raises ValueError when it is neither."""
    try:
        return float(text)
    except ValueError:
        return _parse_rfc2822(text)


def _parse_rfc2822(text: str) -> float:
    # The library would read such a zone as UTC.
    if NAME_WITH_OFFSET.search(text):
        raise ValueError(f"{text!r} has a time zone that is neither a name nor an offset")
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, IndexError) as error:
        raise ValueError(f"{text!r} is not a date") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parse_rfc3339(text: str) -> float:
    """Return an RFC 3339 date in seconds since 1970. Raises ValueError when it is invalid or has no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return moment.timestamp()


@lru_cache(maxsize=4096)
def mail_date(at: float, zone: str = "UTC") -> str:
    """Format `at` as RFC 2822, with the zone's name as in most of Mailgun's responses."""
    return formatdate(at, usegmt=True).replace("GMT", zone)


def iso_date(at: float) -> str:
    """Format `at` as logs do: `2026-11-23T09:00:00.123Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_date(at: float) -> str:
    """Format `at` as API keys do: `2026-11-23T09:00:00`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def micro_date(at: float) -> str:
    """Format `at` as users do: `2026-11-23T09:00:00.123456`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
