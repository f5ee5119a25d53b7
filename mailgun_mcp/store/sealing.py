"""Keys that all replicas share but that are not in the database. They encrypt what is stored there or at clients.

`--seal-keys FILE` has one key per line. The first one encrypts, and all of them decrypt, so that keys can be rotated
while replicas run. Without the file, a key is created in the state directory, for servers on one machine.
"""

import hmac
from functools import cached_property
from pathlib import Path
from secrets import token_bytes

from mailgun_mcp.errors import StateError, reason_of
from mailgun_mcp.store.owner_file import read_or_create_secret

FILE = "seal-keys"
SHORTEST = 32
"""Shortest key, in characters."""
KEY_ID = 4
"""Length, in bytes, of the prefix of a sealed value that says which key sealed it."""
NONCE = 12
AT_REST = "state at rest"


class SealKeys:
    """The keys in `file`, else the one in `directory`. They are read at first use."""

    def __init__(self, file: Path | None, directory: Path) -> None:
        self._file = file
        self._directory = directory

    def derived(self, purpose: str) -> list[bytes]:
        """Return one key per secret, derived for a single purpose, in the same order. Raises StateError."""
        label = f"mailgun-mcp {purpose}".encode()
        return [hmac.digest(secret.encode(), label, "sha256") for secret in self._secrets]

    def seal(self, value: bytes, name: str) -> bytes:
        """Return the value encrypted with the first key. It can only be decrypted under the same name."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key_id, key = next(iter(self._at_rest.items()))
        nonce = token_bytes(NONCE)
        return key_id + nonce + AESGCM(key).encrypt(nonce, value, name.encode())

    def unseal(self, sealed: bytes, name: str) -> bytes:
        """Return the value. Raises StateError if it was changed, or encrypted with an unknown key."""
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
            raise StateError(f"{name} in the database was changed and cannot be decrypted") from error

    def is_current(self, sealed: bytes) -> bool:
        """Return whether the value was encrypted with the first key."""
        return self.age_of(sealed) == 0

    def age_of(self, sealed: bytes) -> int | None:
        """Return the position (0 is first) of the key that encrypted the value, or None if it is unknown."""
        return next((age for age, key_id in enumerate(self._at_rest) if key_id == sealed[:KEY_ID]), None)

    @property
    def source(self) -> Path:
        """The file with the keys."""
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
            raise StateError(f"seal-keys: cannot read {self._file}: {reason_of(error)}") from error
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
