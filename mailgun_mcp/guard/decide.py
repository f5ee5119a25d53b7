"""Decides whether a call may be made. Pure: no I/O, no clock; the decision is a value."""

from dataclasses import dataclass
from typing import Literal

from mailgun_mcp.catalogue.operation import Operation

Policy = Literal["guarded", "read-only", "unguarded"]
POLICIES: tuple[Policy, ...] = ("guarded", "read-only", "unguarded")

CONFIRMED = frozenset({"destructive", "credential", "billing"})
"""Risks that need a person's confirmation."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What policy says of one call."""

    allowed: bool
    rule: str
    reason: str


def decide(operation: Operation, policy: Policy) -> Decision:
    """Return the decision on a call of `operation`. Whatever is not known to be allowed is not."""
    if operation.risk == "read":
        return Decision(True, f"{policy}/read", "reads are allowed")
    if policy == "unguarded":
        return Decision(True, "unguarded/all", "the operator started the server without guard rails")
    if policy == "guarded" and operation.risk in ("write", "send"):
        return Decision(True, f"guarded/{operation.risk}", f"{operation.risk} is allowed")
    if policy == "guarded" and operation.risk in CONFIRMED:
        return Decision(False, f"guarded/{operation.risk}", f"{_effect(operation)}, and needs a person's confirmation")
    return Decision(False, f"{policy}/other", f"the policy {policy} allows reads only")


def _effect(operation: Operation) -> str:
    many = "many things at once" if operation.bulk else "something"
    lasting = "" if operation.reversible == "whole" else " that cannot be wholly put back"
    return {
        "destructive": f"{operation.name} removes {many}{lasting}",
        "credential": f"{operation.name} makes, changes or shows a key or password",
        "billing": f"{operation.name} costs money",
    }[operation.risk]
