"""Compares thresholds with the account's current metrics and records which are crossed."""

import operator
import re
from collections.abc import Callable

from mailgun_mcp.simulator.analytics.rates import (
    OUTCOME,
    OutcomeCounts,
    bounce_rate,
    complaint_rate,
    counted_events,
    delivered_rate,
    temporary_rate,
)
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, HOUR, MINUTE
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.packed_events import Path
from mailgun_mcp.simulator.model.thresholds import Threshold, ThresholdHit
from mailgun_mcp.simulator.replies.give_way import Turn

PERIOD = re.compile(r"([1-9][0-9]{0,3})([mhd])")
UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}

COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
RATES: dict[str, Callable[[OutcomeCounts], float]] = {
    "hard_bounce_rate": bounce_rate,
    "temporary_fail_rate": temporary_rate,
    "delivered_rate": delivered_rate,
    "complained_rate": complaint_rate,
}
MATCH: dict[str, Callable[[str, list[str]], bool]] = {
    "=": lambda value, values: value in values,
    "!=": lambda value, values: value not in values,
    "contains": lambda value, values: any(text in value for text in values),
    "not contains": lambda value, values: not any(text in value for text in values),
    "<": lambda value, values: all(value < text for text in values),
    "<=": lambda value, values: all(value <= text for text in values),
    ">": lambda value, values: all(value > text for text in values),
    ">=": lambda value, values: all(value >= text for text in values),
}

SENDING_IP: Path = ("envelope", "sending-ip")
PROVIDER: Path = ("recipient-provider",)


def period_seconds(period: str) -> float | None:
    """Return the length in seconds of a period such as `1h`, or None when the text is not a period."""
    match = PERIOD.fullmatch(period)
    return int(match[1]) * UNITS[match[2]] if match else None


async def check_thresholds(account: Account) -> None:
    """Compare every threshold with the current metrics, and record the hits."""
    thresholds = account.administration.thresholds
    for threshold in list(thresholds.alerts.values()):
        rates = await _rates(account, threshold)
        # The threshold may have been deleted meanwhile.
        if threshold in thresholds.alerts.values():
            _record_hits(account, threshold, rates)
    for threshold in thresholds.limits.values():
        # The simulator makes no previews and no seed tests, so their number is always 0.
        _record_hits(account, threshold, {account.id: 0.0})


def _record_hits(account: Account, threshold: Threshold, metrics: dict[str, float]) -> None:
    now, hits = account.clock.now(), account.administration.thresholds.hits
    threshold.last_checked = now
    crossed = COMPARE[threshold.comparator]
    for value in sorted(metrics):
        if crossed(metrics[value], float(threshold.limit)):
            hit = hits.setdefault(
                (threshold.id, value), ThresholdHit(account.uuid(), threshold.id, value, now, now, metrics[value])
            )
            hit.triggered, hit.latest, hit.updated_at = True, metrics[value], now
    for (owner, value), hit in hits.items():
        metric = metrics.get(value)
        over = owner == threshold.id and (metric is None or not crossed(metric, float(threshold.limit)))
        if over and hit.triggered:
            hit.triggered, hit.updated_at = False, now
            hit.latest = hit.latest if metric is None else metric


async def _rates(account: Account, threshold: Threshold) -> dict[str, float]:
    """Return the metric for each value of the threshold's dimension that has sent mail."""
    start = account.clock.now() - (period_seconds(threshold.period) or HOUR)
    counts_by_value: dict[str, OutcomeCounts] = {}
    turn = Turn()
    owned = [(holder, domain) for holder in account.with_subaccounts() for domain in holder.domains.values()]
    for holder, domain in owned:
        for part in counted_events(domain, start, (*OUTCOME, SENDING_IP, PROVIDER)):
            for (kind, severity, reason, ip, provider), number in part.items():
                facts = _facts(holder, domain, ip or "", provider or "")
                if all(MATCH[one["comparator"]](facts[one["dimension"]], one["values"]) for one in threshold.filters):
                    counts = counts_by_value.setdefault(facts[threshold.dimension], OutcomeCounts())
                    counts.add(kind, severity, reason, number)
            await turn.give_way()
    rate = RATES[threshold.metric]
    return {
        value: rate(counts) for value, counts in counts_by_value.items() if value and counts.sent + counts.temporary
    }


def _facts(holder: Account, domain: Domain, ip: str, provider: str) -> dict[str, str]:
    return {
        "domain": domain.name,
        "ip": ip,
        "ip_pool": domain.administration.sending.pool_id or "",
        "recipient_provider": provider,
        "subaccount": holder.id,
    }
