"""What is suppressed: for one address, and what of a domain's lists could go."""

from typing import Any

from mailgun_mcp.call.workflows.delivery_failures import BLOCKLISTED, SLOWED, UNSIGNED
from mailgun_mcp.call.workflows.findings import Finding
from mailgun_mcp.call.workflows.queries import Request
from mailgun_mcp.call.workflows.reads import Read, Reads, plain

GETS = {"bounce": "get_bounce", "complaint": "get_complaint", "unsubscribe": "get_unsubscribe"}
ALLOWED = "get_allowlist_entry"
WHAT = {
    "bounce": "is on the bounce list of {domain}, so mail to it is not sent",
    "complaint": "reported mail of {domain} as spam, so mail to it is not sent",
    "unsubscribe": "unsubscribed from {domain}{tags}, so that mail is not sent",
}
DO = {
    "bounce": "If the person confirms that the mailbox works again, remove this one address with delete_bounce.",
    "complaint": "Leave it. Only the person can change this.",
    "unsubscribe": "Leave it. Only the person can change this.",
}
MOST_SHOWN = 15
MAILBOX_FULL = ("mailbox full", "over quota", "5.2.2", "4.2.2", "insufficient storage")
PASSING = {
    "the receiving server refused our server, not the address": (UNSIGNED, BLOCKLISTED),
    "the receiving server asked to try later": (SLOWED,),
}


def address_requests(domain: str, address: str) -> dict[str, Request]:
    """Ask all lists of a domain about an address. The names have the domain in front."""
    asked: dict[str, Request] = {
        f"{domain} {kind}": (tool, {"domain": domain, "address": address}) for kind, tool in GETS.items()
    }
    return {**asked, f"{domain} allowed": (ALLOWED, {"domain": domain, "value": address})}


def suppression_findings(
    read: dict[str, Read], domain: str, address: str, tags: list[str] | None = None
) -> list[Finding]:
    """Return on which lists of the domain the address is. With `tags`, an unsubscribe from others does not count."""
    findings = []
    for kind, tool in GETS.items():
        entry = read[f"{domain} {kind}"]
        if not is_listed(entry):
            continue
        unsubscribed = [tag for tag in entry.result.get("tags") or () if tag != "*"] if kind == "unsubscribe" else []
        if unsubscribed and tags is not None and not set(unsubscribed) & set(tags):
            continue
        from_tags = f" (tags {', '.join(map(str, unsubscribed))})" if unsubscribed else ""
        what = WHAT[kind].format(domain=domain, tags=from_tags)
        entry_facts = {
            "tool": tool,
            **{key: entry.result[key] for key in ("code", "error", "created_at") if key in entry.result},
        }
        findings.append(Finding("suppressed", f"{address} {what}.", DO[kind], (entry.source,), entry_facts))
    return findings


def is_listed(entry: Read) -> bool:
    """Return whether what was asked for is on the list."""
    return bool(entry.result) and entry.result.get("listed", True) is not False


async def plan_suppression_cleanup(reads: Reads) -> tuple[list[Finding], dict[str, Any]]:
    """Return which suppressions of a domain could be removed."""
    domain = reads.arguments["domain"]
    lists = {
        name: (f"list_{name}", {"domain": domain}) for name in ("bounces", "complaints", "unsubscribes", "allowlist")
    }
    read = await reads.all(lists)
    could_go: list[dict[str, Any]] = []
    stay: list[dict[str, Any]] = []
    for entry in read["bounces"].items:
        reason = _passing(plain(entry.get("error")))
        (could_go if reason else stay).append({**entry, **({"why": reason} if reason else {})})
    facts = {
        "could_go": could_go[:MOST_SHOWN],
        "could_go_more": len(could_go) > MOST_SHOWN,
        "leave": {
            "bounces": "the address does not exist, or the reason is not clear: mail would bounce again",
            "complaints": "their owners reported the mail as spam",
            "unsubscribes": "their owners unsubscribed",
            "examples": [entry.get("address") for entry in stay[:MOST_SHOWN]],
        },
        "first_page_only": [name for name, one in read.items() if one.result.get("next")],
        "from": {name: one.source for name, one in read.items()},
        "how": "delete_bounce removes one address, and asks a person. Nothing was removed.",
    }
    return [], facts


def _passing(error: str) -> str | None:
    """Return why a bounce may have passed, or None."""
    if any(words in error.lower() for words in MAILBOX_FULL):
        return "the mailbox was full"
    return next((why for why, patterns in PASSING.items() if any(each.search(error) for each in patterns)), None)
