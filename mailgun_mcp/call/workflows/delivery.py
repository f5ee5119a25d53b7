"""`explain_delivery` and `find_recipient`: what happened to mail, and what would stop more of it."""

from typing import Any

from mailgun_mcp.call.workflows.delivery_failures import refusal_findings
from mailgun_mcp.call.workflows.domain_signals import stop_findings
from mailgun_mcp.call.workflows.findings import Finding, in_order
from mailgun_mcp.call.workflows.queries import DEFAULT_DAYS, LIMIT, WARMUPS, Request, logs
from mailgun_mcp.call.workflows.reads import Read, Reads
from mailgun_mcp.call.workflows.suppressions import address_requests, is_listed, suppression_findings
from mailgun_mcp.catalogue.workflow_tools import MOST_DOMAINS

SHOWN = ["id", "event", "recipient", "domain", "message", "tags", "severity", "reason", "delivery-status", "@timestamp"]
MOST_SHOWN = 8
MOST_LISTS = 20
DELIVERY = ["accepted", "delivered", "failed", "rejected", "opened", "clicked", "unsubscribed", "complained"]


async def explain_delivery(reads: Reads) -> tuple[list[Finding], dict[str, Any]]:
    """Return what happened to mail of a domain, and why."""
    arguments = reads.arguments
    domain, recipient = arguments["domain"], arguments.get("recipient")
    days = int(arguments.get("days", DEFAULT_DAYS))
    about = {"recipient": recipient, "message_id": arguments.get("message_id")}
    requests: dict[str, Request] = {
        "events": logs(days, DELIVERY if any(about.values()) else ["failed"], SHOWN, domain=domain, **about),
        "failures": logs(days, ["failed"], domain=domain),
        "domain": ("get_domain", {"domain": domain}),
        "limit": LIMIT,
        "warmups": WARMUPS,
    }
    if recipient:
        requests |= address_requests(domain, recipient)
    read = await reads.all(requests)
    findings = [
        *stop_findings(read["domain"], read["limit"]),
        *(suppression_findings(read, domain, recipient) if recipient else ()),
        # What other recipients' servers say explains the mail of this one only where it failed as well.
        *(
            refusal_findings(read["failures"], read["warmups"])
            if not any(about.values()) or _failed(read["events"])
            else ()
        ),
    ]
    return in_order(findings), {"events": _events(read["events"]), "events_from": read["events"].source}


async def find_recipient(reads: Reads) -> tuple[list[Finding], dict[str, Any]]:
    """Return all that the account has about an address."""
    arguments = reads.arguments
    address, only, tags = arguments["address"], arguments.get("domain"), arguments.get("tags")
    first = await reads.all(
        {
            "domains": ("list_domains", {}),
            "lists": ("list_mailing_lists", {}),
            "events": logs(30, DELIVERY, SHOWN, recipient=address, domain=only),
        }
    )
    names = [only] if only else [item["name"] for item in first["domains"].items if item.get("state") == "active"]
    lists = (
        [item["address"] for item in first["lists"].items][:MOST_LISTS]
        if reads.offers("get_mailing_list_member")
        else []
    )
    requests: dict[str, Request] = {}
    for name in names[:MOST_DOMAINS]:
        requests |= address_requests(name, address)
    for each in lists:
        requests[f"member {each}"] = ("get_mailing_list_member", {"list_address": each, "member_address": address})
    read = await reads.all(requests)
    findings = [finding for name in names[:MOST_DOMAINS] for finding in suppression_findings(read, name, address, tags)]
    blocked = {name for name in names[:MOST_DOMAINS] if suppression_findings(read, name, address, tags)}
    facts = {
        "would_reach": {name: name not in blocked for name in names[:MOST_DOMAINS]},
        "allowlisted": [name for name in names[:MOST_DOMAINS] if is_listed(read[f"{name} allowed"])],
        "mailing_lists": [each for each in lists if (read[f"member {each}"].result.get("member") or {}).get("address")],
        "events": _events(first["events"]),
        "events_from": first["events"].source,
        **({"domains_not_read": names[MOST_DOMAINS:]} if names[MOST_DOMAINS:] else {}),
    }
    return in_order(findings), facts


def _failed(events: Read) -> bool:
    return any(event.get("event") == "failed" for event in events.items)


def _events(events: Read) -> list[dict[str, Any]]:
    """Return the newest events with what explains them."""
    shown = []
    for event in events.items[:MOST_SHOWN]:
        status = event.get("delivery-status") or {}
        headers = (event.get("message") or {}).get("headers") or {}
        fields = {
            "at": event.get("@timestamp"),
            "event": event.get("event"),
            "id": event.get("id"),
            "recipient": event.get("recipient"),
            "subject": headers.get("subject"),
            "message_id": headers.get("message-id"),
            "reason": event.get("reason"),
            "code": status.get("code"),
            "server_said": status.get("message"),
        }
        shown.append({name: value for name, value in fields.items() if value})
    return shown
