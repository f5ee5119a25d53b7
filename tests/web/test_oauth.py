"""The official MCP client gets a token by itself: discovery, code flow with PKCE, and more scopes when a call needs them."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from mailgun_mcp import asgi
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.settings import Settings
from mailgun_mcp.web.introspection import Introspection
from mailgun_mcp.web.issuer_http import IssuerHttp
from mailgun_mcp.web.jwt_tokens import JwtTokens
from mailgun_mcp.web.oauth import oauth_verifier
from tests.support.identity_provider import CLIENT, ISSUER, REDIRECT, RESOURCE, IdentityProvider
from tests.support.oauth import SETTINGS, introspecting, issuer_http
from tests.support.recorder import Recorder, recorded_services
from tests.support.team import GREETING, call_modern, team_server, token_of

pytestmark = pytest.mark.anyio


class Storage:
    """What the client keeps: it was registered at the authorization server before."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.scopes: list[str] = []

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens
        self.scopes.append(tokens.scope or "")

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return OAuthClientInformationFull.model_validate(
            {
                "client_id": CLIENT,
                "redirect_uris": [REDIRECT],
                "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code"],
                "response_types": ["code"],
                "issuer": ISSUER,
            }
        )

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        raise AssertionError(client_info)


class Browser:
    """Follows the client to the authorization server, and gives it back what it is redirected with."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self.visited: list[str] = []
        self._answer: AuthorizationCodeResult | None = None

    async def visit(self, url: str) -> None:
        self.visited.append(url)
        answer = await self._http.get(url)
        assert answer.status_code == 302, answer.text
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        self._answer = AuthorizationCodeResult(code=query["code"][0], state=query["state"][0])

    async def back(self) -> AuthorizationCodeResult:
        assert self._answer is not None
        return self._answer


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder()


@pytest.fixture
def services(mailgun: Recorder) -> Services:
    return recorded_services(mailgun, policy=profile("unguarded"), clock=time.time)


@asynccontextmanager
async def connected(
    services: Services, provider: IdentityProvider, storage: Storage
) -> AsyncIterator[tuple[Client, Browser]]:
    app = asgi.create(SETTINGS, services=services, http=issuer_http(provider))
    mounts = {
        ISSUER: httpx2.ASGITransport(app=provider.app),
        RESOURCE: httpx2.ASGITransport(app=app),
    }
    async with app.lifespan(), httpx2.AsyncClient(mounts=mounts) as at_the_browser:
        browser = Browser(at_the_browser)
        auth = OAuthClientProvider(
            f"{RESOURCE}/mcp",
            OAuthClientMetadata.model_validate({"redirect_uris": [REDIRECT], "client_name": "tests"}),
            storage,
            browser.visit,
            browser.back,
        )
        async with (
            httpx2.AsyncClient(mounts=mounts, auth=auth, timeout=30) as http,
            Client(streamable_http_client(f"{RESOURCE}/mcp", http_client=http), mode="auto") as client,
        ):
            yield client, browser


async def test_a_client_without_a_token_gets_one_and_more_scopes_when_a_call_needs_them(
    services: Services, mailgun: Recorder
) -> None:
    provider, storage = IdentityProvider(), Storage()
    async with connected(services, provider, storage) as (client, browser):
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert ("get_domain" in tools, "clear_bounces" in tools) == (True, False)
        assert not (await client.call_tool("get_domain", {"name": "mg.example.com"})).is_error
        assert (storage.scopes, len(browser.visited)) == (["mailgun:read"], 1)
        assert "code_challenge_method=S256" in browser.visited[0]
        cleared = await client.call_tool("clear_bounces", {"domain_name": "mg.example.com"})
        assert (cleared.is_error, len(browser.visited)) == (False, 2)
    assert set(storage.scopes[-1].split()) == {"mailgun:read", "mailgun:destructive"}
    assert mailgun.changes == ["DELETE /v3/mg.example.com/bounces"]
    services.recorder.close()
    assert {call.fields["principal"] for call in services.audit_log.calls()} == {"ann@login.example.com"}
    assert storage.tokens is not None
    written = "".join(mailgun.headers) + str([call.fields for call in services.audit_log.calls()])
    assert storage.tokens.access_token not in written


async def test_what_the_authorization_server_does_not_give_is_not_called(services: Services, mailgun: Recorder) -> None:
    provider, storage = IdentityProvider(), Storage()
    provider.server.scopes_supported = None
    provider.clients[CLIENT].get_allowed_scope = lambda scope: "mailgun:read"  # type: ignore[method-assign]
    async with connected(services, provider, storage) as (client, _):
        with pytest.raises(MCPError, match="error response"):
            await client.call_tool("clear_bounces", {"domain_name": "mg.example.com"})
    assert mailgun.changes == []


async def test_a_client_is_told_where_to_get_a_token_and_the_metadata_needs_none(services: Services) -> None:
    async with team_server(services, SETTINGS, http=issuer_http(IdentityProvider())) as client:
        refused = await client.post("/mcp", json=GREETING)
        metadata = f"{RESOURCE}/.well-known/oauth-protected-resource/mcp"
        assert refused.headers["www-authenticate"] == (
            f'Bearer realm="mailgun-mcp", scope="mailgun:read", resource_metadata="{metadata}"'
        )
        assert (await client.get(urlsplit(metadata).path)).json()["authorization_servers"] == [ISSUER]
        static = token_of(services, "ci", "read")
        assert (await call_modern(client, static, "get_domain", {"name": "mg.example.com"})).status_code == 200


INCOMPLETE: dict[str, tuple[dict[str, Any], str]] = {
    "no issuer": ({"oauth_audience": "x"}, "oauth-audience: set oauth-issuer too"),
    "no URL of ours": ({"oauth_issuer": ISSUER}, "oauth-issuer: set public-url too"),
    "plain HTTP": ({"oauth_issuer": "http://x.example", "public_url": RESOURCE}, "oauth-issuer: .* must be an https"),
    "plain HTTP of ours": (
        {"oauth_issuer": ISSUER, "public_url": "http://x.example"},
        "public-url: .* must be an https",
    ),
    "keys over plain HTTP": (
        {"oauth_issuer": ISSUER, "public_url": RESOURCE, "oauth_jwks_url": "http://x.example"},
        "oauth-jwks-url: .* must be an https",
    ),
    "no secret": (
        {"oauth_issuer": ISSUER, "public_url": RESOURCE, "oauth_introspection_url": f"{ISSUER}/introspect"},
        "set oauth-client-id and oauth-client-secret-file too",
    ),
    "no file of the secret": (
        {
            "oauth_issuer": ISSUER,
            "public_url": RESOURCE,
            "oauth_introspection_url": f"{ISSUER}/introspect",
            "oauth_client_id": "x",
            "oauth_client_secret_file": "/nonexistent",
        },
        "oauth-client-secret-file: cannot read /nonexistent",
    ),
}


@pytest.mark.parametrize(("options", "message"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_settings_that_do_not_go_together_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        oauth_verifier(Settings(**options), IssuerHttp(), time.time)


def test_with_introspection_each_token_is_asked_about(tmp_path: Path) -> None:
    assert isinstance(oauth_verifier(introspecting(tmp_path), IssuerHttp(), time.time), Introspection)
    assert isinstance(oauth_verifier(SETTINGS, IssuerHttp(), time.time), JwtTokens)
    assert oauth_verifier(Settings(), IssuerHttp(), time.time) is None


async def test_what_introspection_says_lets_in(services: Services, tmp_path: Path) -> None:
    provider = IdentityProvider()
    async with team_server(services, introspecting(tmp_path), http=issuer_http(provider)) as client:
        token = {"Authorization": f"Bearer {provider.token(scope='mailgun:read')}"}
        assert (await call_modern(client, token, "get_domain", {"name": "mg.example.com"})).status_code == 200
        assert (await call_modern(client, token, "clear_bounces", {})).status_code == 403
        provider.down = True
        assert (await client.post("/mcp", json=GREETING, headers=token)).status_code == 200
        other = {"Authorization": "Bearer opaque"}
        assert (await client.post("/mcp", json=GREETING, headers=other)).status_code == 503
    assert provider.requests.count("/introspect") == 2
