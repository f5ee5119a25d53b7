"""The keys that all replicas share, and that are not in the database: they seal what lies there or at clients.

`--seal-keys FILE` has one key a line. The first one seals, and all of them open, so that keys can be rotated while
replicas run. Without the file, the key is made in the state directory, for servers on one machine.
"""

import hmac
from functools import cached_property
from pathlib import Path
from secrets import token_bytes

from mailgun_mcp.errors import StateError
from mailgun_mcp.store.owner_file import read_or_create_secret

FILE = "seal-keys"
SHORTEST = 32
"""Characters of a key."""
KEY_ID = 4
"""Bytes before a sealed value that tell which key sealed it."""
NONCE = 12
AT_REST = "state at rest"


class SealKeys:
    """The keys in `file`, or else the one in `directory`. They are read at their first use."""

    def __init__(self, file: Path | None, directory: Path) -> None:
        self._file = file
        self._directory = directory

    def derived(self, purpose: str) -> list[bytes]:
        """Return a key for one purpose from each of the keys, in their order. Raises StateError."""
        label = f"mailgun-mcp {purpose}".encode()
        return [hmac.digest(secret.encode(), label, "sha256") for secret in self._secrets]

    def seal(self, value: bytes, name: str) -> bytes:
        """Return the value encrypted with the first key. It opens only under the same name."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key_id, key = next(iter(self._at_rest.items()))
        nonce = token_bytes(NONCE)
        return key_id + nonce + AESGCM(key).encrypt(nonce, value, name.encode())

    def unseal(self, sealed: bytes, name: str) -> bytes:
        """Return the value. Raises StateError for one that was changed, or sealed with a key that is not known."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._at_rest.get(sealed[:KEY_ID])
        if key is None:
            raise StateError(
                f"{name} in the database was sealed with a key that is not in {self.source}: give every server that "
                "shares the state the same --seal-keys"
            )
        nonce, encrypted = sealed[KEY_ID : KEY_ID + NONCE], sealed[KEY_ID + NONCE :]
        try:
            return AESGCM(key).decrypt(nonce, encrypted, name.encode())
        except (InvalidTag, ValueError) as error:
            raise StateError(f"{name} in the database was changed: it does not open") from error

    def is_current(self, sealed: bytes) -> bool:
        """Return whether the value was sealed with the first key."""
        return self.age_of(sealed) == 0

    def age_of(self, sealed: bytes) -> int | None:
        """Return how many keys are before the one that the value was sealed with, or None for a key that is not known."""
        return next((age for age, key_id in enumerate(self._at_rest) if key_id == sealed[:KEY_ID]), None)

    @property
    def source(self) -> Path:
        """The file of the keys."""
        return self._file or self._directory / FILE

    @cached_property
    def _at_rest(self) -> dict[bytes, bytes]:
        return {hmac.digest(key, b"id", "sha256")[:KEY_ID]: key for key in self.derived(AT_REST)}

    @cached_property
    def _secrets(self) -> list[str]:
        if self._file is None:
            return [read_or_create_secret(self._directory, FILE)]
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise StateError(f"seal-keys: cannot read {self._file}: {error}") from error
        keys = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
        for number, key in enumerate(keys, 1):
            if len(key) < SHORTEST:
                raise StateError(
                    f"seal-keys: key {number} of {self._file} is shorter than {SHORTEST} characters: make one with "
                    "`openssl rand -hex 32`"
                )
        if not keys:
            raise StateError(f"seal-keys: {self._file} has no key: add one, made with `openssl rand -hex 32`")
        return keys
