"""Validates an address by its syntax, its domain, and the events of earlier mail to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from mailgun_mcp.request.formats import email as fault_of_address
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.event_log import EventRange, lookup_hash
from mailgun_mcp.simulator.replies.reply import Reply
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

LONGEST = 512
PROVIDERS = ("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "gmx.de", "proton.me")
NEAR = 0.85
"""The similarity (0 to 1) to a large provider's domain from which a domain counts as a typo of it."""
DISPOSABLE = frozenset({"mailinator.com", "10minutemail.com", "guerrillamail.com", "yopmail.com", "trashmail.com"})
ROLES = frozenset(
    {"abuse", "admin", "billing", "contact", "help", "hostmaster", "info", "no-reply", "noreply", "postmaster", "root"}
    | {"sales", "security", "support", "webmaster"}
)
NO_MAIL = (".invalid", ".test", ".localhost")
"""Domains that never accept mail (RFC 2606)."""
CATCH_ALL = "catchall."
ENGAGING = frozenset({"opened", "clicked"})


@dataclass(slots=True)
class _Verdict:
    result: str = "deliverable"
    risk: str = "low"
    reason: list[str] = field(default_factory=list)

    def be(self, result: str, risk: str, reason: str) -> None:
        self.result, self.risk = result, risk
        self.reason.append(reason)


@handles(
    "validate_email_address",
    fidelity="computed",
    note="by syntax, suppressions, events, known providers, roles and magic words; contacts no server",
)
def validate_email_address(account: Account, request: SimulatedRequest) -> Reply:
    return Reply(validated(account, request["address"].strip(), provider_lookup=request.get("provider_lookup", True)))


def validated(account: Account, address: str, *, provider_lookup: bool = True) -> dict[str, Any]:
    """Return the verdict on an address in the form of the API."""
    lower = address.lower()
    local, _, domain = lower.rpartition("@")
    answer: dict[str, Any] = {
        "address": address,
        "is_disposable_address": domain in DISPOSABLE,
        "is_role_address": local.partition("+")[0] in ROLES,
    }
    verdict = _Verdict()
    if len(address) > LONGEST or fault_of_address(lower):
        verdict.be(
            "undeliverable",
            "high",
            "malformed address; missing @ sign" if "@" not in address else "failed grammar check",
        )
    else:
        seen = list(_events(account, lower))
        _judge(account, lower, answer, verdict, is_known=bool(seen) or provider_lookup)
        answer |= _seen(seen)
    near = get_close_matches(domain, PROVIDERS, 1, NEAR) if domain not in PROVIDERS else []
    if near:
        answer["did_you_mean"] = f"{local}@{near[0]}"
    root = _root(local, domain)
    if root != lower and not fault_of_address(lower):
        answer["root_address"] = root
    return {**answer, "result": verdict.result, "risk": verdict.risk, "reason": verdict.reason}


def _judge(account: Account, address: str, answer: dict[str, Any], verdict: _Verdict, *, is_known: bool) -> None:
    """Set the verdict from the first certain sign. Special local parts are those of test recipients; see `delivery`."""
    local, _, domain = address.rpartition("@")
    if domain.endswith(NO_MAIL) or (get_close_matches(domain, PROVIDERS, 1, NEAR) and domain not in PROVIDERS):
        verdict.be("undeliverable", "high", "No MX records found for domain")
    elif local.startswith("bounce") or any(address in one.bounces for one in account.domains.values()):
        verdict.be("undeliverable", "high", "mailbox_does_not_exist")
    elif answer["is_disposable_address"]:
        verdict.be("do_not_send", "high", "mailbox_is_disposable_address")
    elif local.startswith("complain") or any(address in one.complaints for one in account.domains.values()):
        verdict.be("do_not_send", "high", "mailbox_complains")
    elif domain.startswith(CATCH_ALL):
        verdict.be("catch_all", "medium", "catch_all")
    elif local.startswith("defer") or not is_known:
        verdict.be("unknown", "unknown", "unknown_provider")
    elif answer["is_role_address"]:
        verdict.be("deliverable", "medium", "mailbox_is_role_address")


def _events(account: Account, address: str) -> Iterator[dict[str, Any]]:
    for domain in account.domains.values():
        for event in domain.events.walk(EventRange(hashes=frozenset({lookup_hash(address)}))):
            if str(event.record.get("recipient", "")).lower() == address:
                yield event.record


def _seen(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the recipient's reactions to earlier mail."""
    if not records:
        return {}
    engaging = [record for record in records if record["event"] in ENGAGING]
    complained = any(record["event"] == "complained" for record in records)
    behavior = "complainer" if complained else "engager" if engaging else "disengaged"
    bots = [record for record in engaging if (record.get("client-info") or {}).get("bot")]
    return {
        "engagement": {"engaging": bool(engaging), "behavior": behavior, "is_bot": bool(bots)},
        "last_seen": int(max(record["timestamp"] for record in records)),
    }


def _root(local: str, domain: str) -> str:
    """Return the mailbox behind an address that has a tag, or dots that its provider ignores."""
    local = local.partition("+")[0]
    return f"{local.replace('.', '') if domain == 'gmail.com' else local}@{domain}"
