"""The table of people's own Mailgun keys: one for each principal, encrypted with keys that are not in the state."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.sealing import SealKeys

LOCK = "personal keys"


@dataclass(frozen=True, slots=True)
class PersonalKey:
    """The Mailgun key of one person."""

    principal: str
    region: str
    created: float
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredPersonalKey:
    """A stored key's record, without the key itself."""

    principal: str
    region: str
    created: float
    encryption: Literal["current", "older", "unknown"]
    """Whether the first encryption key sealed it, another one, or one that was not supplied."""


class PersonalKeys:
    """The table. `keys` encrypts; without it, the table can be listed and emptied, but no key can be read."""

    def __init__(self, store: Store, keys: SealKeys | None) -> None:
        self._store = store
        self._keys = keys

    def put(self, key: PersonalKey) -> None:
        """Store the key, replacing any earlier one. Raises StateError."""
        with self._store.writing(lock=LOCK) as connection:
            connection.execute(
                """INSERT INTO personal_keys (principal, region, created, encrypted) VALUES (?, ?, ?, ?)
                ON CONFLICT (principal) DO UPDATE
                SET region = excluded.region, created = excluded.created, encrypted = excluded.encrypted""",
                (key.principal, key.region, key.created, self._sealed(key)),
            )

    def find(self, principal: str) -> PersonalKey | None:
        """Return the principal's key, or None. Raises StateError if it cannot be decrypted."""
        row = self._row(principal)
        return None if row is None else self._opened(row)

    def version(self, principal: str) -> bytes | None:
        """Return a value that changes whenever the principal's key does, or None without a key. Decrypts nothing."""
        row = self._row(principal)
        return None if row is None else bytes(row["encrypted"])

    def remove(self, principal: str) -> bool:
        """Delete the key permanently, and return whether there was one."""
        if not self._store.exists:
            return False
        with self._store.writing(lock=LOCK) as connection:
            return connection.execute("DELETE FROM personal_keys WHERE principal = ?", (principal,)).rowcount == 1

    def list(self) -> tuple[StoredPersonalKey, ...]:
        """Return what is stored, sorted by principal."""
        return tuple(
            StoredPersonalKey(row["principal"], row["region"], row["created"], self._encryption(row))
            for row in self._rows()
        )

    def encrypt_again(self) -> int:
        """Encrypt with the first key whatever an older key encrypted, and return how many. Raises StateError."""
        count = 0
        for row in self._rows():
            if self._encryption(row) == "current":
                continue
            sealed = self._sealed(self._opened(row))
            with self._store.writing(lock=LOCK) as connection:
                # Unless it has been replaced or removed meanwhile.
                count += connection.execute(
                    "UPDATE personal_keys SET encrypted = ? WHERE principal = ? AND encrypted = ?",
                    (sealed, row["principal"], row["encrypted"]),
                ).rowcount
        return count

    def _row(self, principal: str) -> Any:
        if not self._store.exists:
            return None
        with self._store.reading() as connection:
            return connection.execute("SELECT * FROM personal_keys WHERE principal = ?", (principal,)).fetchone()

    def _rows(self) -> Iterator[Any]:
        if not self._store.exists:
            return
        with self._store.reading() as connection:
            rows = connection.execute("SELECT * FROM personal_keys ORDER BY principal").fetchall()
        yield from rows

    def _encryption(self, row: Any) -> Literal["current", "older", "unknown"]:
        try:
            self._opened(row)
        except StateError:
            return "unknown"
        return "current" if self._cipher.is_current(bytes(row["encrypted"])) else "older"

    def _opened(self, row: Any) -> PersonalKey:
        name = _name(row["principal"], row["region"])
        key = self._cipher.unseal(bytes(row["encrypted"]), name).decode()
        return PersonalKey(row["principal"], row["region"], row["created"], key)

    def _sealed(self, key: PersonalKey) -> bytes:
        return self._cipher.seal(key.key.encode(), _name(key.principal, key.region))

    @property
    def _cipher(self) -> SealKeys:
        if self._keys is None:
            raise StateError("no encryption key is configured for people's own Mailgun keys")
        return self._keys


def _name(principal: str, region: str) -> str:
    """Return the name under which a key is sealed, so that it opens only for this principal and region."""
    return f"the Mailgun key of {principal} in the region {region}"
