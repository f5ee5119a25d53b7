"""The four policies that ship: read-only, guarded (the default), strict, unguarded."""

import json
from collections.abc import Mapping
from datetime import UTC
from functools import cache
from hashlib import sha256
from typing import Any

from mailgun_mcp.policy.conditions import compile_match
from mailgun_mcp.policy.model import NOTHING_MATCHED, Decision, Effect, Policy, Rule, UndoRules
from mailgun_mcp.text.suggest import unknown

READ_ONLY_OTHERWISE = Decision("deny", "read-only/otherwise", "the policy read-only allows reads only")

CHANGING = ["write", "send", "destructive", "credential", "billing"]
LATELY = "15m"
FEW = 10
UPSERTING = ["add_mailing_list_member", "bulk_add_mailing_list_members", "import_mailing_list_members"]

PROFILES: dict[str, tuple[tuple[Effect, Mapping[str, Any], str], ...]] = {
    "read-only": (("allow", {"risk": "read"}, "reads are allowed"),),
    "guarded": (
        (
            "confirm",
            {"risk": ["send", "destructive"], "after_untrusted": LATELY},
            "text that a third party wrote was shown a short while ago, and may have asked for this",
        ),
        (
            "confirm",
            {"risk": "write", "destinations": "*", "after_untrusted": LATELY},
            "it would send data out, and text that a third party wrote was shown a short while ago",
        ),
        (
            "confirm",
            {"tool": UPSERTING, "arguments": {"upsert": True}},
            "with upsert it can bring back someone who unsubscribed",
        ),
        (
            "confirm",
            {"tool": ["update_ip_pool", "update_dynamic_pool"], "arguments": {"remove_ip": {"exists": True}}},
            "it takes an IP away from the domains that send through it",
        ),
        ("allow", {"risk": ["read", "write"]}, "reads and writes are allowed"),
        ("allow", {"risk": "send", "recipients": {"at_most": FEW}}, "a send to a few recipients is allowed"),
        ("confirm", {"risk": "send"}, f"it sends to more than {FEW} recipients"),
        ("confirm", {"risk": "destructive"}, "it removes something, or lets mail flow to someone who said no"),
        ("confirm", {"risk": "credential"}, "it makes, changes or shows a key or password"),
        ("confirm", {"risk": "billing"}, "it costs money"),
    ),
    "strict": (
        ("allow", {"risk": "read"}, "reads are allowed"),
        ("confirm", {"risk": CHANGING}, "everything but a read is confirmed"),
    ),
    "unguarded": (("allow", {}, "the operator started the server without guard rails"),),
}


@cache
def profile(name: str) -> Policy:
    """Return the profile called `name`. Raises LookupError, which names the nearest, when there is none."""
    if name not in PROFILES:
        raise LookupError(unknown("policy", name, PROFILES))
    rules = PROFILES[name]
    return Policy(
        name=name,
        rules=tuple(
            Rule(f"{name}/{number}", compile_match(match, effect, UTC), effect, reason=reason)
            for number, (effect, match, reason) in enumerate(rules, 1)
        ),
        undo=UndoRules(beyond="allow") if name == "unguarded" else UndoRules(),
        otherwise=READ_ONLY_OTHERWISE if name == "read-only" else NOTHING_MATCHED,
        digest=sha256(json.dumps([name, rules], sort_keys=True).encode()).hexdigest(),
    )
