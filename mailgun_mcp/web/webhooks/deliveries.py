"""The table of webhook deliveries: one row per event and endpoint, tried until it is delivered or given up."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.store.database import MONTHS, Store, stored
from mailgun_mcp.store.ids import new_id
from mailgun_mcp.web.webhooks.events import Event

LOCK = "webhook deliveries"
LEASE = 60.0
"""Seconds for which a delivery belongs to the process that took it."""
BACK_OFF = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 10_800.0, 21_600.0)
"""Seconds to wait after each failure. After the last one, about twelve hours on, the delivery is given up."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that is still to be delivered to an endpoint."""

    id: str
    endpoint: str
    """The id of the endpoint."""
    event: str
    subject: str
    body: Mapping[str, Any]
    created: float
    attempts: int


class Deliveries:
    """The table of deliveries."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def queue(self, endpoints: Sequence[str], event: Event, now: float) -> None:
        """Queue an event for these endpoints. An event that any process queued before is not queued again."""
        text = json.dumps(event.data, ensure_ascii=False)
        with self._store.writing(lock=LOCK) as connection:
            for endpoint in endpoints:
                connection.execute(
                    """INSERT INTO webhook_deliveries
                    (id, endpoint, event, subject, number, body, created, attempts, next_at, status)
                    VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, 'waiting') ON CONFLICT DO NOTHING""",
                    (f"msg_{new_id(24)}", endpoint, event.type, event.subject, event.number, text, event.at, now),
                )

    def queued(self, since: float) -> frozenset[tuple[str, str, str, int]]:
        """Return endpoint, event, subject and number of what was queued since that time."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT endpoint, event, subject, number FROM webhook_deliveries WHERE created >= ?", (since,)
            ).fetchall()
        return frozenset(
            (str(row["endpoint"]), str(row["event"]), str(row["subject"]), int(row["number"])) for row in rows
        )

    def take(self, now: float, most: int) -> tuple[Delivery, ...]:
        """Return due deliveries, and reserve them for this process for a minute."""
        if not self._any_due(now):
            return ()
        taken: list[Delivery] = []
        with self._store.writing(lock=LOCK) as connection:
            connection.execute("DELETE FROM webhook_deliveries WHERE created < ?", (now - MONTHS,))
            rows = connection.execute(
                "SELECT * FROM webhook_deliveries WHERE status = 'waiting' AND next_at <= ? ORDER BY next_at LIMIT ?",
                (now, most),
            ).fetchall()
            for row in rows:
                connection.execute("UPDATE webhook_deliveries SET next_at = ? WHERE id = ?", (now + LEASE, row["id"]))
                taken.append(_delivery(row))
        return tuple(taken)

    def _any_due(self, now: float) -> bool:
        """Check without a transaction, which others would have to wait for: usually nothing is due."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT id FROM webhook_deliveries WHERE status = 'waiting' AND next_at <= ? LIMIT 1", (now,)
            ).fetchone()
        return row is not None

    def delivered(self, delivery: Delivery) -> None:
        """Record that the endpoint has received it."""
        self._finish(delivery, "delivered")

    def failed(self, delivery: Delivery, now: float) -> bool:
        """Record a failure. Return whether the delivery was given up."""
        if delivery.attempts >= len(BACK_OFF):
            self.give_up(delivery)
            return True
        with self._store.writing(lock=LOCK) as connection:
            connection.execute(
                "UPDATE webhook_deliveries SET attempts = attempts + 1, next_at = ? WHERE id = ? AND status = 'waiting'",
                (now + BACK_OFF[delivery.attempts], delivery.id),
            )
        return False

    def give_up(self, delivery: Delivery) -> None:
        """Record that the endpoint will not receive it."""
        self._finish(delivery, "given up")

    def _finish(self, delivery: Delivery, status: str) -> None:
        with self._store.writing(lock=LOCK) as connection:
            connection.execute("UPDATE webhook_deliveries SET status = ? WHERE id = ?", (status, delivery.id))


def _delivery(row: Any) -> Delivery:
    return Delivery(
        row["id"],
        row["endpoint"],
        row["event"],
        row["subject"],
        stored(row["body"], dict),
        row["created"],
        row["attempts"],
    )
