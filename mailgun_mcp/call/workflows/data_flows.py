"""`audit_data_flows`: every place where mail and events leave the account."""

import re
from typing import Any
from urllib.parse import urlsplit

from mailgun_mcp.call.inbound_routes import matches, stops
from mailgun_mcp.call.workflows.findings import Finding, in_order
from mailgun_mcp.call.workflows.reads import Read, Reads
from mailgun_mcp.catalogue.workflow_tools import MOST_DOMAINS

DESTINATION = re.compile(r"""(?:forward|notify|store)\s*[(=]\s*(?:notify\s*=\s*)?["']([^"']+)["']""")
RECIPIENT = re.compile(r"""match_recipient\(\s*["'](.+?)["']\s*\)""")
LITERAL = re.compile(r"[\w.+-]+@[\w.-]+")


async def audit_data_flows(reads: Reads) -> tuple[list[Finding], dict[str, Any]]:
    """Return where mail and events go."""
    first = await reads.all(
        {
            "routes": ("list_routes", {}),
            "account": ("list_account_webhooks", {}),
            "lists": ("list_mailing_lists", {}),
            "alerts": ("list_send_alerts", {}),
            "domains": ("list_domains", {}),
        }
    )
    names = [item["name"] for item in first["domains"].items]
    hooks = await reads.all({name: ("list_domain_webhooks", {"domain": name}) for name in names[:MOST_DOMAINS]})
    urls = {name: _urls(read) for name, read in hooks.items()}
    routes = first["routes"].items
    facts = {
        "routes": [
            {
                "id": route.get("id"),
                "priority": route.get("priority"),
                "if": route.get("expression"),
                "to": _destinations(route),
            }
            for route in routes
        ],
        "domain_webhooks": {name: by_event for name, by_event in urls.items() if by_event},
        "account_webhooks": [
            {"id": hook.get("webhook_id"), "url": hook.get("url"), "events": hook.get("event_types")}
            for hook in first["account"].result.get("webhooks") or ()
        ],
        "mailing_lists": [
            {"address": item.get("address"), "members": item.get("members_count"), "access": item.get("access_level")}
            for item in first["lists"].items
        ],
        "alerts": [
            {"name": item.get("name"), "channels": item.get("alert_channels")} for item in first["alerts"].items
        ],
        "from": {name: read.source for name, read in {**first, **hooks}.items()},
        **({"domains_not_read": names[MOST_DOMAINS:]} if names[MOST_DOMAINS:] else {}),
    }
    findings = [_differing(name, urls[name], hooks[name]) for name in urls]
    return in_order([*findings, *_shadowed(routes, first["routes"])]), facts


def _urls(read: Read) -> dict[str, list[str]]:
    hooks = read.result.get("webhooks") or {}
    return {event: hook.get("urls") or [] for event, hook in hooks.items() if isinstance(hook, dict)}


def _destinations(route: dict[str, Any]) -> list[str]:
    return [destination for action in route.get("actions") or () for destination in DESTINATION.findall(str(action))]


def _differing(domain: str, by_event: dict[str, list[str]], read: Read) -> Finding | None:
    """Return a finding if events of one domain go to hosts that have none in common."""
    hosts = {event: {urlsplit(url).hostname for url in urls} for event, urls in by_event.items()}
    alone = [
        event
        for event, own in hosts.items()
        if own and not any(own & other for name, other in hosts.items() if name != event)
    ]
    if len(hosts) < 2 or not alone:
        return None
    return Finding(
        "webhooks_differ",
        f"{domain} sends events to different hosts: one of them may be out of date.",
        "Ask which host is right, and change the other with update_domain_webhook.",
        (read.source,),
        by_event,
    )


def _shadowed(routes: list[dict[str, Any]], read: Read) -> list[Finding]:
    """Return the routes that are not reached, because an earlier one matches the same recipient and stops."""
    ordered = sorted(routes, key=lambda route: route.get("priority") or 0)
    findings = []
    for position, later in enumerate(ordered):
        literal = LITERAL.fullmatch(_pattern(later).strip("^$").replace("\\", ""))
        for earlier in ordered[:position]:
            if literal and stops(earlier) and matches(str(earlier.get("expression")), literal[0], False):
                findings.append(
                    Finding(
                        "route_shadowed",
                        f"Mail to {literal[0]} does not reach the route {later.get('id')}: "
                        f"the route {earlier.get('id')} is tried first, matches it and stops.",
                        "Give the earlier route a higher priority number than the later one, or remove its stop().",
                        (read.source,),
                        {"goes_to": _destinations(earlier), "not_to": _destinations(later)},
                    )
                )
                break
    return findings


def _pattern(route: dict[str, Any]) -> str:
    expression = str(route.get("expression") or "")
    match = RECIPIENT.fullmatch(expression.strip())
    return match[1] if match else ""
