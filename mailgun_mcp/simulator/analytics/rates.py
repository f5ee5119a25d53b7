"""Counts and rates of a domain's recent events, for reputation and thresholds."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.event_log import EventRange, MailEvent


@dataclass(slots=True)
class OutcomeCounts:
    """How many messages were accepted, delivered, refused, deferred and complained about."""

    accepted: int = 0
    delivered: int = 0
    hard: int = 0
    """Refused for good by the recipient's server."""
    temporary: int = 0
    complained: int = 0

    @property
    def sent(self) -> int:
        return self.delivered + self.hard

    def add(self, event: MailEvent) -> None:
        field = FIELDS.get(event.record["event"])
        if field:
            field(self, event)


def count_outcomes(events: Iterable[MailEvent]) -> OutcomeCounts:
    """Return the counts of `events`."""
    counts = OutcomeCounts()
    for event in events:
        counts.add(event)
    return counts


def counted_events(domain: Domain, start: float) -> Iterator[MailEvent]:
    """Yield the domain's events from `start` on that `OutcomeCounts` counts."""
    return domain.events.walk(EventRange(low=start, kinds=COUNTED))


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


def _accepted(counts: OutcomeCounts, _: MailEvent) -> None:
    counts.accepted += 1


def _delivered(counts: OutcomeCounts, _: MailEvent) -> None:
    counts.delivered += 1


def _failed(counts: OutcomeCounts, event: MailEvent) -> None:
    if event.record["severity"] == "temporary":
        counts.temporary += 1
    elif not event.record["reason"].startswith("suppress-"):
        counts.hard += 1


def _complained(counts: OutcomeCounts, _: MailEvent) -> None:
    counts.complained += 1


FIELDS: dict[str, Callable[[OutcomeCounts, MailEvent], None]] = {
    "accepted": _accepted,
    "delivered": _delivered,
    "failed": _failed,
    "complained": _complained,
}
COUNTED = frozenset(FIELDS)
