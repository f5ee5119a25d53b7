"""The table of approvers: people who prove their identity with a personal secret. The secrets are not stored."""

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from secrets import token_hex, token_urlsafe

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.identity.accounts import NAME, NAME_RULE
from mailgun_mcp.store.database import Store
from mailgun_mcp.text.suggest import unknown

LOCK = "approvers"
BYTES = 24
"""Length of a generated secret in bytes. Secrets are random, so a plain hash cannot be reversed by guessing."""


@dataclass(frozen=True, slots=True)
class StoredApprover:
    """A person who has a secret."""

    name: str
    created: float


class Approvers:
    """The table of approvers. Names are compared without regard to case."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, name: str, now: float) -> str:
        """Add an approver and return their secret, which cannot be read again. Raises StateError."""
        if not NAME.fullmatch(name):
            raise StateError(f"{name!r} is not the name of an approver: {NAME_RULE}")
        secret, salt = token_urlsafe(BYTES), token_hex(16)
        with self._store.writing(lock=LOCK) as connection:
            done = connection.execute(
                "INSERT INTO approvers (name, created, salt, digest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (name.casefold(), now, salt, _digest(salt, secret)),
            )
        if done.rowcount == 0:
            raise StateError(f"{name} already has a secret: to give a new one, remove the approver first")
        return secret

    def remove(self, name: str) -> None:
        """Remove an approver. Raises UnknownNameError."""
        with self._store.writing(lock=LOCK) as connection:
            if connection.execute("DELETE FROM approvers WHERE name = ?", (name.casefold(),)).rowcount == 0:
                names = [row["name"] for row in connection.execute("SELECT name FROM approvers")]
                raise UnknownNameError(unknown("approver", name, names, none="nobody has a secret"))

    def list(self) -> tuple[StoredApprover, ...]:
        """Return all approvers, sorted by name."""
        if not self._store.exists:
            return ()
        with self._store.reading() as connection:
            rows = connection.execute("SELECT name, created FROM approvers ORDER BY name").fetchall()
        return tuple(StoredApprover(row["name"], row["created"]) for row in rows)

    def __contains__(self, name: str) -> bool:
        return name.casefold() in [approver.name for approver in self.list()]

    def prove(self, name: str, secret: str) -> str:
        """Return the approver's name if the secret is theirs. Raises StateError if it is not."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT name, salt, digest FROM approvers WHERE name = ?", (name.casefold(),)
            ).fetchone()
        if row is None or not compare_digest(_digest(row["salt"], secret), row["digest"]):
            raise StateError(f"this is not the secret of {name}. No answer was recorded")
        return str(row["name"])


def _digest(salt: str, secret: str) -> str:
    return sha256(f"{salt}{secret}".encode("utf-8", "surrogatepass")).hexdigest()
