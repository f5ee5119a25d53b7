"""Counts and rates of a domain's recent events, for reputation and thresholds."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.event_log import EventRange
from mailgun_mcp.simulator.model.packed_events import Path

OUTCOME: tuple[Path, ...] = (("event",), ("severity",), ("reason",))
"""The paths of the event fields that describe the outcome of a message."""
COUNTED = frozenset({"accepted", "delivered", "failed", "complained"})
CountedRows = Iterable["Counter[tuple[Any, ...]]"]


@dataclass(slots=True)
class OutcomeCounts:
    """The number of messages that were accepted, delivered, refused, deferred and reported as spam."""

    accepted: int = 0
    delivered: int = 0
    hard: int = 0
    """Permanently refused by the recipient's server."""
    temporary: int = 0
    complained: int = 0

    @property
    def sent(self) -> int:
        return self.delivered + self.hard

    def add(self, kind: str, severity: str | None, reason: str | None, number: int = 1) -> None:
        """Add `number` events with these values of the `OUTCOME` fields."""
        if kind == "accepted":
            self.accepted += number
        elif kind == "delivered":
            self.delivered += number
        elif kind == "complained":
            self.complained += number
        elif kind == "failed" and severity == "temporary":
            self.temporary += number
        elif kind == "failed" and not (reason or "").startswith("suppress-"):
            self.hard += number


def count_outcomes(rows: CountedRows) -> OutcomeCounts:
    """Return the counts for events that are grouped by their values of `OUTCOME`."""
    counts = OutcomeCounts()
    for part in rows:
        for (kind, severity, reason), number in part.items():
            counts.add(kind, severity, reason, number)
    return counts


def counted_events(
    domain: Domain, start: float, paths: tuple[Path, ...] = OUTCOME
) -> Iterator["Counter[tuple[Any, ...]]"]:
    """Yield counters: combination of values at `paths` -> number of the domain's events since `start` that have it."""
    return map(Counter, domain.events.rows(EventRange(low=start, kinds=COUNTED), paths))


def bounce_rate(counts: OutcomeCounts) -> float:
    return _rate(counts.hard, counts.sent)


def complaint_rate(counts: OutcomeCounts) -> float:
    return _rate(counts.complained, counts.delivered)


def delivered_rate(counts: OutcomeCounts) -> float:
    return _rate(counts.delivered, counts.sent)


def temporary_rate(counts: OutcomeCounts) -> float:
    return _rate(counts.temporary, counts.sent + counts.temporary)


def _rate(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
