"""Every operation and what a policy decides on it, with the conditions that change it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.policy.engine import outcome, plan_of
from mailgun_mcp.policy.model import DecisionEffect, Level, Policy, Rule


@dataclass(frozen=True, slots=True)
class Exceptional:
    """A decision that depends on the call."""

    effect: DecisionEffect
    level: Level | None
    condition: str

    def __str__(self) -> str:
        return f"{_words(self.effect, self.level)} if {self.condition}"


@dataclass(frozen=True, slots=True)
class Row:
    """What a policy decides on the calls of one operation."""

    operation: Operation
    effect: DecisionEffect
    level: Level | None
    rule: str
    """Decides when no exception does."""
    exceptions: tuple[Exceptional, ...]
    """In the order in which they are asked."""

    def __str__(self) -> str:
        decision = _words(self.effect, self.level)
        return "; ".join([*map(str, self.exceptions), f"else {decision}" if self.exceptions else decision])


def rows(policy: Policy, operations: Iterable[Operation]) -> Iterator[Row]:
    """Yield the row of every operation, in their order."""
    for operation in operations:
        yield _row(policy, operation)


def _row(policy: Policy, operation: Operation) -> Row:
    plan = plan_of(policy, operation)
    exceptions = [Exceptional("deny", None, limit.name) for limit in plan.denying_limits]
    for planned in (*plan.denies, *plan.others):
        rule = planned.rule
        effect, level = outcome(rule, operation)
        if not rule.match.of_call:
            return _settled(
                operation, effect, level, rule.name, exceptions, [limit.name for limit in plan.confirming_limits]
            )
        exceptions.append(Exceptional(effect, level, _condition(rule)))
    last = policy.otherwise
    return _settled(
        operation, last.effect, last.level, last.rule, exceptions, [limit.name for limit in plan.confirming_limits]
    )


def _settled(
    operation: Operation,
    effect: DecisionEffect,
    level: Level | None,
    rule: str,
    exceptions: list[Exceptional],
    holds: Iterable[str],
) -> Row:
    if effect == "allow" or any(exception.effect == "allow" for exception in exceptions):
        exceptions = [*exceptions, *(Exceptional("confirm", None, hold) for hold in holds)]
    while exceptions and (exceptions[-1].effect, exceptions[-1].level) == (effect, level):
        exceptions = exceptions[:-1]
    return Row(operation, effect, level, rule, tuple(exceptions))


def _condition(rule: Rule) -> str:
    return ", ".join(str(condition) for condition in rule.match.of_call)


def _words(effect: DecisionEffect, level: Level | None) -> str:
    return f"{effect} ({level})" if level else effect
