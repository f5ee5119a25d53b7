"""Secrets that all processes with the same state need: in files beside SQLite, encrypted in PostgreSQL."""

import time
from dataclasses import dataclass
from secrets import token_urlsafe

from mailgun_mcp.errors import StateError
from mailgun_mcp.store.connection import Sealer
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.owner_file import BYTES, read_or_create_secret

SINGLE = "single"
"""The kind of secrets of which there is only one per name."""
LOCK = "shared secrets"


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """A secret in the database, and its name there."""

    name: str
    created: float
    value: bytes


def shared_secret(store: Store, name: str) -> str:
    """Return the random secret with that name, 43 characters. It is created at first use, and never changes.

    `name` is that of the file beside SQLite. Raises StateError if it can be neither read nor created.
    """
    if store.sealer is None:
        return read_or_create_secret(store.directory, name)
    secret_row = next((secret for secret in shared_secrets(store, SINGLE, name)), None)
    if secret_row is None:
        add_shared_secret(store, SINGLE, name, token_urlsafe(BYTES).encode(), time.time())
        # If several servers start at once, another one may have created it.
        (secret_row,) = shared_secrets(store, SINGLE, name)
    return secret_row.value.decode()


def shared_secrets(store: Store, kind: str, name: str | None = None) -> list[SharedSecret]:
    """Return the secrets of a kind in the database, oldest first. Raises StateError if one cannot be decrypted."""
    with store.reading() as connection:
        rows = connection.execute(
            "SELECT name, created, sealed FROM shared_secrets WHERE kind = ? AND name = coalesce(?, name) ORDER BY created",
            (kind, name),
        ).fetchall()
    return [
        SharedSecret(row["name"], row["created"], _sealer(store).unseal(row["sealed"], sealed_name(kind, row["name"])))
        for row in rows
    ]


def add_shared_secret(store: Store, kind: str, name: str, value: bytes, now: float) -> None:
    """Add a secret to the database, unless there is one with that name."""
    with store.writing(lock=LOCK) as connection:
        connection.execute(
            "INSERT INTO shared_secrets (kind, name, created, sealed) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (kind, name, now, _sealer(store).seal(value, sealed_name(kind, name))),
        )


def sealed_name(kind: str, name: str) -> str:
    """Return the name under which a secret is sealed."""
    return f"{kind} {name}"


def _sealer(store: Store) -> Sealer:
    if store.sealer is None:
        raise StateError("only a state in PostgreSQL has secrets in the database")
    return store.sealer
