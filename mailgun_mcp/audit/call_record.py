"""The audit log's record of one call."""

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
from mailgun_mcp.text.characters import excerpt
from mailgun_mcp.text.sizes import size_of

if TYPE_CHECKING:
    from mailgun_mcp.audit.pending_write import PendingWrite
    from mailgun_mcp.catalogue.operation import Operation
    from mailgun_mcp.catalogue.types import Arguments
    from mailgun_mcp.confirm.caller import Caller
    from mailgun_mcp.confirm.confirm import Confirmation
    from mailgun_mcp.identity.account import Account

LONGEST = 500
"""Longest value that is recorded, in characters. For a longer one, its length and digest are."""
LARGEST = 64_000
"""Longest argument that is recorded, in characters. 1,000 recipients fit."""
DEEPEST = 40
"""Deepest value that is recorded, in levels. Validation refuses deeper ones, but a refused call is recorded too."""
MOST_NAMES = 200
LONGEST_NAME = 200
"""Longest name chosen by the caller, in characters: of an argument, or of the client."""
PERSONAL = "[personal]"


@dataclass
class CallRecord:
    """The record of one call. Each stage of the call adds what it decides and does."""

    tool: str
    risk: str
    principal: str
    client: str
    """The client's name, as it calls itself."""
    account: "Account"
    region: str | None
    subaccount: str | None
    arguments: "Arguments"
    """The arguments without secrets, long texts, and values that the policy calls personal."""
    policy: tuple[str, str]
    """Name and digest of the policy."""
    undoes: str | None = None
    """Id of the call that this one undoes, or helps to undo."""
    digest: str | None = None
    """Digest of the exact request."""
    reached: dict[str, Any] | None = None
    """Whom the call reaches, if the arguments as recorded do not show it; see `reach`."""
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
    """When the request was about to be sent, on a monotonic clock."""
    begun: bool = False
    """Whether the intent is in the log."""
    outcome: Outcome | None = None
    """The outcome of the call; None until it has ended."""
    intent: "PendingWrite | None" = None
    """The pending write of a read's intent."""
    finished: bool = False
    """Whether the outcome was handed to the log."""

    @property
    def changes(self) -> bool:
        """Whether the call does more than read."""
        return self.risk != "read"

    def note_context(self, context: Context) -> None:
        """Record what a replay of the call needs: seconds since third-party text was shown, None for never."""
        shown = context.untrusted_age
        self.untrusted = {
            "age": None if shown is None else round(shown, 1),
            **({"here": True} if context.untrusted_here else {}),
        }

    def body(self) -> dict[str, Any]:
        """Return the fields to write: all that have been set so far."""
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
            "reached": self.reached,
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

    If the rules exclude personal data, values of arguments with personal data are left out.
    """
    return CallRecord(
        tool=operation.name,
        risk=operation.risk,
        principal=caller.principal.id,
        client=excerpt(caller.client, LONGEST_NAME),
        account=account,
        region=account.region,
        subaccount=subaccount and excerpt(subaccount, LONGEST_NAME),
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
    shortened = {excerpt(name, LONGEST_NAME): _bounded(value) for name, value in islice(arguments.items(), MOST_NAMES)}
    if not personal:
        shortened |= dict.fromkeys(set(operation.personal) & shortened.keys(), PERSONAL)
    return redactor().arguments(operation, shortened)


def _bounded(value: Any) -> Any:
    """Return the value shortened; if it is still large, only its size."""
    shortened = _shortened(value)
    large = size_of(shortened, LARGEST) > LARGEST
    return {"items": len(value), "recorded": False} if large and isinstance(value, (dict, list)) else shortened


def _shortened(value: Any, depth: int = 0) -> Any:
    """Return the value with long texts replaced by length and digest: the log must not become a second mailbox."""
    if isinstance(value, str) and len(value) > LONGEST:
        return {"characters": len(value), "sha256": sha256(value.encode("utf-8", "surrogatepass")).hexdigest()}
    if isinstance(value, (dict, list)) and depth >= DEEPEST:
        return {"items": len(value), "recorded": False}
    if isinstance(value, dict):
        return {name: _shortened(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return _long_list(value) if len(value) > LONGEST else [_shortened(item, depth + 1) for item in value]
    return value


def _long_list(value: list[Any]) -> dict[str, Any]:
    try:
        digest = sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()
    except RecursionError:
        return {"items": len(value), "recorded": False}
    return {"items": len(value), "sha256": digest}
