"""Decides whether a call may be made. Pure: no I/O, no clock; the decision is a value.

Any matching deny wins, wherever it is in the file. Otherwise the first matching rule decides. A rule that cannot be
evaluated denies, and so does the lack of a matching rule.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import (
    LEVELS,
    ApplicableRule,
    ApplicableRules,
    Decision,
    DecisionEffect,
    Level,
    Policy,
    Rule,
    SendLimit,
)
from mailgun_mcp.policy.send_limits import send_limits

UNCLEAR = "facts/unclear"
"""The rule named in a refusal because an address in the call is ambiguous: readers could understand it differently."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The result of one rule for a call."""

    rule: str
    effect: DecisionEffect
    matched: bool
    why: str
    """Why the rule matched or did not."""
    decides: bool = False
    failed: bool = False
    """Whether the rule could not be evaluated, so that the call is denied."""


def decide(policy: Policy, facts: Facts) -> Decision:
    """Return the decision on a call. Never raises."""
    if facts.faults:
        return _unclear(facts)
    plan = policy.plans.get(facts.operation) or _plan(policy, facts.operation)
    try:
        decision = _denied(plan, facts) or _first(policy, plan, facts)
        return decision if decision.effect == "deny" else _with_limits(plan, facts, decision)
    except _Failed as failed:
        return Decision("deny", failed.rule, f"{failed}, so the call is denied")


def explain(policy: Policy, facts: Facts) -> list[RuleResult]:
    """Return the result of each rule for the call, in the order of evaluation. Never raises.

    The rule that decided is marked; none is if no rule matched.
    """
    decision = decide(policy, facts)
    results = [_of_limit(limit, facts) for limit in send_limits(policy)]
    results += [_of_rule(rule, facts) for rule in sorted(policy.rules, key=lambda rule: rule.effect != "deny")]
    if facts.faults:
        return [RuleResult(UNCLEAR, "deny", True, decision.reason, decides=True), *results]
    for index, result in enumerate(results):
        if result.rule == decision.rule and (result.matched or result.failed):
            results[index] = RuleResult(
                result.rule, result.effect, result.matched, result.why, decides=True, failed=result.failed
            )
            break
    return results


def level_of(operation: Operation) -> Level:
    """Return the level of a confirmation whose rule does not set one."""
    if operation.bulk:
        return "typed"
    changes_nothing = operation.reversible is None and operation.risk in ("read", "credential")
    return "ask" if operation.reversible == "whole" or changes_nothing else "typed"


def outcome(rule: Rule, operation: Operation) -> tuple[DecisionEffect, Level | None]:
    """Return the effect and the level that `rule` has for calls of `operation`."""
    return rule.effect, (rule.level or level_of(operation)) if rule.effect == "confirm" else None


def _unclear(facts: Facts) -> Decision:
    more = f" ({len(facts.faults)} in all)" if len(facts.faults) > 1 else ""
    return Decision("deny", UNCLEAR, f"what it would do is unclear or unsafe: {facts.faults[0]}{more}")


class _Failed(Exception):
    """A rule could not be evaluated."""

    def __init__(self, rule: str, error: Exception) -> None:
        super().__init__(f"rule {rule} failed ({type(error).__name__})")
        self.rule = rule


def plan_of(policy: Policy, operation: Operation) -> ApplicableRules:
    """Return the part of the policy that can apply to `operation`."""
    return policy.plans.get(operation) or _plan(policy, operation)


def _plan(policy: Policy, operation: Operation) -> ApplicableRules:
    covering = [limit for limit in send_limits(policy) if limit.covers(operation)]
    rules = [_planned(rule) for rule in policy.rules if rule.match.covers(operation)]
    plan = ApplicableRules(
        denying_limits=tuple(limit for limit in covering if limit.effect == "deny"),
        denies=tuple(planned for planned in rules if planned.rule.effect == "deny"),
        others=tuple(planned for planned in rules if planned.rule.effect != "deny"),
        confirming_limits=tuple(limit for limit in covering if limit.effect == "confirm"),
    )
    policy.plans[operation] = plan
    return plan


def _denied(plan: ApplicableRules, facts: Facts) -> Decision | None:
    for limit in plan.denying_limits:
        reason = _reason(limit, facts)
        if reason is not None:
            return Decision("deny", limit.name, reason)
    rule = _matching(plan.denies, facts)
    return _decision(rule, facts.operation) if rule else None


def _first(policy: Policy, plan: ApplicableRules, facts: Facts) -> Decision:
    rule = _matching(plan.others, facts)
    return _decision(rule, facts.operation) if rule else policy.otherwise


def _with_limits(plan: ApplicableRules, facts: Facts, decision: Decision) -> Decision:
    """Return the decision tightened by the limits. A confirmation has the higher of both levels."""
    for limit in plan.confirming_limits:
        reason = _reason(limit, facts)
        if reason is None:
            continue
        level = level_of(facts.operation)
        if decision.level is None:
            decision = Decision("confirm", limit.name, reason, level, limit.beyond_grants)
        else:
            highest = max(decision.level, level, key=LEVELS.index)
            beyond = decision.beyond_grants or limit.beyond_grants
            decision = Decision("confirm", decision.rule, f"{decision.reason}; {reason}", highest, beyond)
    return decision


def _planned(rule: Rule) -> ApplicableRule:
    return ApplicableRule(rule, _all_of([condition.holds for condition in rule.match.of_call]))


def _all_of(tests: Sequence[Callable[[Facts], bool]]) -> Callable[[Facts], bool]:
    """Return a test that all tests pass, tried in order. One or two tests are special cases, for speed."""
    if not tests:
        return lambda _: True
    *before, test = tests
    for first in reversed(before):
        test = _both(first, test)
    return test


def _both(first: Callable[[Facts], bool], second: Callable[[Facts], bool]) -> Callable[[Facts], bool]:
    return lambda facts: first(facts) and second(facts)


def _matching(rules: tuple[ApplicableRule, ...], facts: Facts) -> Rule | None:
    planned = None
    try:
        for planned in rules:
            if planned.holds(facts):
                return planned.rule
    except Exception as error:
        raise _Failed(planned.rule.name if planned else "", error) from error
    return None


def _reason(limit: SendLimit, facts: Facts) -> str | None:
    try:
        return limit.check(facts)
    except Exception as error:
        raise _Failed(limit.name, error) from error


def _decision(rule: Rule, operation: Operation) -> Decision:
    effect, level = outcome(rule, operation)
    return Decision(effect, rule.name, rule.reason or f"it matches {rule.match}", level)


def _of_limit(limit: SendLimit, facts: Facts) -> RuleResult:
    if not limit.covers(facts.operation):
        return RuleResult(limit.name, limit.effect, False, f"not about {facts.operation.name}")
    try:
        reason = _reason(limit, facts)
    except _Failed as failed:
        return RuleResult(limit.name, limit.effect, False, str(failed), failed=True)
    return RuleResult(limit.name, limit.effect, reason is not None, reason or "within limits")


def _of_rule(rule: Rule, facts: Facts) -> RuleResult:
    for of_operation in rule.match.of_operation:
        if not of_operation.holds(facts.operation):
            why = f"{of_operation.key} is {of_operation.seen(facts.operation)}, not {of_operation.expected}"
            return RuleResult(rule.name, rule.effect, False, why)
    try:
        for condition in rule.match.of_call:
            if not condition.holds(facts):
                why = f"{condition.key} is {condition.seen(facts)}, not {condition.expected}"
                return RuleResult(rule.name, rule.effect, False, why)
    except Exception as error:  # noqa: BLE001 - as in `_matching`
        return RuleResult(rule.name, rule.effect, False, str(_Failed(rule.name, error)), failed=True)
    return RuleResult(rule.name, rule.effect, True, f"it matches {rule.match}")
