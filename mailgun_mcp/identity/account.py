"""The Mailgun account in which calls are made."""

import re
from dataclasses import dataclass

SHOWN = 8
"""How many characters of a fingerprint are shown to people."""
PERSONAL = "personal-"
"""Prefix of the initial name of an account that a person's own key opens."""


@dataclass(frozen=True, slots=True)
class Account:
    """A Mailgun account: the operator's name for it, the endpoint, and the key that opens it."""

    name: str
    endpoint: str
    """The base URL of the API."""
    region: str | None = None
    """`us` or `eu`; None for a custom endpoint."""
    fingerprint: str = ""
    """Fingerprint of the API key: see `identity.fingerprint`. Empty if the state cannot be read."""
    id: str = ""
    """Identifies the account in the state. It stays the same if the account is renamed or gets another key."""

    @property
    def key(self) -> str:
        """The key under which records of the account are stored and counted."""
        return self.id or self.name

    @property
    def binding(self) -> str:
        """What a confirmation is bound to: the account at this endpoint, with this key."""
        return " ".join((self.key, self.endpoint, self.fingerprint))

    def __str__(self) -> str:
        return self.name


def personal_account_name(principal: str) -> str:
    """Return the initial name of an account that a principal's own key opens."""
    return PERSONAL + (re.sub(r"[^A-Za-z0-9._-]+", "-", principal).strip("-.") or "account")[:48]
