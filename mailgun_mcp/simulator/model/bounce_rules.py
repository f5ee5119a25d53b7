"""Classifies failures with a small table of the reasons why mailbox providers and spam filters refuse mail."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from zlib import crc32

Criticality = Literal["critical", "non-critical"]

ENTITIES = {
    "gmail": "Gmail",
    "yahoo": "Yahoo",
    "hotmail": "Microsoft (Hotmail)",
    "apple": "Apple",
    "spamhaus": "Spamhaus",
    "barracuda": "Barracuda",
    "proofpoint": "Proofpoint",
    "mimecast": "Mimecast",
    "other": "Other",
}
"""Id -> name of a mailbox provider or spam filter."""

FILTERS = ("spamhaus", "barracuda", "proofpoint", "mimecast")
"""Entities that are recognized by the text of the refusal, not by the recipient's domain."""
PROVIDERS = {"Gmail": "gmail", "Yahoo": "yahoo", "Outlook": "hotmail", "Apple": "apple"}


@dataclass(frozen=True, slots=True)
class BounceGroup:
    """A reason for refusals that is common to all entities."""

    id: str
    category: str
    criticality: Criticality
    pattern: re.Pattern[str]
    sample: str
    explanation: str
    short: str


@dataclass(frozen=True, slots=True)
class BounceRule:
    """One entity's form of a reason."""

    id: str
    entity: str
    group: BounceGroup


def _group(
    identifier: str, category: str, criticality: Criticality, pattern: str, sample: str, explanation: str, short: str
) -> BounceGroup:
    return BounceGroup(
        identifier, category, criticality, re.compile(pattern, re.IGNORECASE), sample, explanation, short
    )


GROUPS = (
    _group(
        "blocklisted",
        "BLOCKLIST",
        "critical",
        r"block ?list|blacklist|spamhaus|rbl|listed (on|by|at)|blocked using",
        "5.7.1 Service unavailable; client host blocked using a blocklist",
        "The sending IP address or domain is on a blocklist. Find out why, and ask for removal.",
        "Sender is on a blocklist",
    ),
    _group(
        "authentication",
        "AUTHENTICATION",
        "critical",
        r"5\.7\.2[0-9]|dmarc|dkim|\bspf\b|unauthenticated",
        "5.7.26 This mail is unauthenticated: SPF and DKIM did not pass",
        "The mail did not pass SPF, DKIM or DMARC. Check the DNS records of the sending domain.",
        "Authentication failed",
    ),
    _group(
        "spam-content",
        "SPAM",
        "critical",
        r"\bspam\b|junk|content (rejected|blocked)|5\.7\.350",
        "5.7.1 Message rejected as spam",
        "The content was taken for spam. Look at the text, the links and how the list was gathered.",
        "Content looks like spam",
    ),
    _group(
        "reputation",
        "ESPBLOCK",
        "critical",
        r"reputation|policy|access denied|5\.7\.[01]\b|suspicious",
        "5.7.1 Recipient address rejected: access denied",
        "The provider refuses mail of this sender because of its reputation or a policy of its own.",
        "Refused by policy",
    ),
    _group(
        "rate-limited",
        "RATE_LIMIT",
        "non-critical",
        r"\brate\b|too many|throttl|try again later|4\.7\.[0-9]+|greylist",
        "4.7.0 Too many messages, try again later",
        "The provider takes mail of this sender more slowly for now. Delivery is tried again.",
        "Slowed down",
    ),
    _group(
        "mailbox-full",
        "MAILBOX_FULL",
        "non-critical",
        r"[45]\.2\.2|quota|mailbox (is )?full|insufficient (system )?storage",
        "4.2.2 The mailbox is over quota",
        "The recipient's mailbox is full.",
        "Mailbox full",
    ),
    _group(
        "dns",
        "DNS",
        "non-critical",
        r"5\.4\.[0-9]+|\bdns\b|no mx|nxdomain",
        "5.4.310 DNS domain does not exist",
        "The recipient's domain does not exist or takes no mail.",
        "No mail server",
    ),
    _group(
        "invalid-recipient",
        "INVALID_RECIPIENT",
        "non-critical",
        r"5\.1\.[0-9]+|user unknown|does not exist|doesn't have a|mailbox unavailable|no such user|not found|invalid recipient",
        "5.1.1 The account does not exist",
        "The address does not exist. It was put on the bounce list.",
        "No such recipient",
    ),
    _group(
        "other",
        "OTHER",
        "non-critical",
        r"",
        "5.0.0 Message not accepted",
        "The recipient's server gave a reason that is not known.",
        "Not classified",
    ),
)


@cache
def all_rules() -> dict[str, BounceRule]:
    """Return all rules by id."""
    made = (_rule(entity, group) for entity in ENTITIES for group in GROUPS)
    return {rule.id: rule for rule in made}


def classify(record: dict[str, Any]) -> BounceRule | None:
    """Return the rule that matches a failure, or None for other events and for mail that never reached a server."""
    if record["event"] != "failed" or str(record.get("reason", "")).startswith("suppress-"):
        return None
    status = record.get("delivery-status", {})
    text = f"{status.get('enhanced-code', '')} {status.get('message', '')} {status.get('description', '')}"
    group = next(group for group in GROUPS if group.pattern.search(text))
    return _rule(_entity(text.lower(), record), group)


def provider_entity(record: dict[str, Any]) -> str:
    """Return the id of the mailbox provider that the mail is for."""
    return PROVIDERS.get(record.get("recipient-provider", ""), "other")


@cache
def _rule(entity: str, group: BounceGroup) -> BounceRule:
    return BounceRule(f"{crc32(f'{entity}/{group.id}'.encode()):08x}", entity, group)


def _entity(text: str, record: dict[str, Any]) -> str:
    by_text = next((entity for entity in FILTERS if entity in text), None)
    return by_text or provider_entity(record)
