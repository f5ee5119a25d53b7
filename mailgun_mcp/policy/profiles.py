"""The four built-in policies: read-only, guarded (the default), strict, unguarded."""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import UTC
from functools import cache
from hashlib import sha256
from typing import Any

from mailgun_mcp.policy.conditions import compile_match
from mailgun_mcp.policy.model import (
    NOTHING_MATCHED,
    CallLimits,
    Decision,
    DecisionEffect,
    Policy,
    Rule,
    SendRules,
    UndoRules,
)
from mailgun_mcp.text.suggest import unknown

READ_ONLY_OTHERWISE = Decision("deny", "read-only/otherwise", "the policy read-only allows reads only")

CHANGING = ["write", "send", "destructive", "credential", "billing"]
SESSION = "session"
FEW = 10
CONFIRM_PER_HOUR = 50
"""Recipients per hour above which `guarded` and `strict` ask, however small each send is."""
ADDRESSES_PER_HOUR = 50
"""Addresses put on suppression lists, mailing lists and routes per hour above which they ask."""
ASKING = ("guarded", "strict")


@dataclass(frozen=True, slots=True)
class ProfileRule:
    """A rule of a profile, as data."""

    name: str
    """Never changes: audit logs contain it as `PROFILE/NAME`."""
    effect: DecisionEffect
    match: Mapping[str, Any]
    reason: str


PROFILES: dict[str, tuple[ProfileRule, ...]] = {
    "read-only": (ProfileRule("reads", "allow", {"risk": "read"}, "reads are allowed"),),
    "guarded": (
        ProfileRule(
            "send-after-untrusted",
            "confirm",
            {"risk": ["send", "destructive"], "after_untrusted": SESSION},
            "third-party text was shown in this session, and may have asked for this",
        ),
        ProfileRule(
            "destination-after-untrusted",
            "confirm",
            {"risk": "write", "destinations": "*", "after_untrusted": SESSION},
            "it would send data out, and third-party text was shown in this session",
        ),
        ProfileRule(
            "write-after-untrusted",
            "confirm",
            {"risk": "write", "bulk": True, "after_untrusted": SESSION},
            "it changes many things, and third-party text was shown in this session",
        ),
        ProfileRule(
            "lasting-write-after-untrusted",
            "confirm",
            {"risk": "write", "reversible": ["part", "no"], "after_untrusted": SESSION},
            "it cannot be put back completely, and third-party text was shown in this session",
        ),
        ProfileRule("reads-and-writes", "allow", {"risk": ["read", "write"]}, "reads and writes are allowed"),
        ProfileRule(
            "small-send",
            "allow",
            {"risk": "send", "recipients": {"at_most": FEW}},
            "a send to a few recipients is allowed",
        ),
        ProfileRule("large-send", "confirm", {"risk": "send"}, f"it can reach more than {FEW} recipients"),
        ProfileRule(
            "destructive",
            "confirm",
            {"risk": "destructive"},
            "it removes or overwrites something, changes whether mail flows, or allows mail to someone who opted out",
        ),
        ProfileRule(
            "credential",
            "confirm",
            {"risk": "credential"},
            "it creates, changes or shows a key or password, or changes who gets in",
        ),
        ProfileRule("billing", "confirm", {"risk": "billing"}, "it costs money"),
    ),
    "strict": (
        ProfileRule("reads", "allow", {"risk": "read"}, "reads are allowed"),
        ProfileRule("changes", "confirm", {"risk": CHANGING}, "everything except a read is confirmed"),
    ),
    "unguarded": (ProfileRule("everything", "allow", {}, "the operator started the server without guard rails"),),
}


@cache
def profile(name: str) -> Policy:
    """Return the profile called `name`. Raises LookupError, with a suggestion, if there is none."""
    if name not in PROFILES:
        raise LookupError(unknown("policy", name, PROFILES))
    rules = PROFILES[name]
    return Policy(
        name=name,
        rules=tuple(
            Rule(f"{name}/{rule.name}", compile_match(rule.match, rule.effect, UTC), rule.effect, reason=rule.reason)
            for rule in rules
        ),
        send=(SendRules(confirm_per_hour=CONFIRM_PER_HOUR),) if name in ASKING else (),
        limits=(CallLimits(confirm_addresses_per_hour=ADDRESSES_PER_HOUR),) if name in ASKING else (),
        undo=UndoRules(too_many="allow") if name == "unguarded" else UndoRules(),
        otherwise=READ_ONLY_OTHERWISE if name == "read-only" else NOTHING_MATCHED,
        digest=sha256(
            json.dumps(
                [name, CONFIRM_PER_HOUR, ADDRESSES_PER_HOUR, [astuple(rule) for rule in rules]], sort_keys=True
            ).encode()
        ).hexdigest(),
    )
