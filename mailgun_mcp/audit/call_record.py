"""What the audit log records of one call."""

from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any

from mailgun_mcp.audit.log import new_call_id
from mailgun_mcp.errors import Outcome
from mailgun_mcp.identity.account import SHOWN
from mailgun_mcp.output.logs import redactor
from mailgun_mcp.policy.facts import Context
from mailgun_mcp.policy.model import AuditRules, Decision
from mailgun_mcp.text.sizes import size_of

if TYPE_CHECKING:
    import asyncio

    from mailgun_mcp.catalogue.operation import Operation
    from mailgun_mcp.catalogue.types import Arguments
    from mailgun_mcp.confirm.caller import Caller
    from mailgun_mcp.confirm.confirm import Confirmation
    from mailgun_mcp.identity.account import Account

LONGEST = 500
"""Characters of a value that are written down; of a longer one its length and digest are."""
LARGEST = 64_000
"""Characters of an argument that are written down. 1,000 recipients fit."""
MOST_NAMES = 200
LONGEST_NAME = 200
"""Characters of a name that the caller chose: of an argument, or of the client."""
PERSONAL = "[personal]"


@dataclass
class CallRecord:
    """The record of one call. The stages of the call fill in what they decide and do."""

    tool: str
    risk: str
    principal: str
    client: str
    """What the client calls itself."""
    account: "Account"
    region: str | None
    subaccount: str | None
    arguments: "Arguments"
    """Without secrets, long texts, and what the policy calls personal."""
    policy: tuple[str, str]
    """Its name and digest."""
    undoes: str | None = None
    """The call that this one undoes, or is a step of undoing."""
    digest: str | None = None
    """Of the exact request."""
    untrusted: dict[str, Any] | None = None
    """Whether third-party text was shown before the call; see `note_context`."""
    decision: Decision | None = None
    grants: list[str] = field(default_factory=list)
    """Temporary grants that were active."""
    confirmation: "Confirmation | None" = None
    snapshot: dict[str, Any] | None = None
    """What was copied before the call."""
    call: str = field(default_factory=new_call_id)
    started: float = 0.0
    """When the request was about to be sent, on a clock that only measures."""
    begun: bool = False
    """Whether the intent is in the log."""
    outcome: Outcome | None = None
    """What became of the call; None until it has ended."""
    intent: "asyncio.Future[None] | None" = None
    """The intent of a read while it is being written."""
    finished: bool = False
    """Whether the outcome was handed to the log."""

    @property
    def changes(self) -> bool:
        """Whether the call does more than read."""
        return self.risk != "read"

    def note_context(self, context: Context) -> None:
        """Note what a replay of the call has to know: seconds since third-party text was shown, None for never."""
        shown = context.untrusted_age
        self.untrusted = {
            "age": None if shown is None else round(shown, 1),
            **({"here": True} if context.untrusted_here else {}),
        }

    def body(self) -> dict[str, Any]:
        """Return the fields to write: all that are set so far."""
        fields = {
            "tool": self.tool,
            "risk": self.risk,
            "principal": self.principal,
            "client": self.client,
            "account": self.account.name,
            "account_id": self.account.id,
            "endpoint": self.account.endpoint,
            "key": self.account.fingerprint[:SHOWN],
            "region": self.region,
            "subaccount": self.subaccount,
            "arguments": self.arguments,
            "policy": list(self.policy),
            "undoes": self.undoes,
            "digest": self.digest,
            "untrusted": self.untrusted,
            "decision": _decision(self.decision),
            "grants": self.grants or None,
            "confirmation": _confirmation(self.confirmation),
            "snapshot": self.snapshot,
        }
        return {name: value for name, value in fields.items() if value not in (None, "")}


def new_record(
    operation: "Operation",
    arguments: "Arguments",
    caller: "Caller",
    account: "Account",
    subaccount: str | None,
    *,
    policy: tuple[str, str],
    rules: AuditRules,
) -> CallRecord:
    """Return the record of a call before any decision.

    Where the rules want no personal data the values of arguments that hold it are left out.
    """
    return CallRecord(
        tool=operation.name,
        risk=operation.risk,
        principal=caller.principal.id,
        client=_shortened_name(caller.client),
        account=account,
        region=account.region,
        subaccount=subaccount and _shortened_name(subaccount),
        arguments=_recorded(operation, arguments, personal=rules.personal),
        policy=policy,
    )


def _decision(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    fields = {"effect": decision.effect, "rule": decision.rule, "reason": decision.reason, "level": decision.level}
    return {name: value for name, value in fields.items() if value is not None}


def _confirmation(confirmation: "Confirmation | None") -> dict[str, Any] | None:
    if confirmation is None:
        return None
    return {"level": confirmation.level, "by": confirmation.by, "method": confirmation.method}


def _recorded(operation: "Operation", arguments: "Arguments", *, personal: bool) -> "Arguments":
    shortened = {_shortened_name(name): _bounded(value) for name, value in islice(arguments.items(), MOST_NAMES)}
    if not personal:
        shortened |= dict.fromkeys(set(operation.personal) & shortened.keys(), PERSONAL)
    return redactor().arguments(operation, shortened)


def _shortened_name(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"


def _bounded(value: Any) -> Any:
    """Return the value shortened; of one that is large all the same, its size."""
    shortened = _shortened(value)
    large = size_of(shortened, LARGEST) > LARGEST
    return {"items": len(value), "recorded": False} if large and isinstance(value, (dict, list)) else shortened


def _shortened(value: Any) -> Any:
    """Return the value with long texts as their length and digest: the log is not a second mailbox."""
    if isinstance(value, str) and len(value) > LONGEST:
        return {"characters": len(value), "sha256": sha256(value.encode("utf-8", "surrogatepass")).hexdigest()}
    if isinstance(value, dict):
        return {name: _shortened(item) for name, item in value.items()}
    if isinstance(value, list):
        if len(value) > LONGEST:
            return {"items": len(value), "sha256": sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()}
        return [_shortened(item) for item in value]
    return value
