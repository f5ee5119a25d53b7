"""The table of grants: calls that a person allowed for a limited time. No tool reads or writes it."""

import json
from dataclasses import dataclass
from secrets import token_hex
from time import monotonic
from typing import Any

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.database import MONTHS, Store, is_there, stored
from mailgun_mcp.text.suggest import unknown

MARKER = "elevated"
"""File beside SQLite, created with the first grant: every call checks for grants, and most people never give one."""
LOCK = "grants"
RECENT = 1.0
"""How long grants that were read are reused for records, in seconds."""
LONGEST = 86_400.0
"""Longest grant in seconds. What should be allowed for longer belongs in the policy."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A person's permission for calls that match, until a point in time."""

    id: str
    until: float
    match: dict[str, Any]
    """Written like the `match` of a policy rule."""
    by: str
    account: str = ""
    """The id of the account in which the grant applies."""


class Grants:
    """The table of grants."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._marker = store.directory / MARKER if store.sealer is None else None
        self._read: dict[str, tuple[float, tuple[Grant, ...]]] = {}
        """Account -> when its grants were last read, and the grants."""

    def add(self, match: dict[str, Any], *, account: str, until: float, by: str, now: float) -> Grant:
        """Allow calls in one account that `match` covers, until `until`.

        Raises StateError for an empty match, a time in the past or more than a day ahead, or an empty `by`.
        """
        if not match or not by.strip() or not now < until <= now + LONGEST:
            raise StateError("a grant needs a match, the name of the person who gives it, and an end within a day")
        grant = Grant(token_hex(4), until, match, by, account)
        with self._store.writing(lock=LOCK) as connection:
            if self._marker is not None:
                self._marker.touch(0o600)
            connection.execute("DELETE FROM grants WHERE until < ?", (now - MONTHS,))
            connection.execute(
                "INSERT INTO grants (id, created, until, match, by, account) VALUES (?, ?, ?, ?, ?, ?)",
                (grant.id, now, until, json.dumps(match), by, account),
            )
        return grant

    def recently_active(self, now: float, account: str) -> tuple[Grant, ...]:
        """Return the active grants of an account as of at most a second ago: for records, not for decisions.

        On PostgreSQL each read is a round trip that other calls would wait for.
        """
        if self._marker is not None:
            return self.active(now, account)
        read_at, grants = self._read.get(account, (-RECENT, ()))
        if monotonic() - read_at >= RECENT:
            grants = self.active(now, account)
            self._read = {**self._read, account: (monotonic(), grants)}
        return tuple(grant for grant in grants if grant.until > now)

    def active(self, now: float, account: str | None = None) -> tuple[Grant, ...]:
        """Return the active grants of one account, or of all."""
        if self._marker is not None and not is_there(self._marker):
            return ()
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM grants WHERE until > ? AND account = coalesce(?, account) ORDER BY created",
                (now, account),
            ).fetchall()
        return tuple(
            Grant(row["id"], row["until"], stored(row["match"], dict), row["by"], row["account"]) for row in rows
        )

    def revoke(self, name: str, now: float) -> None:
        """End a grant. Raises UnknownNameError if there is none."""
        with self._store.writing(lock=LOCK) as connection:
            done = connection.execute("UPDATE grants SET until = ? WHERE id = ? AND until > ?", (now, name, now))
            if done.rowcount == 0:
                active = [row["id"] for row in connection.execute("SELECT id FROM grants WHERE until > ?", (now,))]
                raise UnknownNameError(unknown("grant", name, active, none="no grant is active"))
