"""Tells API keys apart without keeping them: an HMAC whose own key never leaves the state directory."""

from hashlib import sha256
from hmac import new as hmac
from pathlib import Path

from mailgun_mcp.store.owner_file import read_or_create_secret

FILE = "fingerprint.key"
LENGTH = 32
"""Characters: 128 bits."""


def fingerprint(key: str, state: Path) -> str:
    """Return the fingerprint of an API key, the same for every process that uses this state directory.

    Raises StateError when the file that it needs can be neither read nor made.
    """
    secret = read_or_create_secret(state, FILE)
    return hmac(secret.encode(), key.encode(), sha256).hexdigest()[:LENGTH]
