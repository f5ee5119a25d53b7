"""Keys are fetched once, again for a key that is new, and stay while the authorization server is down."""

import pytest

from mailgun_mcp.web.authentication import TokenRefused, TokensUnavailable
from mailgun_mcp.web.issuer_keys import AGAIN, FRESH, STALE, IssuerKeys, metadata_urls
from tests.support.identity_provider import ISSUER, IdentityProvider
from tests.support.oauth import issuer_http

pytestmark = pytest.mark.anyio


class Keys:
    """Keys of a provider of their own, and a clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.provider = IdentityProvider()
        self.keys = IssuerKeys(issuer_http(self.provider), ISSUER, None, lambda: self.now)

    async def find(self) -> str:
        name = next(iter(self.provider.keys))
        return str((await self.keys.find(name, "RS256")).key_id)

    @property
    def fetched(self) -> int:
        return self.provider.requests.count("/jwks")


async def test_keys_are_found_by_the_issuers_metadata_and_fetched_once() -> None:
    keys = Keys()
    assert [await keys.find() for _ in range(3)] == ["rsa-1"] * 3
    assert keys.provider.requests == ["/.well-known/oauth-authorization-server", "/jwks"]
    keys.now += FRESH + 1
    await keys.find()
    assert keys.fetched == 2


async def test_a_new_key_is_fetched_when_a_token_names_it() -> None:
    keys = Keys()
    await keys.find()
    keys.provider.rotate()
    with pytest.raises(TokenRefused):
        await keys.find()
    keys.now += AGAIN
    assert (await keys.find()).startswith("rsa-2")
    with pytest.raises(TokenRefused):
        await keys.keys.find("rsa-1", "RS256")


async def test_keys_stay_while_the_authorization_server_is_down_for_a_day() -> None:
    keys = Keys()
    await keys.find()
    keys.provider.down = True
    keys.now += FRESH + 1
    assert await keys.find() == "rsa-1"
    fetched = keys.fetched
    await keys.find()
    assert keys.fetched == fetched
    keys.now += STALE
    with pytest.raises(TokensUnavailable):
        await keys.find()


async def test_without_any_keys_tokens_cannot_be_checked() -> None:
    keys = Keys()
    keys.provider.down = True
    with pytest.raises(TokensUnavailable):
        await keys.find()
    keys.provider.down = False
    keys.now += AGAIN
    assert await keys.find() == "rsa-1"


async def test_a_key_is_used_for_its_own_kind_of_signature_only() -> None:
    keys = Keys()
    curve = keys.provider.add_key("ec")
    assert (await keys.keys.find(curve, "ES256")).key_id == curve
    for name, algorithm in ((curve, "RS256"), ("rsa-1", "ES256"), ("rsa-1", "PS256"), ("rsa-1", "EdDSA")):
        with pytest.raises(TokenRefused):
            await keys.keys.find(name, algorithm)


async def test_without_a_key_id_there_must_be_only_one_key_of_the_kind() -> None:
    keys = Keys()
    assert (await keys.keys.find(None, "RS256")).key_id == "rsa-1"


def test_metadata_is_where_openid_and_rfc_8414_say() -> None:
    assert metadata_urls("https://login.example.com/tenant/") == [
        "https://login.example.com/tenant/.well-known/openid-configuration",
        "https://login.example.com/.well-known/oauth-authorization-server/tenant",
    ]
