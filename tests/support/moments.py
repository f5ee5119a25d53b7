"""Moments at which a result that depends on the hour, the day or the month shows that it does."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

MOMENTS = (
    "2026-12-01 00:00:01",  # A month, and a day, has just begun.
    "2028-02-29 23:59:50",  # The last seconds of a leap year's longest February.
    "2027-01-01 04:10:00",  # The first night of a year.
    "2026-11-16 09:30:00",  # A Monday morning.
    "2026-10-25 13:59:59",  # Noon of a day with 25 hours in Europe.
    "2026-11-30 20:45:00",  # The last evening of a month.
)
"""In UTC."""


def moment(text: str) -> float:
    """Return the seconds since 1970."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def spread(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return each name with a moment, so that each moment has its turn."""
    return [(name, MOMENTS[number % len(MOMENTS)]) for number, name in enumerate(names)]


@contextmanager
def time_is(text: str) -> Iterator[None]:
    """Let the clock of this process run from a moment on."""
    ahead, system = moment(text) - time.time(), time.time
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: system() + ahead)
        yield
