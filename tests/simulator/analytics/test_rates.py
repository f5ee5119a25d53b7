"""Rates of recent mail: suppressed mail is not sent mail, temporary failures are not bounces."""

from collections import Counter
from typing import Any

from mailgun_mcp.simulator.analytics.rates import (
    OutcomeCounts,
    bounce_rate,
    complaint_rate,
    count_outcomes,
    counted_events,
    delivered_rate,
    temporary_rate,
)
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.packed_events import MailEvent


def event(kind: str, at: float = 0.0, **more: Any) -> MailEvent:
    return MailEvent(at, int(at), {"event": kind, **more})


def test_outcomes_are_counted_by_kind() -> None:
    domain = Domain("1", "d.example", 0.0)
    for happened in (
        *(event("accepted"), event("delivered"), event("delivered"), event("complained"), event("opened")),
        event("failed", severity="temporary"),
        event("failed", severity="permanent", reason="bounce"),
        event("failed", severity="permanent", reason="suppress-bounce"),
    ):
        domain.events.append(happened)
    counts = count_outcomes(counted_events(domain, 0.0))
    assert counts == OutcomeCounts(accepted=1, delivered=2, hard=1, temporary=1, complained=1)
    assert counts.sent == 3
    assert (bounce_rate(counts), delivered_rate(counts)) == (0.333333, 0.666667)
    assert (complaint_rate(counts), temporary_rate(counts)) == (0.5, 0.25)


def test_rates_of_nothing_are_zero() -> None:
    assert {rate(OutcomeCounts()) for rate in (bounce_rate, delivered_rate, complaint_rate, temporary_rate)} == {0.0}


def test_only_counted_events_since_the_start_are_read() -> None:
    domain = Domain("1", "d.example", 0.0)
    for number, kind in enumerate(("accepted", "opened", "delivered", "delivered"), 1):
        domain.events.append(event(kind, float(number)))
    assert list(counted_events(domain, 2.0)) == [Counter({("delivered", None, None): 2})]
