"""The tables of browser sessions, and of the one-time links that open them. Only hashes of the secrets are stored."""

import json
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any, Literal

from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.fingerprint import secret_digest
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.store.database import Store, stored

SessionSource = Literal["link", "issuer"]
"""How a person signed in: through a link printed in a terminal, or at the authorization server."""

LOCK = "sessions"
CREDENTIAL = "session:"
"""Prefix of a session in `Principal.credential`; the digest of the session's secret follows."""
BYTES = 32
LINK_SECONDS = 300.0
SESSION_SECONDS = 8 * 3600.0


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A person who is signed in with a browser."""

    principal: Principal
    source: SessionSource
    expires: float


class Sessions:
    """The tables of sessions and of links."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create_link(self, principal: str, now: float) -> str:
        """Return the secret of a link that signs `principal` in, once and within five minutes."""
        secret = token_urlsafe(BYTES)
        with self._store.writing(lock=LOCK) as connection:
            connection.execute("DELETE FROM sign_in_links WHERE expires <= ?", (now,))
            connection.execute(
                "INSERT INTO sign_in_links (digest, principal, expires) VALUES (?, ?, ?)",
                (secret_digest(secret), principal, now + LINK_SECONDS),
            )
        return secret

    def linked(self, secret: str, now: float) -> str | None:
        """Return whom the link would sign in, without using it. None if it was used, has expired or never existed."""
        if not self._store.exists:
            return None
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT principal FROM sign_in_links WHERE digest = ? AND expires > ?", (secret_digest(secret), now)
            ).fetchone()
        return None if row is None else str(row["principal"])

    def use_link(self, secret: str, now: float) -> str | None:
        """Use the link, and return the secret of the session that it opens. Only its first user gets a session."""
        principal = self.linked(secret, now)
        if principal is None:
            return None
        with self._store.writing(lock=LOCK) as connection:
            used = connection.execute(
                "DELETE FROM sign_in_links WHERE digest = ? AND expires > ?", (secret_digest(secret), now)
            )
            # Whoever can print the link can answer in the terminal too, so all scopes are granted.
            return _open(connection, Principal(principal), "link", now) if used.rowcount == 1 else None

    def open(self, principal: Principal, source: SessionSource, now: float) -> str:
        """Open a session, and return its secret for the cookie."""
        with self._store.writing(lock=LOCK) as connection:
            return _open(connection, principal, source, now)

    def find(self, secret: str, now: float) -> BrowserSession | None:
        """Return the session with this secret, or None."""
        if not self._store.exists:
            return None
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT * FROM browser_sessions WHERE digest = ? AND expires > ?", (secret_digest(secret), now)
            ).fetchone()
        if row is None:
            return None
        principal = Principal(
            row["principal"],
            access=_access(row["access"]),
            expires=row["expires"],
            credential=f"{CREDENTIAL}{row['digest']}",
        )
        return BrowserSession(principal, row["source"], row["expires"])

    def still_open(self, digest: str, now: float) -> bool:
        """Return whether the session whose secret has this digest is still open."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM browser_sessions WHERE digest = ? AND expires > ?", (digest, now)
            ).fetchone()
        return row is not None

    def close(self, secret: str) -> None:
        """End a session."""
        with self._store.writing(lock=LOCK) as connection:
            connection.execute("DELETE FROM browser_sessions WHERE digest = ?", (secret_digest(secret),))


def _open(connection: Any, principal: Principal, source: SessionSource, now: float) -> str:
    secret = token_urlsafe(BYTES)
    access = principal.access
    bounds = [None if access.scopes is None else access.listed_scopes, access.accounts, access.domains]
    connection.execute("DELETE FROM browser_sessions WHERE expires <= ?", (now,))
    connection.execute(
        """INSERT INTO browser_sessions (digest, principal, access, source, created, expires)
        VALUES (?, ?, ?, ?, ?, ?)""",
        (secret_digest(secret), principal.id, json.dumps(bounds), source, now, now + SESSION_SECONDS),
    )
    return secret


def _access(text: str) -> Access:
    scopes, accounts, domains = (None if names is None else tuple(names) for names in stored(text, list))
    return Access(None if scopes is None else frozenset(scopes), accounts, domains)
