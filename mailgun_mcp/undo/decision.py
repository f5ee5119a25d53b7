"""The policy's decision on an undo: the strictest of those on it and on each call that it makes."""

from collections.abc import Callable, Iterable

from mailgun_mcp.catalogue.types import RISKS, Risk
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import LEVELS, Decision, Policy

STRICTNESS = ("allow", "confirm", "deny")
UNCERTAIN = Decision(
    "confirm",
    "undo",
    "the state right after the call is unknown, so someone may have changed it since",
    "ask",
)


def worst_risk(steps: Iterable[Facts]) -> Risk:
    """Return the worst risk of the calls that an undo makes."""
    return max((facts.operation.risk for facts in steps), key=RISKS.index, default="write")


def decide_undo(
    policy: Policy, undo: Facts, steps: Iterable[Facts], *, offers: Callable[[str], bool], uncertain: bool
) -> Decision:
    """Return the strictest decision on the undo and its steps.

    `offers` says whether the server offers a tool. `uncertain` is `Plan.uncertain`.
    """
    decisions = [decide(policy, undo), *(_decide_step(policy, facts, offers) for facts in steps)]
    if uncertain:
        decisions.append(UNCERTAIN)
    return _strictest(decisions)


def _decide_step(policy: Policy, facts: Facts, offers: Callable[[str], bool]) -> Decision:
    tool = facts.operation.name
    if not offers(tool):
        return Decision("deny", "offered", f"it needs {tool}, which this server does not offer")
    decision = decide(policy, facts)
    return Decision(decision.effect, decision.rule, f"{tool}: {decision.reason}", decision.level)


def _strictest(decisions: list[Decision]) -> Decision:
    strictest = max(decisions, key=lambda decision: STRICTNESS.index(decision.effect))
    if strictest.effect != "confirm":
        return strictest
    confirming = [decision for decision in decisions if decision.effect == "confirm"]
    return max(confirming, key=lambda decision: LEVELS.index(decision.level or "approval"))
