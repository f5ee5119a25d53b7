"""The table of static tokens: named credentials for an HTTP server, each with its access. Only a hash is stored."""

import json
import re
from dataclasses import dataclass
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Any

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.accounts import NAME, NAME_RULE
from mailgun_mcp.identity.fingerprint import secret_digest
from mailgun_mcp.identity.principal import ANONYMOUS, Principal
from mailgun_mcp.store.database import Store, stored
from mailgun_mcp.store.ids import new_id
from mailgun_mcp.text.durations import iso
from mailgun_mcp.text.suggest import unknown

PREFIX = "mgmcp_"
"""Prefix of every token, so that secret scanners recognise it."""
LOCK = "tokens"
BYTES = 32
TOKEN = re.compile(rf"{PREFIX}([a-z0-9]{{10}})_([A-Za-z0-9_-]{{43}})")
CREDENTIAL = "token:"
"""Prefix of a token in `Principal.credential`; the token's id follows."""
USED_EVERY = 60.0
"""Least number of seconds between two updates of a token's last use."""
NO_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token without its secret."""

    id: str
    name: str
    access: Access
    created: float
    created_by: str
    expires: float | None = None
    last_used: float | None = None
    revoked: float | None = None

    @property
    def principal(self) -> Principal:
        """Who calls with the token."""
        return Principal(self.name, access=self.access, expires=self.expires, credential=f"{CREDENTIAL}{self.id}")

    def is_valid(self, now: float) -> bool:
        """Return whether the token is neither revoked nor expired."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def use_is_due(self, now: float) -> bool:
        """Return whether its use should be recorded: once a minute is enough."""
        return self.last_used is None or self.last_used + USED_EVERY < now


TokenEntry = tuple[StoredToken, str]
"""A token and the digest of its secret."""


def parts_in(text: str) -> tuple[str, str] | None:
    """Return the id and the secret in the text of a token, or None if it is not one."""
    parts = TOKEN.fullmatch(text)
    return (parts[1], parts[2]) if parts else None


def proven(entry: TokenEntry | None, secret: str, now: float) -> StoredToken | None:
    """Return the token if the secret is its own and it is valid.

    The comparison takes the same time whichever character of the secret is wrong.
    """
    token, digest = entry or (None, NO_DIGEST)
    if not compare_digest(secret_digest(secret), digest):
        return None
    return token if token is not None and token.is_valid(now) else None


class Tokens:
    """The table of static tokens. Names are compared without regard to case."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self, name: str, access: Access, *, by: str, now: float, expires: float | None = None
    ) -> tuple[StoredToken, str]:
        """Create a token and return it with its text, which cannot be read again. Raises StateError.

        The name of a revoked or expired token can be used again.
        """
        if not NAME.fullmatch(name):
            raise StateError(f"{name!r} is not the name of a token: {NAME_RULE}")
        if name.casefold() == ANONYMOUS.id:
            raise StateError(f"{name} is the name of callers without a token: choose another name")
        token = StoredToken(new_id(10), name, access, now, by, expires)
        secret = token_urlsafe(BYTES)
        with self._store.writing(lock=LOCK) as connection:
            row = connection.execute("SELECT * FROM tokens WHERE name = ?", (name.casefold(),)).fetchone()
            if row is not None and _token(row).is_valid(now):
                raise StateError(f"there is a token named {row['shown']}: revoke it first, or choose another name")
            connection.execute("DELETE FROM tokens WHERE name = ?", (name.casefold(),))
            connection.execute(
                """INSERT INTO tokens (id, name, shown, digest, scopes, accounts, domains, created, created_by, expires, relay)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    *(token.id, name.casefold(), name, secret_digest(secret), json.dumps(access.listed_scopes)),
                    *(_list(access.accounts), _list(access.domains), now, by, expires, int(access.relay)),
                ),
            )
        return token, f"{PREFIX}{token.id}_{secret}"

    def list(self) -> tuple[StoredToken, ...]:
        """Return all tokens, sorted by name, including those that are no longer valid."""
        if not self._store.exists:
            return ()
        with self._store.reading() as connection:
            rows = connection.execute("SELECT * FROM tokens ORDER BY name").fetchall()
        return tuple(map(_token, rows))

    def revoke(self, name: str, now: float) -> StoredToken:
        """Revoke the token, with immediate effect on running servers. Raises UnknownNameError."""
        with self._store.writing(lock=LOCK) as connection:
            row = connection.execute("SELECT * FROM tokens WHERE name = ?", (name.casefold(),)).fetchone()
            if row is not None and row["revoked"] is not None:
                raise UnknownNameError(f"the token {row['shown']} is revoked already, since {iso(row['revoked'])}")
            if row is None:
                names = [row["shown"] for row in connection.execute("SELECT shown FROM tokens WHERE revoked IS NULL")]
                raise UnknownNameError(unknown("token", name, names, none="no token is valid"))
            connection.execute("UPDATE tokens SET revoked = ? WHERE id = ?", (now, row["id"]))
        return _token(row)

    def find(self, text: str, now: float) -> StoredToken | None:
        """Return the valid token with this text, and record its use. None if there is none."""
        parts = parts_in(text)
        if parts is None:
            return None
        name, secret = parts
        token = proven(self.entry(name), secret, now)
        if token is not None and token.use_is_due(now):
            self.note_use(token, now)
        return token

    def entry(self, name: str) -> TokenEntry | None:
        """Return the token with this id, valid or not, and the digest of its secret."""
        if not self._store.exists:
            return None
        with self._store.reading() as connection:
            row = connection.execute("SELECT * FROM tokens WHERE id = ?", (name,)).fetchone()
        return (_token(row), row["digest"]) if row else None

    def note_use(self, token: StoredToken, now: float) -> None:
        """Record that the token was used."""
        with self._store.writing(durable=False, lock=LOCK) as connection:
            connection.execute("UPDATE tokens SET last_used = ? WHERE id = ?", (now, token.id))

    def still_valid(self, name: str, now: float) -> StoredToken | None:
        """Return the token with this id in its current state, or None if it is no longer valid."""
        return next((token for token in self.list() if token.id == name and token.is_valid(now)), None)

    def any_valid(self, now: float) -> bool:
        """Return whether any token is valid."""
        return any(token.is_valid(now) for token in self.list())


def _token(row: Any) -> StoredToken:
    access = Access(
        frozenset(stored(row["scopes"], list)), _tuple(row["accounts"]), _tuple(row["domains"]), bool(row["relay"])
    )
    return StoredToken(
        id=row["id"],
        name=row["shown"],
        access=access,
        created=row["created"],
        created_by=row["created_by"],
        expires=row["expires"],
        last_used=row["last_used"],
        revoked=row["revoked"],
    )


def _list(values: tuple[str, ...] | None) -> str | None:
    return None if values is None else json.dumps(values)


def _tuple(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(stored(text, list))
