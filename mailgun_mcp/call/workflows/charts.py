"""`chart_metrics`: figures of `query_metrics` as a picture. Nothing is computed: what is drawn is what was returned."""

from typing import Any

from mailgun_mcp.call.shorten import utc
from mailgun_mcp.call.workflows.chart_picture import MIME_TYPES, Chart, check_installed, draw
from mailgun_mcp.call.workflows.findings import Finding
from mailgun_mcp.call.workflows.metric_signals import rows
from mailgun_mcp.call.workflows.queries import DEFAULT_DAYS, where
from mailgun_mcp.call.workflows.reads import Reads
from mailgun_mcp.errors import CallError
from mailgun_mcp.output.untrusted import FENCE
from mailgun_mcp.store.database import in_thread

MOST_BARS = 8
HIDDEN = "(third-party text)"
"""Stands in a picture for a name that third parties wrote: a picture cannot be fenced."""
SERIES = {
    "delivery": {
        "delivered": "delivered_count",
        "failed": "permanent_failed_count",
        "delayed": "temporary_failed_count",
    },
    "opens": {"opened": "opened_count", "clicked": "clicked_count"},
    "bounces": {"hard": "hard_bounces_count", "soft": "soft_bounces_count"},
    "complaints": {"complaints": "complained_count", "unsubscribes": "unsubscribed_count"},
}
"""What is charted -> name in the legend -> metric."""
UNITS = {"delivery": "messages", "opens": "events", "bounces": "messages", "complaints": "messages"}
DIMENSIONS = {"time": "time", "domain": "domain", "provider": "recipient_provider", "tag": "tag"}
BY = {"time": "day", "domain": "domain", "provider": "provider", "tag": "tag"}


async def chart_metrics(reads: Reads) -> tuple[list[Finding], dict[str, Any]]:
    """Draw a chart, and return its figures."""
    arguments = reads.arguments
    # A client that draws the figures itself gets a picture if the model asks for one.
    picture_wanted = not reads.client_draws or "format" in arguments
    if picture_wanted:
        check_installed()
    metric, by = arguments["metric"], arguments.get("by", "time")
    days, domain = int(arguments.get("days", DEFAULT_DAYS)), arguments.get("domain")
    series = SERIES[metric]
    query = {
        "duration": f"{days}d",
        "resolution": "day",
        "dimensions": [DIMENSIONS[by]],
        "metrics": list(series.values()),
        **where(domain=domain),
    }
    read = (await reads.all({"figures": ("query_metrics", query)}))["figures"]
    figures = [
        {"of": values[0] if values else "", **{name: metrics.get(name, 0) for name in series.values()}}
        for values, metrics in rows(read)
    ]
    figures = _by_time(figures) if by == "time" else _largest(figures, list(series.values()))
    facts: dict[str, Any] = {
        "chart": f"{metric} by {BY[by]}",
        **({"domain": domain} if domain else {}),
        "unit": UNITS[metric],
        "days": days,
        "legend": series,
        "figures": figures,
        "from": read.source,
    }
    if not figures:
        raise CallError(f"There is nothing to draw: query_metrics returned no {metric} for these days.")
    if picture_wanted:
        form = arguments.get("format", "png")
        facts["picture"] = reads.show(await in_thread(draw, _chart(facts, metric, series, by), form), MIME_TYPES[form])
    return [], facts


def _chart(facts: dict[str, Any], metric: str, series: dict[str, str], by: str) -> Chart:
    domain, figures = facts.get("domain"), facts["figures"]
    return Chart(
        f"{metric.capitalize()} by {BY[by]}{f', {domain}' if domain else ''}",
        facts["unit"],
        [HIDDEN if FENCE in figure["of"] else figure["of"] for figure in figures],
        {name: [figure[of] for figure in figures] for name, of in series.items()},
        by == "time",
    )


def _by_time(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures in the order of time, with times as they are written elsewhere."""
    return sorted(({**figure, "of": utc(figure["of"])} for figure in figures), key=lambda figure: str(figure["of"]))


def _largest(figures: list[dict[str, Any]], metrics: list[str]) -> list[dict[str, Any]]:
    """Return the figures of the largest, the largest first. Those without any are left out."""
    counted = [figure for figure in figures if any(figure[name] for name in metrics)]
    return sorted(counted, key=lambda figure: -max(figure[name] for name in metrics))[:MOST_BARS]
