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
from mailgun_mcp.policy.model import Decision, Effect, Policy
from mailgun_mcp.text.suggest import unknown

HOUR = 3600.0
CONTEXT = ("caller", "client", "account", "region", "subaccount")
EFFECTS = get_args(Effect)


class JournalError(ValueError):
    """A line of a journal that cannot be read; the message says which."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call as the journal has it."""

    line: int
    tool: str
    arguments: dict[str, Any]
    context: Mapping[str, Any]
    at: datetime
    decision: Effect | None
    """None when the journal does not say."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recorded call and what the policy says of it now; None for a tool that there is no more."""

    recorded: Recorded
    decision: Decision | None

    @property
    def differs(self) -> bool:
        """Whether the policy would have decided otherwise than was recorded."""
        before = self.recorded.decision
        return self.decision is not None and before is not None and before != self.decision.effect


def replay(lines: Iterable[str], policy: Policy, catalogue: Catalogue) -> Iterator[Replayed]:
    """Yield each call of the journal with its decision now. Raises JournalError.

    What came before counts as it would have: what was sent, and when untrusted text was shown to the caller.
    """
    past: dict[str, _Past] = {}
    for recorded in read_journal(lines, policy):
        if recorded.tool not in catalogue:
            yield Replayed(recorded, None)
            continue
        operation = catalogue.find(recorded.tool)
        before = past.setdefault(recorded.context.get("caller", "local"), _Past())
        facts = before.facts(recorded, operation)
        yield Replayed(recorded, decide(policy, facts))
        if recorded.decision != "deny":
            before.happened(facts)


def read_journal(lines: Iterable[str], policy: Policy) -> Iterator[Recorded]:
    """Yield the calls of a journal in JSON lines. Raises JournalError."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _recorded(number, json.loads(line), policy)
            except (ValueError, RecursionError) as error:
                raise JournalError(f"line {number}: {error}") from error


@dataclass(slots=True)
class _Past:
    """What happened to one caller so far."""

    untrusted: datetime | None = None
    sends: deque[tuple[datetime, int]] = field(default_factory=deque)
    sent: dict[str, datetime] = field(default_factory=dict)

    def facts(self, recorded: Recorded, operation: Operation) -> Facts:
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


def _recorded(number: int, entry: Any, policy: Policy) -> Recorded:
    if not isinstance(entry, dict) or not isinstance(entry.get("tool"), str):
        raise ValueError("a call is an object with a tool")
    arguments = entry.get("arguments", {})
    if not isinstance(arguments, dict):
        raise ValueError("arguments is not an object")
    return Recorded(
        line=number,
        tool=entry["tool"],
        arguments=arguments,
        context={name: str(entry[name]) for name in CONTEXT if entry.get(name) is not None},
        at=when(str(entry["when"]), policy.timezone) if "when" in entry else NOON.replace(tzinfo=policy.timezone),
        decision=_effect(entry.get("decision")),
    )


def _effect(decision: Any) -> Effect | None:
    """Return the effect of a decision, which may stand by itself or among others of its fields."""
    found = decision.get("effect") if isinstance(decision, dict) else decision
    if found is None:
        return None
    for effect in EFFECTS:
        if found == effect:
            known: Effect = effect
            return known
    raise ValueError(unknown("decision", str(found), EFFECTS))
