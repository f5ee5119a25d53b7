"""What conversations cost, and the limits on that: per conversation, and per day for a principal and for the server."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from mailgun_mcp.store.database import Store

WARN_AT = 0.8


@dataclass(frozen=True, slots=True)
class Usage:
    """Amounts that were used. In a limit, None means unlimited."""

    requests: int | None = 0
    """Requests to the model."""
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cost: float | None = 0.0
    """US dollars, as far as prices are known."""
    tool_calls: int | None = 0
    seconds: float | None = 0.0
    """Seconds during which a model was answering."""

    @property
    def record(self) -> dict[str, Any]:
        """The usage as JSON."""
        return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(field.name for field in fields(Usage))
UNITS = {
    "requests": "requests to the model",
    "input_tokens": "tokens sent to the model",
    "output_tokens": "tokens written by the model",
    "cost": "US dollars",
    "tool_calls": "calls of tools",
    "seconds": "seconds of work",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on usage. Once one is reached, a run stops before its next request to the model."""

    conversation: Usage = Usage(500, 5_000_000, 500_000, 10.0, 1_000, 7_200.0)
    principal_per_day: Usage = Usage(2_000, 20_000_000, 2_000_000, 25.0, 5_000, 28_800.0)
    server_per_day: Usage = Usage(None, None, None, 250.0, None, None)
    requests_per_turn: int = 40


class UsageTable:
    """The table of usage by conversation and day."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counted = Usage()
        self._lock = Lock()

    @property
    def counted(self) -> Usage:
        """What this process has used since it started."""
        return self._counted

    def add(self, conversation: str, principal: str, used: Usage, now: float) -> None:
        """Record what was used."""
        values = tuple(getattr(used, name) for name in NAMES)
        with self._lock:
            self._counted = Usage(*(getattr(self._counted, name) + getattr(used, name) for name in NAMES))
        with self._store.writing(durable=False, lock=f"usage of {conversation}") as connection:
            connection.execute(
                """INSERT INTO agent_usage (conversation, principal, day, requests, input_tokens, output_tokens, cost,
                tool_calls, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (conversation, day) DO UPDATE SET
                requests = agent_usage.requests + excluded.requests,
                input_tokens = agent_usage.input_tokens + excluded.input_tokens,
                output_tokens = agent_usage.output_tokens + excluded.output_tokens,
                cost = agent_usage.cost + excluded.cost,
                tool_calls = agent_usage.tool_calls + excluded.tool_calls,
                seconds = agent_usage.seconds + excluded.seconds""",
                (conversation, principal, _day(now), *values),
            )

    def count(self, conversation: str, principal: str, used: Usage, now: float) -> Usage:
        """Record what was used, and return the total of the conversation."""
        self.add(conversation, principal, used, now)
        return self.of_conversation(conversation)

    def of_conversation(self, conversation: str) -> Usage:
        """Return the total of the conversation."""
        return self._sum(conversation=conversation)

    def of_principal(self, principal: str, now: float) -> Usage:
        """Return what the principal has used today (UTC)."""
        return self._sum(principal=principal, day=_day(now))

    def of_server(self, now: float) -> Usage:
        """Return what all principals have used today (UTC)."""
        return self._sum(day=_day(now))

    def reached(
        self, limits: Limits, conversation: str, principal: str, now: float, *, names: Sequence[str] = NAMES
    ) -> tuple[str | None, list[str]]:
        """Return a sentence about the limit that is reached, or None, and sentences about those nearly reached.

        `names` are the amounts that are checked.
        """
        pairs = (
            ("this conversation", self.of_conversation(conversation), limits.conversation),
            (f"{principal} today", self.of_principal(principal, now), limits.principal_per_day),
            ("everybody on this server today", self.of_server(now), limits.server_per_day),
        )
        near: list[str] = []
        for who, used, limit in pairs:
            for name in names:
                most, amount = getattr(limit, name), getattr(used, name)
                if most is None or amount < most * WARN_AT:
                    continue
                use = f"{_amount(amount)} of {_amount(most)} {UNITS[name]} used by {who}"
                if amount >= most:
                    return f"Stopped at a limit: {use}. The operator can raise it.", near
                near.append(f"Nearly at a limit: {use}.")
        return None, near

    def _sum(self, *, conversation: str = "", principal: str = "", day: str = "") -> Usage:
        with self._store.reading() as connection:
            row = connection.execute(
                """SELECT sum(requests) AS requests, sum(input_tokens) AS input_tokens,
                sum(output_tokens) AS output_tokens, sum(cost) AS cost, sum(tool_calls) AS tool_calls,
                sum(seconds) AS seconds FROM agent_usage WHERE (? = '' OR conversation = ?)
                AND (? = '' OR principal = ?) AND (? = '' OR day = ?)""",
                (conversation, conversation, principal, principal, day, day),
            ).fetchone()
        # PostgreSQL sums integers to decimals.
        return Usage(**{name: type(getattr(Usage(), name))(row[name] or 0) for name in NAMES})


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def _amount(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.4f}"
