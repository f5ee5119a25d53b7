"""Calls that a person allowed for a while, from the channel that only a person can write to."""

import json
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.database import MONTHS, Store, stored
from mailgun_mcp.text.suggest import unknown

MARKER = "elevated"
"""A file that is there once anything was allowed: every call asks, and most have nobody who allows anything."""
LONGEST = 86_400.0
"""Seconds. What is to be allowed for longer belongs into the policy."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What is allowed, until when, by whom."""

    id: str
    until: float
    match: dict[str, Any]
    """As the `match` of a policy rule."""
    by: str


class Grants:
    """The table of grants."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._marker = store.directory / MARKER

    def add(self, match: dict[str, Any], *, until: float, by: str, now: float) -> Grant:
        """Allow what `match` covers until then.

        Raises StateError for an empty match, a time that is past or more than a day ahead, or nobody as `by`.
        """
        if not match or not by.strip() or not now < until <= now + LONGEST:
            raise StateError("a grant needs a match, a person who gives it, and an end within a day")
        grant = Grant(token_hex(4), until, match, by)
        with self._store.writing() as connection:
            self._marker.touch(0o600)
            connection.execute("DELETE FROM elevations WHERE until < ?", (now - MONTHS,))
            connection.execute(
                "INSERT INTO elevations (id, created, until, match, by) VALUES (?, ?, ?, ?, ?)",
                (grant.id, now, until, json.dumps(match), by),
            )
        return grant

    def active(self, now: float) -> tuple[Grant, ...]:
        """Return what is allowed now."""
        if not self._marker.exists():
            return ()
        with self._store.reading() as connection:
            rows = connection.execute("SELECT * FROM elevations WHERE until > ? ORDER BY created", (now,)).fetchall()
        return tuple(Grant(row["id"], row["until"], stored(row["match"], dict), row["by"]) for row in rows)

    def revoke(self, name: str, now: float) -> None:
        """End a grant. Raises UnknownNameError when there is none."""
        with self._store.writing() as connection:
            done = connection.execute("UPDATE elevations SET until = ? WHERE id = ? AND until > ?", (now, name, now))
            if done.rowcount == 0:
                known = [row["id"] for row in connection.execute("SELECT id FROM elevations WHERE until > ?", (now,))]
                raise UnknownNameError(unknown("grant", name, known))
