"""The Mailgun account that calls are made in."""

import re
from dataclasses import dataclass

SHOWN = 8
"""Characters of a fingerprint that a person is shown."""
PERSONAL = "personal-"
"""How the account of a person's own key is called at first."""


@dataclass(frozen=True, slots=True)
class Account:
    """A Mailgun account: the operator's name for it, the endpoint, and the key that opens it."""

    name: str
    endpoint: str
    """The base URL of the API."""
    region: str | None = None
    """`us` or `eu`; None for an endpoint of the operator's own."""
    fingerprint: str = ""
    """Of the API key: see `identity.fingerprint`. Empty where the state cannot be read."""
    id: str = ""
    """Stands for the account in the state. It stays when the account is renamed, or gets another key."""

    @property
    def key(self) -> str:
        """What is counted and kept for the account is found by this."""
        return self.id or self.name

    @property
    def binding(self) -> str:
        """What a confirmation is bound to: the account at this endpoint, with this key."""
        return " ".join((self.key, self.endpoint, self.fingerprint))

    def __str__(self) -> str:
        return self.name


def personal_account_name(principal: str) -> str:
    """Return what the account of a principal's own key is called at first."""
    return PERSONAL + (re.sub(r"[^A-Za-z0-9._-]+", "-", principal).strip("-.") or "account")[:48]
