"""Dates as people and models write them, and as Mailgun requires them.

Accepted: ISO 8601 with an offset (`2026-11-23T09:00:00Z`), a date alone (midnight UTC), or
RFC 2822 (`Mon, 23 Nov 2026 09:00:00 +0000`).
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ZONE_NAME = re.compile(r"[A-Za-z]{2,}(?:/[A-Za-z_]+)*(?:[+-][0-9:]+)?|(?:GMT|UTC)[+-][0-9:]+")
LONGEST = 64
"""Longest text of a time, in characters. The parsers are not made for more."""
FIRST_YEAR, LAST_YEAR = 1970, 9998
"""First and last year. Mailgun has no other times, and these can be written in every time zone."""


def parse(text: str) -> datetime:
    """Return the moment that `text` names. Raises ValueError if it names none or has no offset."""
    text = text.strip()
    moment = (_iso(text) or _mail(text)) if len(text) <= LONGEST else None
    zone = text.rpartition(" ")[2]
    if (moment is None or moment.tzinfo is None) and len(text) <= LONGEST and ZONE_NAME.fullmatch(zone) and " " in text:
        raise ValueError(f"{text!r} names the time zone {zone}: write its offset instead, such as +01:00")
    if moment is None:
        raise ValueError(f"{text[:LONGEST]!r} is not a time: use ISO 8601, such as 2026-11-23T09:00:00Z")
    if moment.tzinfo is None:
        if DATE.fullmatch(text):
            return moment.replace(tzinfo=UTC)
        raise ValueError(f"{text!r} has no offset from UTC: add one, such as {text}{'Z' if _iso(text) else ' +0000'}")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"{text!r} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def rfc2822(text: str) -> str:
    """Return the moment with a numeric offset, which Mailgun accepts everywhere; named zones are not reliable."""
    return format_datetime(parse(text))


def rfc3339(text: str) -> str:
    """Return the moment in UTC, as RFC 3339."""
    return parse(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def epoch(text: str) -> str:
    """Return the seconds since 1970, without a fraction."""
    return str(int(parse(text).timestamp()))


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _mail(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
