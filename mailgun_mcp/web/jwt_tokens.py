"""Access tokens that are JWTs (RFC 9068), which the authorization server signs with one of its private keys."""

from hmac import compare_digest
from typing import Any

from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.web.authentication import TokenRefused
from mailgun_mcp.web.claims import Claims
from mailgun_mcp.web.issuer_keys import IssuerKeys

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Public-key algorithms only. Otherwise a public key could be used as if it were a shared secret, to forge a token."""
ACCESS_TOKENS = frozenset({"at+jwt", "application/at+jwt", "jwt"})
ID_TOKENS = frozenset({"jwt"})
LEEWAY = 30.0
"""Seconds by which clocks may differ."""
REQUIRED = ["exp", "iss", "aud"]


class JwtTokens:
    """Verifies the signature, issuer, audience and times of a token."""

    def __init__(self, keys: IssuerKeys, claims: Claims) -> None:
        self._keys = keys
        self._claims = claims

    def takes(self, token: str) -> bool:
        """Return whether the token looks like a JWT."""
        return token.count(".") == 2

    async def verify(self, token: str) -> Principal:
        """Return the principal of the token. Raises TokenRefused, TokensUnavailable."""
        return self._claims.principal_of(await verified_claims(token, self._keys, self._claims, ACCESS_TOKENS))


class IdTokens:
    """Verifies OpenID Connect ID tokens: who signed in, at this server, in this sign-in."""

    def __init__(self, keys: IssuerKeys, claims: Claims) -> None:
        self._keys = keys
        self._claims = claims

    async def verify(self, token: str, *, nonce: str) -> Principal:
        """Return the principal whom the token names. Raises TokenRefused, TokensUnavailable."""
        claims = await verified_claims(token, self._keys, self._claims, ID_TOKENS)
        sent = claims.get("nonce")
        if not isinstance(sent, str) or not compare_digest(sent.encode("utf-8", "replace"), nonce.encode()):
            raise TokenRefused("it belongs to another sign-in")
        # A token for several audiences must say that it was issued to us.
        if claims.get("azp", *self._claims.audiences) not in self._claims.audiences:
            raise TokenRefused("it was issued to another client")
        return self._claims.principal_of(claims)


async def verified_claims(token: str, keys: IssuerKeys, expected: Claims, types: frozenset[str]) -> dict[str, Any]:
    """Return the claims of a token after checking signature, issuer, audience and times. Raises TokenRefused."""
    import jwt
    from jwt.exceptions import PyJWTError

    try:
        header = jwt.get_unverified_header(token)
        algorithm, key_id = _checked(header, types)
        key = await keys.find(key_id, algorithm)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=list(expected.audiences),
            issuer=expected.issuer,
            leeway=LEEWAY,
            options={"require": REQUIRED},
        )
    except (PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise TokenRefused(f"{type(error).__name__}: {error}") from error
    return claims


def _checked(header: dict[str, Any], types: frozenset[str]) -> tuple[str, str | None]:
    """Return the algorithm and the key id. Other ways to name a key (`jku`, `jwk`, `x5u`) are ignored."""
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ")
    if algorithm not in ALGORITHMS:
        raise TokenRefused("it is not signed with an algorithm that is accepted")
    if kind is not None and (not isinstance(kind, str) or kind.lower() not in types):
        raise TokenRefused("it is not the kind of token that is expected")
    if "crit" in header:
        raise TokenRefused("it has extensions that this server does not know")
    if key_id is not None and not isinstance(key_id, str):
        raise TokenRefused("its key id is not text")
    return str(algorithm), key_id
