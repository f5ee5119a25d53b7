"""`deliverability_report` and `compare_domains`: numbers of a period, and what went wrong in it."""

from typing import Any

from mailgun_mcp.call.workflows.api_keys import accepted, key_findings
from mailgun_mcp.call.workflows.delivery_failures import refusal_findings
from mailgun_mcp.call.workflows.domain_signals import limit_finding, state_findings, unverified_findings
from mailgun_mcp.call.workflows.findings import Finding, in_order
from mailgun_mcp.call.workflows.metric_signals import (
    address_findings,
    complaint_findings,
    domains_without_clicks,
    table,
    totals,
)
from mailgun_mcp.call.workflows.queries import DEFAULT_DAYS, LIMIT, WARMUPS, failures, metrics
from mailgun_mcp.call.workflows.reads import Read, Reads
from mailgun_mcp.text.durations import iso

DAY = 86_400
MOST_TEMPLATES = 5


async def deliverability_report(reads: Reads) -> tuple[list[Finding], dict[str, Any]]:
    """Return the numbers of a period beside the one before, and what went wrong in it."""
    domain, days = reads.arguments.get("domain"), int(reads.arguments.get("days", DEFAULT_DAYS))
    period = {"duration": f"{days}d"}
    earlier = {"start": iso(reads.now - 2 * days * DAY), "end": iso(reads.now - days * DAY)}
    read = await reads.all(
        {
            "total": metrics([], period, domain),
            "before": metrics([], earlier, domain),
            "domains": metrics(["domain"], period, domain),
            "providers": metrics(["recipient_provider"], period, domain),
            "tags": metrics(["tag"], period, domain),
            "time": metrics(["domain", "time"], period, domain),
            "failures": failures(days, domain),
            "keys": accepted(days, domain),
            "states": ("list_domains", {}),
            "limit": LIMIT,
            "warmups": WARMUPS,
        }
    )
    keys = await key_findings(reads, read["keys"])
    findings = [
        limit_finding(read["limit"]),
        *(
            finding
            for finding in unverified_findings(read["states"])
            if not domain or finding.what.startswith(f"{domain} ")
        ),
        *refusal_findings(read["failures"], read["warmups"]),
        *keys,
        # Mail that somebody else sent with our key bounces too. Its cause is the key.
        *(() if keys else address_findings(read["tags"])),
        *complaint_findings(read["tags"]),
        *[await _click_finding(reads, name, read["time"]) for name in domains_without_clicks(read["time"])],
    ]
    facts = {
        "days": days,
        "total": totals(read["total"]),
        "period_before": totals(read["before"]),
        "by_domain": table(read["domains"]),
        "by_provider": table(read["providers"]),
        "by_tag": table(read["tags"]),
        "from": {name: read[name].source for name in ("total", "before", "domains", "providers", "tags")},
    }
    return in_order(findings), facts


async def compare_domains(reads: Reads) -> tuple[list[Finding], dict[str, Any]]:
    """Return the numbers and states of domains beside each other."""
    names, days = list(dict.fromkeys(reads.arguments["domains"])), int(reads.arguments.get("days", DEFAULT_DAYS))
    period = {"duration": f"{days}d"}
    read = await reads.all(
        {
            "domains": metrics(["domain"], period, names),
            "providers": metrics(["domain", "recipient_provider"], period, names),
            **{name: ("get_domain", {"domain": name}) for name in names},
        }
    )
    findings = [finding for name in names for finding in state_findings(read[name])]
    facts = {
        "days": days,
        "by_domain": table(read["domains"]),
        "by_domain_and_provider": table(read["providers"], most=30),
        "states": {name: (read[name].result.get("domain") or {}).get("state", "not read") for name in names},
        "from": {name: one.source for name, one in read.items()},
    }
    return in_order(findings), facts


async def _click_finding(reads: Reads, domain: str, by_day: Read) -> Finding:
    """Return a finding if clicks stopped, with the template versions that became active."""
    sources, versions = [by_day.source], []
    if reads.offers("list_template_versions") and reads.offers("list_templates"):
        templates = (await reads.all({"templates": ("list_templates", {"domain": domain})}))["templates"]
        names = [item["name"] for item in templates.items[:MOST_TEMPLATES]]
        calls = {name: ("list_template_versions", {"domain": domain, "template_name": name}) for name in names}
        for name, read in (await reads.all(calls)).items():
            template = read.result.get("template") or {}
            sources.append(read.source)
            versions += [
                {"template": name, "version": one.get("tag"), "created_at": one.get("createdAt")}
                for one in template.get("versions") or ()
                if one.get("active")
            ]
    return Finding(
        "clicks_stopped",
        f"Mail of {domain} is opened as before, and no longer clicked. So it reaches the inbox, and the fault is in "
        "its links.",
        "Read the active version with get_template_version. Repair its links, or activate the previous version.",
        tuple(sources),
        versions or None,
    )
