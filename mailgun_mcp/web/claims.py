"""Turns what an authorization server says about a token into the principal whom the token proves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mailgun_mcp.identity.access import SCOPES, Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.web.authentication import TokenRefused

EMAIL = "email"
LONGEST = 200
"""Maximum length of a name in characters."""
LAST = 253_402_300_799
"""The last second that has a date, in the year 9999. Some servers name a later one, such as a time in milliseconds."""


@dataclass(frozen=True, slots=True)
class Claims:
    """How the claims of a token are read."""

    issuer: str
    audiences: tuple[str, ...]
    """Accepted audiences of a token: the URLs of this server."""
    principal: str = "sub"
    """The claim that names the principal."""

    def principal_of(self, claims: Mapping[str, Any]) -> Principal:
        """Return the principal. Raises TokenRefused.

        The name is the claim plus the host of the issuer, so that nobody can choose the name of a user of this machine
        or of a static token. An email address must be verified, and is used as it is.
        """
        name = claims.get(self.principal)
        if not isinstance(name, str) or not name.strip() or len(name) > LONGEST or not name.isprintable():
            raise TokenRefused(f"its claim {self.principal} does not name anyone")
        if self.principal == EMAIL:
            if claims.get("email_verified") is not True or name.count("@") != 1:
                raise TokenRefused("its email address is not verified")
        else:
            name = f"{name}@{urlsplit(self.issuer).netloc}"
        expires = claims.get("exp")
        number = expires if isinstance(expires, (int, float)) and not isinstance(expires, bool) else None
        return Principal(name, access=Access(scopes_in(claims)), expires=None if number is None else min(number, LAST))

    def is_for_us(self, audience: Any) -> bool:
        """Return whether the audience is or contains one of `audiences`."""
        named = audience if isinstance(audience, list) else [audience]
        return any(isinstance(item, str) and item in self.audiences for item in named)


def scopes_in(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return our scopes that a token has, from `scope` (RFC 9068) or `scp`, as a string or a list."""
    words: list[str] = []
    for name in ("scope", "scp"):
        value = claims.get(name)
        words += value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    return frozenset(word for word in words if isinstance(word, str) and word in SCOPES)
