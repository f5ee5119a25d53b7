"""The keys of the audit log: in the system's keyring if one works, else in a file that only its owner can read.

If servers share a database, it holds the keys too, encrypted with keys that are not in it. So access to the database
alone is not enough to sign entries. Replaced keys are kept, to verify the entries that they signed.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from secrets import token_bytes, token_hex

from mailgun_mcp.errors import StateError, reason_of
from mailgun_mcp.store.database import Store, prepare_directory, refuse_others
from mailgun_mcp.store.keyring import Keyring, find_keyring
from mailgun_mcp.store.shared_secrets import add_shared_secret, shared_secrets
from mailgun_mcp.text.atomic_write import write_file

FILE = "audit-keys.json"
SERVICE = "mailgun-mcp audit log"
KIND = "audit key"
"""The kind of these secrets in a shared database."""
BYTES = 32


@dataclass(frozen=True, slots=True)
class AuditKey:
    """A key of the audit log."""

    id: str
    secret: bytes = field(repr=False)


def new_key() -> AuditKey:
    """Return a random key."""
    return AuditKey(token_hex(4), token_bytes(BYTES))


@dataclass(frozen=True, slots=True)
class _StoredKey:
    id: str
    created: float
    secret: str | None = field(default=None, repr=False)
    """The key in hexadecimal; None if it is in the keyring."""


class AuditKeys:
    """The keys of the log in `directory`."""

    def __init__(self, directory: Path, keyring: Callable[[], Keyring | None] = find_keyring) -> None:
        self._directory = directory
        self._find_keyring = keyring
        self._read: dict[str, AuditKey] = {}

    @property
    def exist(self) -> bool:
        """Whether a key was ever created here, which means that there was a log."""
        return bool(self._stored())

    def newest(self) -> AuditKey | None:
        """Return the newest key, or None. Raises StateError if it cannot be read."""
        stored = self._stored()
        return self.get(stored[-1].id) if stored else None

    def get(self, key_id: str) -> AuditKey | None:
        """Return a key, or None if neither the file nor the keyring has it."""
        if key_id not in self._read:
            secret = next((key.secret for key in self._stored() if key.id == key_id), None)
            if secret is None:
                secret = _from_keyring(self._find_keyring(), key_id)
            if secret is None:
                return None
            try:
                self._read[key_id] = AuditKey(key_id, bytes.fromhex(secret))
            except ValueError as error:
                raise self._unreadable() from error
        return self._read[key_id]

    def prepare(self, key_id: str) -> None:
        """Read a key from the file. One in the keyring is read when it is needed: that may ask a person."""
        if any(key.id == key_id and key.secret is not None for key in self._stored()):
            self.get(key_id)

    def add(self, now: float, key: AuditKey | None = None) -> AuditKey:
        """Store `key`, or a new one, and return it. Raises StateError if it cannot be stored."""
        key = key or new_key()
        secret = key.secret.hex()
        in_keyring = _store_in_keyring(self._find_keyring(), key.id, secret)
        stored = (*self._stored(), _StoredKey(key.id, now, None if in_keyring else secret))
        try:
            prepare_directory(self._directory)
            write_file(self._directory / FILE, json.dumps([asdict(key) for key in stored]).encode())
        except OSError as error:
            raise StateError(f"the key of the audit log cannot be stored: {reason_of(error)}") from error
        self._read[key.id] = key
        return key

    def _stored(self) -> tuple[_StoredKey, ...]:
        path = self._directory / FILE
        try:
            if not path.exists():
                return ()
            refuse_others(path)
            return tuple(_StoredKey(**record) for record in json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise self._unreadable() from error

    def _unreadable(self) -> StateError:
        return StateError(f"{self._directory / FILE} cannot be read: restore it, or see `mailgun-mcp audit restart`")


class SharedAuditKeys(AuditKeys):
    """The keys of a log that several servers write, encrypted in their database."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.directory, lambda: None)
        self._store = store

    def add(self, now: float, key: AuditKey | None = None) -> AuditKey:
        """Store `key`, or a new one, and return it, in the transaction that first uses it."""
        key = key or new_key()
        add_shared_secret(self._store, KIND, key.id, key.secret, now)
        return key

    def _stored(self) -> tuple[_StoredKey, ...]:
        return tuple(
            _StoredKey(secret.name, secret.created, secret.value.hex()) for secret in shared_secrets(self._store, KIND)
        )


def keys_of(store: Store) -> AuditKeys:
    """Return the keys of the log in this state."""
    return AuditKeys(store.directory) if store.sealer is None else SharedAuditKeys(store)


def _from_keyring(keyring: Keyring | None, key_id: str) -> str | None:
    try:
        return keyring.get_password(SERVICE, key_id) if keyring else None
    except Exception:  # noqa: BLE001 - a plug-in of the desktop: a key that it does not give is missing
        return None


def _store_in_keyring(keyring: Keyring | None, key_id: str, secret: str) -> bool:
    """Store the key in the keyring and return whether it is there."""
    if keyring is None:
        return False
    try:
        keyring.set_password(SERVICE, key_id, secret)
    except Exception:  # noqa: BLE001 - as above; the file is there
        return False
    return _from_keyring(keyring, key_id) == secret
