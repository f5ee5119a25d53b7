"""Access tokens as Keycloak, Auth0, Entra ID and Okta write them: the scopes count, and roles and permissions do not."""

import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from mailgun_mcp.settings import Settings
from mailgun_mcp.web.authentication import TokenRefused
from mailgun_mcp.web.issuer_http import IssuerHttp
from mailgun_mcp.web.oauth import oauth_verifier
from tests.support.identity_provider import RESOURCE
from tests.support.oauth import PUBLIC

pytestmark = pytest.mark.anyio

API = f"{RESOURCE}/mcp"
KEY = RSAKey.generate_key(2048, {"kid": "signing"})
FOR_ENCRYPTION = RSAKey.generate_key(2048, {"kid": "encryption", "use": "enc", "alg": "RSA-OAEP"})

KEYCLOAK: dict[str, Any] = {
    "iss": "https://login.example.com/realms/team",
    "aud": [API, "account"],
    "sub": "f1c0ffee-0000-4000-8000-000000000001",
    "typ": "Bearer",
    "azp": "assistant",
    "sid": "5c1d",
    "acr": "1",
    "allowed-origins": ["*"],
    "realm_access": {"roles": ["offline_access", "mailgun:destructive"]},
    "resource_access": {"account": {"roles": ["manage-account", "mailgun:credential"]}},
    "scope": "openid profile email mailgun:read mailgun:send",
    "email_verified": True,
    "preferred_username": "ann",
    "email": "ann@example.com",
}
AUTH0: dict[str, Any] = {
    "iss": "https://example.eu.auth0.com/",
    "aud": [API, "https://example.eu.auth0.com/userinfo"],
    "sub": "auth0|507f1f77bcf86cd799439020",
    "azp": "my_client_id",
    "scope": "openid profile mailgun:read mailgun:send",
    "permissions": ["mailgun:read", "mailgun:send", "mailgun:destructive"],
}
ENTRA: dict[str, Any] = {
    "iss": "https://login.microsoftonline.com/6fa1/v2.0",
    "aud": "11112222-bbbb-3333-cccc-4444dddd5555",
    "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
    "oid": "00000000-0000-0000-66f3-3332eca7ea81",
    "tid": "6fa1",
    "azp": "22223333-cccc-4444-dddd-5555eeee6666",
    "scp": "mailgun:read mailgun:send",
    "roles": ["mailgun:destructive"],
    "ver": "2.0",
}
OKTA: dict[str, Any] = {
    "iss": "https://team.okta.com/oauth2/default",
    "aud": API,
    "sub": "ann@example.com",
    "cid": "0oa1",
    "uid": "00u1",
    "ver": 1,
    "scp": ["openid", "mailgun:read", "mailgun:send"],
    "groups": ["mailgun:destructive"],
}


def issuer_http(issuer: str) -> IssuerHttp:
    """Return the HTTP of a server that reaches this provider."""

    async def resolve(_: str, __: int) -> list[str]:
        return [PUBLIC]

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        host = request.headers["host"]
        if f"https://{host}{path}" == f"{issuer.rstrip('/')}/.well-known/openid-configuration":
            return httpx.Response(200, json={"issuer": issuer, "jwks_uri": f"https://{host}/keys"})
        if path == "/keys":
            # Without `alg`, as Entra ID has them.
            keys = [FOR_ENCRYPTION.as_dict(private=False), {**KEY.as_dict(private=False), "use": "sig"}]
            return httpx.Response(200, json={"keys": keys})
        return httpx.Response(404)

    return IssuerHttp(resolve=resolve, transport=httpx.MockTransport(answer))


async def verified(claims: dict[str, Any], header: dict[str, Any] | None = None, **options: Any) -> Any:
    now = int(time.time())
    head = {"alg": "RS256", "kid": "signing", **(header or {})}
    token = jwt.encode(head, {"iat": now, "exp": now + 300, **claims}, KEY)
    settings = Settings(public_url=RESOURCE, oauth_issuer=claims["iss"], **options)
    verifier = oauth_verifier(settings, issuer_http(claims["iss"]), time.time)
    assert verifier is not None
    return await verifier.verify(token)


@pytest.mark.parametrize(
    ("claims", "header", "options", "principal"),
    [
        (KEYCLOAK, {"typ": "JWT"}, {}, f"{KEYCLOAK['sub']}@login.example.com"),
        (KEYCLOAK, {"typ": "JWT"}, {"oauth_principal": "email"}, "ann@example.com"),
        (AUTH0, {"typ": "at+jwt"}, {}, f"{AUTH0['sub']}@example.eu.auth0.com"),
        (AUTH0, {"typ": "JWT"}, {}, f"{AUTH0['sub']}@example.eu.auth0.com"),
        (ENTRA, {"typ": "JWT"}, {"oauth_audience": ENTRA["aud"]}, f"{ENTRA['sub']}@login.microsoftonline.com"),
        (OKTA, {}, {}, "ann@example.com@team.okta.com"),
    ],
)
async def test_the_scopes_of_each_provider_count_and_nothing_else(
    claims: dict[str, Any], header: dict[str, Any], options: dict[str, Any], principal: str
) -> None:
    caller = await verified(claims, header, **options)
    assert caller.id == principal
    assert caller.access.scopes == {"mailgun:read", "mailgun:send"}


@pytest.mark.parametrize("claims", [{**KEYCLOAK, "aud": "account"}, {**AUTH0, "aud": AUTH0["aud"][1:]}, ENTRA])
async def test_a_token_of_the_provider_for_something_else_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused, match="InvalidAudience"):
        await verified(claims)


async def test_an_id_token_of_the_provider_is_no_access_token() -> None:
    with pytest.raises(TokenRefused):
        await verified({**AUTH0, "aud": "my_client_id", "nonce": "n"})
