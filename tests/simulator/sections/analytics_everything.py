"""What the analytics need for every operation to find something."""

from typing import Any

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.mail.delivery import accept
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage

TEXT = "some text"
RANGE = {"start": "Mon, 16 Nov 2026 09:00:00 +0000", "end": "Wed, 18 Nov 2026 09:00:00 +0000", "duration": "2d"}


def _filter(attribute: str) -> dict[str, Any]:
    return {"AND": [{"attribute": attribute, "comparator": "=", "values": [{"value": "x"}]}]}


CHOSEN: dict[str, dict[str, Any]] = {
    "query_metrics": {
        **RANGE,
        "dimensions": ["time"],
        "filter": _filter("domain"),
        "pagination": {"sort": "time:asc", "limit": 5},
    },
    "query_usage_metrics": {
        **RANGE,
        "dimensions": ["time"],
        "filter": _filter("subaccount"),
        "pagination": {"sort": "time:asc", "limit": 5},
    },
    "query_bounce_classification": {
        **RANGE,
        "dimensions": ["entity-name", "timestamp"],
        "filter": _filter("entity-name"),
        "pagination": {"sort": "entity-name:asc", "limit": 5},
    },
    "list_bounce_classification_domains": {"query": "domain.name:mg.example.com"},
    "list_bounce_classification_events": {"rule_id": "1", "page": "", "sort": "@timestamp:desc"},
    "query_account_tags": {"pagination": {"sort": "tag:asc", "limit": 5}},
    **{
        name: {**RANGE, "event": ["accepted", "failed"]}
        for name in ("get_account_stats", "get_domain_stats", "get_domain_tag_stats")
    },
    "get_filtered_stats": {**RANGE, "event": ["accepted"], "filter": "domain:mg.example.com"},
}


def add_analytics(account: Account, domain: Domain) -> None:
    """Send mail with a tag: one that is clicked, one that bounces."""
    for number, local in enumerate(("click", "bounce")):
        recipient = f"{local}@x.example"
        message = StoredMessage(
            f"tagged-{number}", f"{number}@x.example", domain.name, account.clock.now(), "a@x.example", [recipient], {}
        )
        message.tags = [TEXT]
        accept(account, domain, message)
    domain.bounces.pop("bounce@x.example", None)
