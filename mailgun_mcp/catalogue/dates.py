"""Dates as a person or a model writes them, and as Mailgun wants them.

Taken: ISO 8601 with an offset (`2026-11-23T09:00:00Z`), a date alone (midnight UTC), or
RFC 2822 (`Mon, 23 Nov 2026 09:00:00 +0000`).
"""

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def parse(text: str) -> datetime:
    """Return the moment that `text` names. Raises ValueError when it is none, or has no offset."""
    text = text.strip()
    moment = _iso(text) or _mail(text)
    if moment is None:
        raise ValueError(f"{text!r} is not a time: write ISO 8601 such as 2026-11-23T09:00:00Z")
    if moment.tzinfo is None:
        if DATE.fullmatch(text):
            return moment.replace(tzinfo=UTC)
        raise ValueError(f"{text!r} has no offset from UTC: add one, such as {text}Z")
    return moment


def rfc2822(text: str) -> str:
    """Return the moment with a numeric offset, which Mailgun takes everywhere; named zones are not reliable."""
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
    except (ValueError, TypeError, IndexError):
        return None
