"""What the state of a domain and of the account says: DNS, switches, limits."""

from typing import Any

from mailgun_mcp.call.workflows.findings import Finding
from mailgun_mcp.call.workflows.reads import Read


def state_findings(read: Read) -> list[Finding]:
    """Return what keeps a domain from sending, from what `get_domain` returned."""
    domain = read.result.get("domain") or {}
    name = domain.get("name")
    findings = []
    if domain.get("is_disabled") or domain.get("state") == "disabled":
        what = f"{name} is disabled, so it sends nothing."
        findings.append(Finding("domain_not_active", what, "Ask Mailgun support why.", (read.source,)))
    missing = [record for record in read.result.get("sending_dns_records") or () if record.get("valid") != "valid"]
    if missing:
        kinds = ", ".join(dict.fromkeys(map(_kind, missing)))
        unverified = domain.get("state") == "unverified"
        what = f"{name}: the DNS has no valid {kinds} record."
        if unverified:
            what += " The domain is not verified, so it cannot send."
        findings.append(
            Finding(
                "dns_record_missing",
                what,
                "Add the records as shown, then call verify_domain.",
                (read.source,),
                [
                    {"type": record.get("record_type"), "name": record.get("name"), "value": record.get("value")}
                    for record in missing
                ],
            )
        )
    elif domain.get("state") == "unverified":
        what = f"{name} is not verified, so it cannot send."
        findings.append(Finding("domain_not_active", what, "Call verify_domain.", (read.source,)))
    return findings


def stop_findings(domain: Read, limit: Read) -> list[Finding]:
    """Return what keeps a domain from sending: its own state, or the account's limit."""
    reached = limit_finding(limit)
    return [*([reached] if reached else ()), *state_findings(domain)]


def dns_facts(read: Read) -> list[dict[str, Any]]:
    """Return the DNS records with their state and the length of keys, without their values."""
    return [
        {
            "record": _kind(record),
            "name": record.get("name"),
            "valid": record.get("valid"),
            **({"key_bits": record["key_bits"]} if "key_bits" in record else {}),
        }
        for record in read.result.get("sending_dns_records") or ()
    ]


def _kind(record: dict[str, Any]) -> str:
    value, name = str(record.get("value") or ""), str(record.get("name") or "")
    if "_domainkey" in name:
        return "DKIM"
    return "SPF" if value.startswith("v=spf1") else "tracking CNAME" if record.get("record_type") == "CNAME" else "TXT"


def unverified_findings(domains: Read) -> list[Finding]:
    """Return the domains that cannot send, from what `list_domains` returned."""
    return [
        Finding(
            "domain_not_active",
            f"{domain['name']} is {'disabled' if domain.get('is_disabled') else domain.get('state')}, so it cannot send.",
            f"check_domain_health of {domain['name']} says what is missing.",
            (domains.source,),
        )
        for domain in domains.items
        if domain.get("state") != "active" or domain.get("is_disabled")
    ]


def limit_finding(read: Read) -> Finding | None:
    """Return a finding if the account has used up its sending limit."""
    limit, current = read.result.get("limit"), read.result.get("current")
    if not isinstance(limit, int) or not isinstance(current, int) or current < limit:
        return None
    return Finding(
        "sending_limit_reached",
        f"The account has sent {current} messages of a limit of {limit} in this period, so no domain can send.",
        "The owner should find out why so much was sent, and decide whether to raise the limit. It may be there on "
        "purpose.",
        (read.source,),
        {"limit": limit, "current": current},
    )


def queue_findings(read: Read, domain: str) -> list[Finding]:
    """Return the queues of a domain that are stopped."""
    stopped = [name for name, queue in read.result.items() if isinstance(queue, dict) and queue.get("is_disabled")]
    return [
        Finding(
            "domain_not_active",
            f"The {name} queue of {domain} is stopped: {read.result[name].get('disabled', {}).get('reason') or 'no reason given'}.",
            "Ask Mailgun support, or wait until the time that the reason names.",
            (read.source,),
            read.result[name].get("disabled"),
        )
        for name in stopped
    ]
