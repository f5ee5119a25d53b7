"""What failed deliveries have in common: an unsigned domain, a blocklisted IP, a provider that slows down, suppressions."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from mailgun_mcp.call.workflows.findings import Finding
from mailgun_mcp.call.workflows.reads import Read, plain

FIELDS = ["id", "domain", "recipient", "recipient-provider", "severity", "reason", "delivery-status", "@timestamp"]
FEW = 3
"""Fewer refusals of one kind than this can be chance."""
UNSIGNED = re.compile(r"\b(?:DKIM|SPF|DMARC)\b|\bunauthenticated\b", re.IGNORECASE)
BLOCKLISTED = re.compile(r"blocked using|block ?list|blacklist|spamhaus|barracuda|\bDNSBL\b|\bRBL\b", re.IGNORECASE)
SLOWED = re.compile(r"defer|throttl|rate limit|too many|unexpected volume|try again later", re.IGNORECASE)
IP = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
BLOCKLIST = re.compile(r"\busing ([a-z0-9.-]{4,60})(?![a-z0-9.-]*[a-z0-9-])", re.IGNORECASE)
KNOWN_BLOCKLISTS = frozenset(
    {
        *("zen.spamhaus.org", "sbl.spamhaus.org", "xbl.spamhaus.org", "pbl.spamhaus.org", "dbl.spamhaus.org"),
        *("bl.spamcop.net", "b.barracudacentral.org", "bl.mailspike.net", "psbl.surriel.com", "ix.dnsbl.manitu.net"),
        *("dnsbl-1.uceprotect.net", "dnsbl-2.uceprotect.net", "dnsbl-3.uceprotect.net", "truncate.gbudb.net"),
        *("hostkarma.junkemailfilter.com", "dnsbl.sorbs.net", "spam.dnsbl.sorbs.net", "bl.score.senderscore.com"),
    }
)
"""The only names that are repeated outside a fence: in any other, a receiving server could hide an instruction."""


def refusal_findings(failures: Read, warmups: Read | None = None) -> list[Finding]:
    """Return what the failures of a period have in common."""
    causes = (_unsigned, _blocklisted, _slowed)
    findings = [cause(failures) for cause in causes]
    throttled = findings[-1]
    if throttled and warmups:
        findings[-1] = _with_warmup(throttled, failures, warmups)
    return [finding for finding in findings if finding]


def text_of(event: dict[str, Any]) -> str:
    """Return what the receiving server said, without the fence."""
    return plain((event.get("delivery-status") or {}).get("message"))


def _unsigned(failures: Read) -> Finding | None:
    events = [event for event in failures.items if UNSIGNED.search(text_of(event))]
    if len(events) < FEW:
        return None
    return Finding(
        "authentication_failed",
        f"Mail of {_domains(events)} is refused by {_providers(events)}, because its DKIM or SPF does not pass.",
        "Put the DNS records back that get_domain shows as not valid, then call verify_domain. The key itself is right.",
        (failures.source,),
        _refusal(events),
    )


def _blocklisted(failures: Read) -> Finding | None:
    events = [event for event in failures.items if BLOCKLISTED.search(text_of(event))]
    if len(events) < FEW:
        return None
    ips = ", ".join(_distinct(match[0] for event in events if (match := IP.search(text_of(event)))))
    named = (match[1].lower().rstrip(".") for event in events if (match := BLOCKLIST.search(text_of(event))))
    lists = ", ".join(_distinct(name for name in named if name in KNOWN_BLOCKLISTS))
    return Finding(
        "ip_blocklisted",
        f"Mail of {_domains(events)} is refused by {_providers(events)}: the IP {ips or '(not named)'} is on a blocklist"
        f"{f' ({lists})' if lists else ''}.",
        "A shared IP is Mailgun's: ask its support to have it delisted. For a dedicated IP, stop what caused it first.",
        (failures.source,),
        _refusal(events),
    )


def _slowed(failures: Read) -> Finding | None:
    events = [
        event for event in failures.items if event.get("severity") == "temporary" and SLOWED.search(text_of(event))
    ]
    if len(events) < FEW:
        return None
    return Finding(
        "throttled",
        f"Mail of {_domains(events)} is deferred by {_providers(events)}. It is tried again and usually arrives later.",
        "Send less to this provider for a few days. Nothing has to be removed or sent again.",
        (failures.source,),
        _refusal(events),
    )


def _with_warmup(finding: Finding, failures: Read, warmups: Read) -> Finding:
    named = {match[0] for event in failures.items if (match := IP.search(text_of(event)))}
    warming = [item for item in warmups.items if item.get("ip") in named]
    if not warming:
        return finding
    return Finding(
        finding.cause,
        f"{finding.what} The IP {warming[0]['ip']} is still warming up.",
        "Send less from this IP until the warm-up has advanced. Nothing has to be removed or sent again.",
        (*finding.sources, warmups.source),
        finding.evidence,
    )


def _refusal(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one of the refusals, as the log has it."""
    event = events[0]
    status = event.get("delivery-status") or {}
    fields = {"event": event.get("id"), "code": status.get("code"), "message": status.get("message")}
    return {name: value for name, value in fields.items() if value}


def _providers(events: Iterable[dict[str, Any]]) -> str:
    return _listed(event.get("recipient-provider") for event in events)


def _domains(events: Iterable[dict[str, Any]]) -> str:
    return _listed((event.get("domain") or {}).get("name") for event in events)


def _listed(names: Iterable[Any]) -> str:
    distinct = _distinct(name for name in names if isinstance(name, str))
    return ", ".join(sorted(distinct)) or "some"


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
