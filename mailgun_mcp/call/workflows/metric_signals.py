"""What metrics say about a period: addresses that do not exist, complaints, clicks that stopped."""

from collections.abc import Iterator
from typing import Any

from mailgun_mcp.call.workflows.findings import Finding
from mailgun_mcp.call.workflows.reads import Read

METRICS = [
    *("processed_count", "delivered_count", "hard_bounces_count", "temporary_failed_count", "opened_count"),
    *("clicked_count", "complained_count", "delivered_rate", "opened_rate", "clicked_rate", "complained_rate"),
]
FEW = 10
"""Fewer bounces than this prove nothing."""
UNFIT_SHARE = 0.08
"""The share of bounces above which a list is unfit. Lists lose fewer over time; providers become strict at about 5 %."""
COMPLAINED_PERCENT = 0.3
"""The rate above which large providers filter."""
FEW_COMPLAINTS = 3
CLICKED_BEFORE = 0.05
CLICKED_NOW = 0.02
ENOUGH_OPENS = 20


def rows(read: Read) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield the values of the dimensions of each row, and its metrics."""
    for item in read.items:
        yield tuple(str(each.get("value")) for each in item.get("dimensions") or ()), item.get("metrics") or {}


def table(read: Read, most: int = 12) -> list[dict[str, Any]]:
    """Return the rows with the most mail, as facts. What is zero is left out."""
    largest = sorted(rows(read), key=lambda row: -row[1].get("processed_count", 0))[:most]
    return [
        {"of": " ".join(values), **{name: value for name, value in metrics.items() if value}}
        for values, metrics in largest
    ]


def totals(read: Read) -> dict[str, Any]:
    """Return the metrics of a query without dimensions. What is zero is left out."""
    metrics = next((metrics for _, metrics in rows(read)), {})
    return {name: value for name, value in metrics.items() if value}


def address_findings(by_tag: Read) -> list[Finding]:
    """Return the tags whose mail went to many addresses that do not exist."""
    findings = []
    for (tag, *_), metrics in rows(by_tag):
        bounced, sent = metrics.get("hard_bounces_count", 0), metrics.get("processed_count", 0)
        if bounced >= FEW and bounced >= UNFIT_SHARE * sent:
            findings.append(
                Finding(
                    "unfit_addresses",
                    f"Many addresses of the mail with the tag {tag} do not exist: {bounced} of {sent} bounced for good.",
                    "Stop this mail and validate its list. Leave the bounces on the bounce list.",
                    (by_tag.source,),
                )
            )
    return findings


def complaint_findings(by_tag: Read) -> list[Finding]:
    """Return the tags whose mail is reported as spam."""
    return [
        Finding(
            "complaints",
            f"Recipients report mail with the tag {tag} as spam: {metrics['complained_count']} complaints, "
            f"{metrics['complained_rate']} % of what was delivered.",
            "Stop this mail. Those who complained are suppressed and must stay so. Gmail does not report complaints.",
            (by_tag.source,),
        )
        for (tag, *_), metrics in rows(by_tag)
        if metrics.get("complained_count", 0) >= FEW_COMPLAINTS
        and metrics.get("complained_rate", 0) >= COMPLAINED_PERCENT
    ]


def domains_without_clicks(by_day: Read) -> list[str]:
    """Return the domains whose mail is opened as before, and no longer clicked. The dimensions are domain and time."""
    days: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for (domain, day), metrics in rows(by_day):
        if metrics.get("opened_count", 0) >= ENOUGH_OPENS:
            days.setdefault(domain, []).append((day, metrics))
    stopped = []
    for domain, entries in days.items():
        (_, newest), *before = sorted(entries, reverse=True, key=lambda entry: entry[0])
        clicked_before = any(_clicked(metrics) >= CLICKED_BEFORE for _, metrics in before)
        if clicked_before and _clicked(newest) <= CLICKED_NOW:
            stopped.append(domain)
    return stopped


def _clicked(metrics: dict[str, Any]) -> float:
    share: float = metrics.get("clicked_count", 0) / metrics["opened_count"]
    return share
