"""What happened before a call, as rules see it. The live server and `policy replay` share this code. Pure.

Sends and costs are counted by account, whoever made the call.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Protocol

from mailgun_mcp.policy.facts import Context, Facts

HOUR = 3600.0
TOOK_EFFECT = ("done", "unknown")
"""Outcomes of calls that count. `unknown` counts because mail may have been sent."""


class Past(Protocol):
    """The records of past calls. Times are seconds since 1970."""

    def recipients_after(self, account: str, moment: float) -> int:
        """Return how many recipients the account sent to after `moment`."""

    def recipients_of(self, account: str, principal: str, moment: float) -> int:
        """Return how many recipients the principal sent to after `moment`, in this account."""

    def calls_of(self, account: str, principal: str, moment: float) -> int:
        """Return how many calls the principal made after `moment`."""

    def addresses_after(self, account: str, moment: float) -> int:
        """Return how many addresses the account's calls put on lists and routes after `moment`."""

    def last_sent(self, account: str, digest: str) -> float | None:
        """Return when the account last sent this exact request, or None."""

    def spent_from(self, account: str, moment: float) -> float:
        """Return what the account has spent since `moment`, inclusive."""


def with_history(context: Context, digest: str, past: Past) -> Context:
    """Return the context for a call of the request `digest`, with the figures on past calls."""
    now, account = context.now.timestamp(), context.counted_for
    month = context.now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
    return replace(
        context,
        recipients_last_hour=past.recipients_after(account, now - HOUR),
        principal_recipients_last_hour=past.recipients_of(account, context.principal, now - HOUR),
        principal_calls_last_hour=past.calls_of(account, context.principal, now - HOUR),
        addresses_last_hour=past.addresses_after(account, now - HOUR),
        duplicate_age=age(past.last_sent(account, digest), now),
        spent_this_month=past.spent_from(account, month),
    )


def age(moment: float | None, now: float) -> float | None:
    """Return the seconds since `moment`; never below zero, even if the clock was set back."""
    return None if moment is None else max(0.0, now - moment)


def took_effect(outcome: str | None, effect: str | None) -> bool:
    """Return whether a recorded call counts as made: by its outcome, or if it has none, by the decision on it."""
    if outcome is not None:
        return outcome in TOOK_EFFECT
    return effect in (None, "allow")


@dataclass(slots=True)
class PastCalls:
    """The calls so far, in memory, in the order in which they were made."""

    _sends: dict[str, deque[tuple[float, int]]] = field(default_factory=lambda: defaultdict(deque))
    _sends_of: dict[tuple[str, str], deque[tuple[float, int]]] = field(default_factory=lambda: defaultdict(deque))
    _calls_of: dict[tuple[str, str], deque[tuple[float, int]]] = field(default_factory=lambda: defaultdict(deque))
    _addresses: dict[str, deque[tuple[float, int]]] = field(default_factory=lambda: defaultdict(deque))
    _sent: dict[tuple[str, str], float] = field(default_factory=dict)
    _costs: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, facts: Facts, cost: float | None = None) -> None:
        """Add a call that took effect, and its cost."""
        context, now = facts.context, facts.context.now.timestamp()
        account = context.counted_for
        self._calls_of[account, context.principal].append((now, 1))
        if facts.operation.risk == "send":
            self._sends[account].append((now, facts.recipient_count))
            self._sends_of[account, context.principal].append((now, facts.recipient_count))
            self._sent[account, facts.digest] = now
        if facts.address_count:
            self._addresses[account].append((now, facts.address_count))
        if cost:
            self._costs[account].append((now, cost))

    def recipients_after(self, account: str, moment: float) -> int:
        """Return how many recipients the account sent to after `moment`, which only moves forward."""
        return _count_after(self._sends[account], moment)

    def recipients_of(self, account: str, principal: str, moment: float) -> int:
        """Return how many recipients the principal sent to after `moment`, in this account."""
        return _count_after(self._sends_of[account, principal], moment)

    def calls_of(self, account: str, principal: str, moment: float) -> int:
        """Return how many calls the principal made after `moment`, which only moves forward."""
        return _count_after(self._calls_of[account, principal], moment)

    def addresses_after(self, account: str, moment: float) -> int:
        """Return how many addresses were put on lists and routes after `moment`, which only moves forward."""
        return _count_after(self._addresses[account], moment)

    def last_sent(self, account: str, digest: str) -> float | None:
        """Return when the account last sent this exact request, or None."""
        return self._sent.get((account, digest))

    def spent_from(self, account: str, moment: float) -> float:
        """Return what the account has spent since `moment`, inclusive."""
        return sum(amount for at, amount in self._costs[account] if at >= moment)


def _count_after(sends: deque[tuple[float, int]], moment: float) -> int:
    while sends and sends[0][0] <= moment:
        sends.popleft()
    return sum(count for _, count in sends)
