"""Decides again on the calls of an audit log: what a policy would have done."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, get_args

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.former_names import current_arguments
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.raised_risk import at_least
from mailgun_mcp.catalogue.types import RISKS, Risk
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.policy.file.hypothetical import NOON, when
from mailgun_mcp.policy.history import PastCalls, took_effect, with_history
from mailgun_mcp.policy.model import Decision, DecisionEffect, Policy
from mailgun_mcp.policy.prices import cost
from mailgun_mcp.text.suggest import unknown

CONTEXT = ("principal", "client", "account", "region", "subaccount")
EFFECTS = get_args(DecisionEffect)


class ReplayError(ValueError):
    """A line of a log cannot be read; the message names the line."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call as the log has it."""

    line: int
    tool: str
    arguments: dict[str, Any]
    context: Mapping[str, Any]
    at: datetime
    decision: DecisionEffect | None
    """None when the log does not say."""
    outcome: str | None = None
    digest: str | None = None
    """Of the exact request."""
    risk: Risk | None = None
    """With everything that raised it: the log does not say what existed before the call."""
    untrusted_age: float | None = 0.0
    """Seconds since third-party text was shown to the caller; None for never. If a log does not say, the worst is assumed."""
    untrusted_here: bool = True
    """Whether the server that was called showed it."""

    @property
    def took_effect(self) -> bool:
        """Whether it counts for the calls after it."""
        return took_effect(self.outcome, self.decision)


@dataclass(frozen=True, slots=True)
class ReplayedCall:
    """A recorded call and what the policy decides on it now; None for a tool that no longer exists."""

    recorded: RecordedCall
    decision: Decision | None

    @property
    def differs(self) -> bool:
        """Whether the policy would have decided otherwise than was recorded."""
        before = self.recorded.decision
        return self.decision is not None and before is not None and before != self.decision.effect


def replay(lines: Iterable[str], policy: Policy, catalogue: Catalogue) -> Iterator[ReplayedCall]:
    """Yield each call of the log with its decision now. Raises ReplayError.

    The calls before it count as they do in the server: see `policy.history`.
    """
    past = PastCalls()
    for recorded in read_calls(lines, policy):
        if recorded.tool not in catalogue:
            yield ReplayedCall(recorded, None)
            continue
        facts = _facts(recorded, catalogue.find(recorded.tool), past)
        yield ReplayedCall(recorded, decide(policy, facts))
        if recorded.took_effect:
            past.add(facts, cost(policy, facts))


def read_calls(lines: Iterable[str], policy: Policy) -> Iterator[RecordedCall]:
    """Yield the calls of a log in JSON lines. Raises ReplayError."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                recorded = _recorded(number, json.loads(line), policy)
                # No policy decides on what people did in a terminal or on a page, such as `tokens new`.
                if " " not in recorded.tool:
                    yield recorded
            except json.JSONDecodeError as error:
                raise ReplayError(f"line {number}: it is not valid JSON (column {error.colno})") from error
            except ValueError as error:
                raise ReplayError(f"line {number}: {error}") from error
            except RecursionError as error:
                # Python's own words differ between its versions.
                raise ReplayError(f"line {number}: it is nested too deeply") from error


def _facts(recorded: RecordedCall, operation: Operation, past: PastCalls) -> Facts:
    facts = gather(
        operation, current_arguments(operation, recorded.arguments), Context(now=recorded.at, **recorded.context)
    )
    digest = recorded.digest or json.dumps([operation.name, recorded.arguments], sort_keys=True)
    context = replace(
        with_history(facts.context, digest, past),
        untrusted_age=recorded.untrusted_age,
        untrusted_here=recorded.untrusted_here,
    )
    operation = at_least(facts.operation, recorded.risk) if recorded.risk else facts.operation
    return replace(facts, operation=operation, digest=digest, context=context)


def _recorded(number: int, entry: Any, policy: Policy) -> RecordedCall:
    if not isinstance(entry, dict) or not isinstance(entry.get("tool"), str):
        raise ValueError('a call is an object with a "tool"')
    arguments = entry.get("arguments", {})
    if not isinstance(arguments, dict):
        raise ValueError('"arguments" must be an object')
    return RecordedCall(
        line=number,
        tool=entry["tool"],
        arguments=arguments,
        context=_context(entry),
        at=when(str(entry["when"]), policy.timezone) if "when" in entry else NOON.replace(tzinfo=policy.timezone),
        decision=_effect(entry.get("decision")),
        outcome=_text(entry, "outcome"),
        digest=_text(entry, "digest"),
        risk=_risk(entry),
        **_untrusted(entry),
    )


def _context(entry: dict[str, Any]) -> dict[str, str]:
    # Logs of the last release call the principal `caller`.
    values = {"principal": entry.get("caller"), **entry}
    return {name: str(values[name]) for name in CONTEXT if values.get(name) is not None}


def _risk(entry: dict[str, Any]) -> Risk | None:
    name = _text(entry, "risk")
    for risk in RISKS:
        if name == risk:
            return risk
    if name is None:
        return None
    raise ValueError(unknown("risk", name, RISKS))


def _untrusted(entry: dict[str, Any]) -> dict[str, Any]:
    """Return whether third-party text was shown before the call, where the log says it."""
    shown = entry.get("untrusted")
    if shown is None:
        return {}
    age = shown.get("age") if isinstance(shown, dict) else shown
    if isinstance(age, bool) or not isinstance(age, (int, float, type(None))):
        raise ValueError('"untrusted" is {"age": SECONDS}, or {"age": null} where no third-party text was shown')
    return {"untrusted_age": age, "untrusted_here": shown.get("here") is True}


def _text(entry: dict[str, Any], name: str) -> str | None:
    value = entry.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f'"{name}" must be text')
    return value


def _effect(decision: Any) -> DecisionEffect | None:
    """Return the effect of a decision, which is a word or an object with more about it."""
    name = decision.get("effect") if isinstance(decision, dict) else decision
    if name is None:
        return None
    effect: DecisionEffect
    for effect in EFFECTS:
        if name == effect:
            return effect
    raise ValueError(unknown("decision", str(name), EFFECTS))
