"""JWTs are verified with every kind of public key. What is forged: tests/attacks/test_forged_tokens.py."""

import time
from typing import Any

import pytest

from mailgun_mcp.web.authentication import TokenRefused
from mailgun_mcp.web.claims import Claims
from mailgun_mcp.web.issuer_keys import IssuerKeys
from mailgun_mcp.web.jwt_tokens import LEEWAY, JwtTokens
from tests.support.identity_provider import ISSUER, RESOURCE, IdentityProvider
from tests.support.oauth import issuer_http

pytestmark = pytest.mark.anyio


def verifier_of(provider: IdentityProvider) -> JwtTokens:
    keys = IssuerKeys(issuer_http(provider), ISSUER, f"{ISSUER}/jwks", time.time)
    return JwtTokens(keys, Claims(ISSUER, (f"{RESOURCE}/mcp",)))


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # for a name that PyJWT does not have yet
@pytest.mark.parametrize(("kind", "algorithm"), [("ec", "ES256"), ("okp", "EdDSA")])
async def test_tokens_are_signed_with_any_kind_of_public_key(kind: str, algorithm: str) -> None:
    provider = IdentityProvider()
    name = provider.add_key(kind)
    token = provider.token(provider.keys[name], header={"alg": algorithm, "kid": name})
    assert (await verifier_of(provider).verify(token)).id == "ann@login.example.com"


async def test_clocks_may_differ_by_a_little() -> None:
    provider, now = IdentityProvider(), time.time()
    verifier = verifier_of(provider)
    assert await verifier.verify(provider.token(exp=now - LEEWAY / 2))
    assert await verifier.verify(provider.token(nbf=now + LEEWAY / 2, iat=now + LEEWAY / 2))
    with pytest.raises(TokenRefused, match="ExpiredSignature"):
        await verifier.verify(provider.token(exp=now - 2 * LEEWAY))


@pytest.mark.parametrize("time_claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [float("inf"), float("nan"), "soon", []])
async def test_a_time_that_is_no_time_is_refused(time_claim: str, value: Any) -> None:
    provider = IdentityProvider()
    with pytest.raises(TokenRefused):
        await verifier_of(provider).verify(provider.token(**{time_claim: value}))


@pytest.mark.parametrize("kind", [None, "JWT", "at+jwt", "AT+JWT", "application/at+jwt"])
async def test_a_type_may_be_left_out(kind: str | None) -> None:
    provider = IdentityProvider()
    assert await verifier_of(provider).verify(provider.token(header={"typ": kind}))


def test_what_has_not_three_parts_is_another_kind_of_token() -> None:
    verifier = verifier_of(IdentityProvider())
    assert [verifier.takes(token) for token in ("a.b.c", "opaque", "a.b", "a.b.c.d.e")] == [True, False, False, False]
