"""`check_domain_health`: what to fix about a domain, the most urgent first."""

from typing import Any

from mailgun_mcp.call.workflows.api_keys import accepted, key_findings
from mailgun_mcp.call.workflows.delivery_failures import refusal_findings
from mailgun_mcp.call.workflows.domain_signals import dns_facts, queue_findings, stop_findings
from mailgun_mcp.call.workflows.findings import Finding, in_order
from mailgun_mcp.call.workflows.metric_signals import address_findings, complaint_findings, totals
from mailgun_mcp.call.workflows.queries import LIMIT, WARMUPS, failures, metrics
from mailgun_mcp.call.workflows.reads import Reads

DAYS = 7


async def check_domain_health(reads: Reads) -> tuple[list[Finding], dict[str, Any]]:
    """Return findings and facts about a domain."""
    domain = reads.arguments["domain"]
    period = {"duration": f"{DAYS}d"}
    read = await reads.all(
        {
            "domain": ("get_domain", {"domain": domain}),
            "tracking": ("get_tracking_settings", {"domain": domain}),
            "queues": ("get_sending_queues", {"domain": domain}),
            "limit": LIMIT,
            "warmups": WARMUPS,
            "failures": failures(DAYS, domain),
            "total": metrics([], period, domain),
            "tags": metrics(["tag"], period, domain),
            "keys": accepted(DAYS, domain),
        }
    )
    stopped = stop_findings(read["domain"], read["limit"])
    keys = await key_findings(reads, read["keys"])
    findings = [
        *stopped,
        # Otherwise they would say the same again.
        *(() if stopped else queue_findings(read["queues"], domain)),
        *refusal_findings(read["failures"], read["warmups"]),
        *keys,
        *(() if keys else address_findings(read["tags"])),
        *complaint_findings(read["tags"]),
    ]
    tracking = read["tracking"].result.get("tracking") or {}
    facts = {
        "state": (read["domain"].result.get("domain") or {}).get("state"),
        "dns": dns_facts(read["domain"]),
        "dmarc": f"Mailgun does not check it: look up the TXT record of _dmarc.{domain} in the DNS.",
        "tracking": {name: value.get("active") for name, value in tracking.items() if isinstance(value, dict)},
        f"last_{DAYS}_days": totals(read["total"]),
    }
    return in_order(findings), facts
