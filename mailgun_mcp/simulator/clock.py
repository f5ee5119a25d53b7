"""What time it is in the simulator, and how Mailgun writes moments on the wire."""

import time
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import Protocol

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(Protocol):
    """Tells the seconds since 1970."""

    def now(self) -> float: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()


class ManualClock:
    """A clock that only moves when told to."""

    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


def parse_mail_date(text: str) -> float:
    """Return the moment of an RFC 2822 date or of seconds since 1970. Raises ValueError when it is neither."""
    try:
        return float(text)
    except ValueError:
        return _parse_rfc2822(text)


def _parse_rfc2822(text: str) -> float:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, IndexError) as error:
        raise ValueError(f"{text!r} is no date") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parse_rfc3339(text: str) -> float:
    """Return the moment of an RFC 3339 date. Raises ValueError when it is none, or names no offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return moment.timestamp()


def mail_date(at: float, zone: str = "UTC") -> str:
    """Write `at` as RFC 2822, with the zone's name as most of Mailgun's answers have it."""
    return formatdate(at, usegmt=True).replace("GMT", zone)


def iso_date(at: float) -> str:
    """Write `at` as the logs do: `2026-11-23T09:00:00.123Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
