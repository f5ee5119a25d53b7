"""Recognises keys and secrets without storing them.

An API key has an HMAC whose own key never leaves the state. A secret of ours is random, so a plain hash will do.
"""

from hashlib import sha256
from hmac import new as hmac

from mailgun_mcp.store.database import Store
from mailgun_mcp.store.shared_secrets import shared_secret

FILE = "fingerprint.key"
LENGTH = 32
"""Length in hexadecimal characters: 128 bits."""


def fingerprint(key: str, store: Store) -> str:
    """Return the fingerprint of an API key, the same for every process that uses this state.

    Raises StateError if the secret that it needs can be neither read nor created.
    """
    secret = shared_secret(store, FILE)
    return hmac(secret.encode(), key.encode(), sha256).hexdigest()[:LENGTH]


def secret_digest(secret: str) -> str:
    """Return the hash of a random secret, which cannot be reversed by guessing."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
