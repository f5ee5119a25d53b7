"""From what an authorization server says of a token to the principal whom it proves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mailgun_mcp.identity.access import SCOPES, Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.web.authentication import TokenRefused

EMAIL = "email"
LONGEST = 200
"""Characters of a name."""


@dataclass(frozen=True, slots=True)
class Claims:
    """How claims are read."""

    issuer: str
    audiences: tuple[str, ...]
    """What a token must be for: the URLs of this server."""
    principal: str = "sub"
    """The claim that names the principal."""

    def principal_of(self, claims: Mapping[str, Any]) -> Principal:
        """Return the principal. Raises TokenRefused.

        The name is that of the claim and the host of the issuer, so that nobody can choose to be called like a user
        of this machine or a static token. An email address must be verified, and stands for itself.
        """
        name = claims.get(self.principal)
        if not isinstance(name, str) or not name.strip() or len(name) > LONGEST or not name.isprintable():
            raise TokenRefused(f"its claim {self.principal} names nobody")
        if self.principal == EMAIL:
            if claims.get("email_verified") is not True or name.count("@") != 1:
                raise TokenRefused("its email address is not verified")
        else:
            name = f"{name}@{urlsplit(self.issuer).netloc}"
        expires = claims.get("exp")
        number = expires if isinstance(expires, (int, float)) and not isinstance(expires, bool) else None
        return Principal(name, access=Access(scopes_in(claims)), expires=number)

    def is_for_us(self, audience: Any) -> bool:
        """Return whether the audience is, or contains, one of this server's."""
        named = audience if isinstance(audience, list) else [audience]
        return any(isinstance(item, str) and item in self.audiences for item in named)


def scopes_in(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes of ours that a token has: in `scope` (RFC 9068) or `scp`, as text or as a list."""
    words: list[str] = []
    for name in ("scope", "scp"):
        value = claims.get(name)
        words += value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    return frozenset(word for word in words if isinstance(word, str) and word in SCOPES)
