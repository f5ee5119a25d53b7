"""Runs the tests that a policy file brings along."""

from collections.abc import Iterator
from dataclasses import dataclass

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.file.hypothetical import assumed_facts
from mailgun_mcp.policy.globs import matcher
from mailgun_mcp.policy.model import Decision, Example, Policy


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """The result of one test."""

    example: Example
    decision: Decision
    faults: tuple[str, ...]
    """How the decision differs from what was expected."""

    @property
    def passed(self) -> bool:
        """Whether the decision is what was expected."""
        return not self.faults


def run_examples(policy: Policy, catalogue: Catalogue) -> list[ExampleResult]:
    """Return the result of each test of the policy."""
    return [_run(example, policy, catalogue) for example in policy.tests]


def _run(example: Example, policy: Policy, catalogue: Catalogue) -> ExampleResult:
    operation = catalogue.find(example.tool)
    facts = assumed_facts(operation, dict(example.arguments), example.assumptions, policy.timezone)
    decision = decide(policy, facts)
    return ExampleResult(example, decision, tuple(_faults(example, decision)))


def _faults(example: Example, decision: Decision) -> Iterator[str]:
    if decision.effect != example.expect:
        yield f"expected {example.expect}, got {decision.effect}"
    if example.level is not None and decision.level != example.level:
        yield f"expected level {example.level}, got {decision.level or 'none'}"
    if example.rule is not None and not _is_called(decision.rule, example.rule):
        yield f"expected rule {example.rule}, got {decision.rule}"


def _is_called(rule: str, expected: str) -> bool:
    """Return whether `expected` names `rule`: its full name, a glob, or the label in parentheses."""
    label = rule.rpartition("(")[2].removesuffix(")")
    return rule == expected or label == expected or matcher([expected])(rule)
