"""The calls that several workflows make, as name of the tool and arguments."""

from typing import Any

from mailgun_mcp.call.workflows.delivery_failures import FIELDS
from mailgun_mcp.call.workflows.metric_signals import METRICS
from mailgun_mcp.catalogue.types import Arguments

Request = tuple[str, Arguments]
DEFAULT_DAYS = 7
MOST_EVENTS = 100
LIMIT: Request = ("get_account_sending_limit", {})
WARMUPS: Request = ("list_ip_warmups", {})


def where(**attributes: str | list[str] | None) -> dict[str, Any]:
    """Return the filter argument that wants each of the attributes to be one of these values; empty without any."""
    conditions = [
        {
            "attribute": name,
            "comparator": "=",
            "values": [{"value": one} for one in ([value] if isinstance(value, str) else value)],
        }
        for name, value in attributes.items()
        if value
    ]
    return {"filter": {"AND": conditions}} if conditions else {}


def failures(days: int, domain: str | None = None) -> Request:
    """Ask for the newest failures of a period."""
    return logs(days, ["failed"], domain=domain)


def logs(days: int, events: list[str], fields: list[str] | None = None, **attributes: str | None) -> Request:
    """Ask for the newest events of a period."""
    asked = {"duration": f"{days}d", "events": events, "fields": fields or FIELDS, "pagination": {"limit": MOST_EVENTS}}
    return "query_logs", {**{name: value for name, value in asked.items() if value}, **where(**attributes)}


def metrics(dimensions: list[str], period: Arguments, domain: str | list[str] | None = None) -> Request:
    """Ask for the metrics of a period."""
    grouped = {"dimensions": dimensions} if dimensions else {}
    return "query_metrics", {**period, **grouped, "metrics": METRICS, **where(domain=domain)}
