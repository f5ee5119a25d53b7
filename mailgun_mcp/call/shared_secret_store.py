"""Secrets withheld from the model, for their owner, if servers share a database: encrypted in one of its tables."""

import json
from typing import Any

from mailgun_mcp.call.secret_store import Secret, SecretStore
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.connection import Connection, Sealer
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.ids import new_id
from mailgun_mcp.text.suggest import unknown

LOCK = "withheld secrets"
KEPT_IN = "database"


class SharedSecretStore:
    """The table of withheld secrets. Only the keys that the servers share can decrypt the values."""

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer

    def prepare(self) -> None:
        """Make sure that a secret can be stored, before a call that returns one. Raises StateError if it cannot."""
        self._sealer.seal(b"", "test")
        with self._store.writing(lock=LOCK):
            pass

    def keep(self, value: str, *, tool: str, place: str, account: str, now: float) -> str:
        """Store a value and return its reference; the same value of a place is stored once. Raises StateError."""
        with self._store.writing(lock=LOCK) as connection:
            rows = connection.execute(
                "SELECT ref, sealed FROM withheld_secrets WHERE tool = ? AND place = ? AND account = ?",
                (tool, place, account),
            ).fetchall()
            for row in rows:
                if self._opens_to(row, value):
                    return str(row["ref"])
            ref = _new_reference(connection)
            connection.execute(
                "INSERT INTO withheld_secrets (ref, created, tool, place, account, sealed) VALUES (?, ?, ?, ?, ?, ?)",
                (ref, now, tool, place, account, self._sealer.seal(json.dumps(value).encode(), name_of(ref))),
            )
        return ref

    def list(self) -> tuple[Secret, ...]:
        """Return all secrets without their values, oldest first."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT ref, created, tool, place, account FROM withheld_secrets ORDER BY created, ref"
            ).fetchall()
        return tuple(Secret(**dict(row), kept_in=KEPT_IN) for row in rows)

    def show(self, ref: str) -> str:
        """Return the value of a secret. Raises StateError if there is none, or it cannot be decrypted."""
        with self._store.reading() as connection:
            row = connection.execute("SELECT sealed FROM withheld_secrets WHERE ref = ?", (ref,)).fetchone()
            if row is None:
                raise _unknown(connection, ref)
        return str(json.loads(self._sealer.unseal(row["sealed"], name_of(ref))))

    def forget(self, ref: str) -> None:
        """Delete a secret permanently. Raises StateError if there is none."""
        with self._store.writing(lock=LOCK) as connection:
            if connection.execute("DELETE FROM withheld_secrets WHERE ref = ?", (ref,)).rowcount == 0:
                raise _unknown(connection, ref)

    def _opens_to(self, row: Any, value: str) -> bool:
        """Return whether the row holds this value. A row that cannot be decrypted must not block a new one."""
        try:
            return bool(json.loads(self._sealer.unseal(row["sealed"], name_of(row["ref"]))) == value)
        except StateError:
            return False


def name_of(ref: str) -> str:
    """Return the name under which a secret is sealed."""
    return f"the secret {ref}"


def secrets_of(store: Store) -> SecretStore | SharedSecretStore:
    """Return the store of withheld secrets for this state."""
    return SecretStore(store.directory) if store.sealer is None else SharedSecretStore(store, store.sealer)


def _new_reference(connection: Connection) -> str:
    while True:
        ref = new_id(10)
        if connection.execute("SELECT 1 FROM withheld_secrets WHERE ref = ?", (ref,)).fetchone() is None:
            return ref


def _unknown(connection: Connection, ref: str) -> UnknownNameError:
    refs = [row["ref"] for row in connection.execute("SELECT ref FROM withheld_secrets")]
    return UnknownNameError(unknown("secret", ref, refs) if refs else f"unknown secret {ref!r}: no secrets are stored")
