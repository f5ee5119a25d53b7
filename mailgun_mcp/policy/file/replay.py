"""Decides again on the calls of a journal: what a policy would have done."""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, get_args

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.facts import Context, Facts, gather
from mailgun_mcp.policy.file.hypothetical import NOON, when
from mailgun_mcp.policy.model import Decision, DecisionEffect, Policy
from mailgun_mcp.text.suggest import unknown

HOUR = 3600.0
CONTEXT = ("principal", "client", "account", "region", "subaccount")
EFFECTS = get_args(DecisionEffect)


class ReplayError(ValueError):
    """A line of a journal that cannot be read; the message says which."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call as the journal has it."""

    line: int
    tool: str
    arguments: dict[str, Any]
    context: Mapping[str, Any]
    at: datetime
    decision: DecisionEffect | None
    """None when the journal does not say."""


@dataclass(frozen=True, slots=True)
class ReplayedCall:
    """A recorded call and what the policy says of it now; None for a tool that there is no more."""

    recorded: RecordedCall
    decision: Decision | None

    @property
    def differs(self) -> bool:
        """Whether the policy would have decided otherwise than was recorded."""
        before = self.recorded.decision
        return self.decision is not None and before is not None and before != self.decision.effect


def replay(lines: Iterable[str], policy: Policy, catalogue: Catalogue) -> Iterator[ReplayedCall]:
    """Yield each call of the journal with its decision now. Raises ReplayError.

    What came before counts as it would have: what was sent, and when untrusted text was shown to the caller.
    """
    past: dict[str, _Past] = {}
    for recorded in read_calls(lines, policy):
        if recorded.tool not in catalogue:
            yield ReplayedCall(recorded, None)
            continue
        operation = catalogue.find(recorded.tool)
        before = past.setdefault(recorded.context.get("principal", "local"), _Past())
        facts = before.facts(recorded, operation)
        yield ReplayedCall(recorded, decide(policy, facts))
        if recorded.decision != "deny":
            before.happened(facts)


def read_calls(lines: Iterable[str], policy: Policy) -> Iterator[RecordedCall]:
    """Yield the calls of a journal in JSON lines. Raises ReplayError."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _recorded(number, json.loads(line), policy)
            except (ValueError, RecursionError) as error:
                raise ReplayError(f"line {number}: {error}") from error


@dataclass(slots=True)
class _Past:
    """What happened to one caller so far."""

    untrusted: datetime | None = None
    sends: deque[tuple[datetime, int]] = field(default_factory=deque)
    sent: dict[str, datetime] = field(default_factory=dict)

    def facts(self, recorded: RecordedCall, operation: Operation) -> Facts:
        facts = gather(operation, recorded.arguments, Context(now=recorded.at, **recorded.context))
        last = self.sent.get(_same(facts))
        context = replace(
            facts.context,
            untrusted_age=_age(self.untrusted, recorded.at),
            duplicate_age=_age(last, recorded.at),
            recipients_last_hour=sum(count for at, count in self.sends if (recorded.at - at).total_seconds() <= HOUR),
        )
        return replace(facts, context=context)

    def happened(self, facts: Facts) -> None:
        if facts.operation.untrusted:
            self.untrusted = facts.context.now
        if facts.operation.risk == "send":
            self.sends.append((facts.context.now, facts.recipient_count))
            self.sent[_same(facts)] = facts.context.now


def _same(facts: Facts) -> str:
    return json.dumps([facts.operation.name, facts.arguments], sort_keys=True)


def _age(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else (now - since).total_seconds()


def _recorded(number: int, entry: Any, policy: Policy) -> RecordedCall:
    if not isinstance(entry, dict) or not isinstance(entry.get("tool"), str):
        raise ValueError("a call is an object with a tool")
    arguments = entry.get("arguments", {})
    if not isinstance(arguments, dict):
        raise ValueError("arguments is not an object")
    return RecordedCall(
        line=number,
        tool=entry["tool"],
        arguments=arguments,
        context=_context(entry),
        at=when(str(entry["when"]), policy.timezone) if "when" in entry else NOON.replace(tzinfo=policy.timezone),
        decision=_effect(entry.get("decision")),
    )


def _context(entry: dict[str, Any]) -> dict[str, str]:
    # Logs of the last release call the principal `caller`.
    known = {"principal": entry.get("caller"), **entry}
    return {name: str(known[name]) for name in CONTEXT if known.get(name) is not None}


def _effect(decision: Any) -> DecisionEffect | None:
    """Return the effect of a decision, which may stand by itself or among others of its fields."""
    found = decision.get("effect") if isinstance(decision, dict) else decision
    if found is None:
        return None
    for effect in EFFECTS:
        if found == effect:
            known: DecisionEffect = effect
            return known
    raise ValueError(unknown("decision", str(found), EFFECTS))
