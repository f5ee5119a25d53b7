"""Signing in at an authorization server of a library, with real codes, keys and PKCE."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from mailgun_mcp import asgi
from mailgun_mcp.call.services import Services
from mailgun_mcp.settings import Settings
from tests.support.identity_provider import ISSUER, OUR_SECRET, OURS, RESOURCE, IdentityProvider
from tests.support.oauth import SETTINGS, issuer_http
from tests.support.pages import Browser

pytestmark = pytest.mark.anyio
SESSION = "__Host-mailgun-mcp-session"


@pytest.fixture
def provider() -> IdentityProvider:
    return IdentityProvider()


def registered(directory: Path) -> Settings:
    secret = directory / "secret"
    secret.write_text(f"{OUR_SECRET}\n", encoding="utf-8")
    return replace(SETTINGS, oauth_client_id=OURS, oauth_client_secret_file=str(secret))


@asynccontextmanager
async def browsing(
    services: Services, provider: IdentityProvider, settings: Settings
) -> AsyncIterator[tuple[Browser, httpx.AsyncClient]]:
    """Give a browser at the server, and one at the authorization server."""
    app = asgi.create(settings, services=services, http=issuer_http(provider))
    ours, theirs = httpx.ASGITransport(app=app), httpx.ASGITransport(app=provider.app)
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=ours, base_url=RESOURCE, timeout=30) as http,
        httpx.AsyncClient(transport=theirs, base_url=ISSUER) as issuer,
    ):
        yield Browser(http, services), issuer


async def go(browser: Browser, issuer: httpx.AsyncClient, path: str = "/approvals") -> str:
    """Sign in as far as the authorization server, and return where it sends the browser."""
    start = await browser.http.get("/sign-in/issuer", params={"next": path})
    assert start.status_code == 303, start.text
    answer = await issuer.get(start.headers["location"])
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


async def test_a_person_signs_in_and_is_who_the_authorization_server_says(
    services: Services, provider: IdentityProvider, tmp_path: Path
) -> None:
    async with browsing(services, provider, registered(tmp_path)) as (browser, issuer):
        await browser.open("/sign-in")
        assert "Sign in with your organization" in browser.text
        back = await go(browser, issuer, "/approvals/grants")
        answer = await browser.open(back)
        assert answer.status_code == 200, browser.text
        assert browser.tree.xpath("//meta[@http-equiv='refresh']/@content") == ["0;url=/approvals/grants"]
        cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith(SESSION))
        assert cookie.endswith("; HttpOnly; Max-Age=28800; Path=/; SameSite=strict; Secure")
        await browser.open("/approvals")
        assert "ann@login.example.com" in browser.tree.xpath("string(//header)")
        query = parse_qs(urlsplit(back).query)
        assert "code" in query
        replayed = await browser.http.get(back)
        assert replayed.status_code == 403


async def test_the_request_has_pkce_a_nonce_and_no_secret(
    services: Services, provider: IdentityProvider, tmp_path: Path
) -> None:
    async with browsing(services, provider, registered(tmp_path)) as (browser, _):
        start = await browser.http.get("/sign-in/issuer")
        location, cookie = start.headers["location"], start.headers["set-cookie"]
        query = {name: value for name, (value,) in parse_qs(urlsplit(location).query).items()}
        assert (query["code_challenge_method"], query["response_type"]) == ("S256", "code")
        assert query["redirect_uri"] == f"{RESOURCE}/sign-in/callback"
        assert query["scope"] == "openid mailgun:approve"
        secret = cookie.partition("=")[2].partition(";")[0]
        assert len(query["nonce"]) == len(query["code_challenge"]) == 43
        assert secret not in location
        assert "SameSite=lax" in cookie


async def test_a_sign_in_that_another_browser_started_or_that_was_changed_is_refused(
    services: Services, provider: IdentityProvider, tmp_path: Path
) -> None:
    """The attacker wants the victim's browser to be signed in as the attacker, or the victim's code for themselves."""
    async with browsing(services, provider, registered(tmp_path)) as (browser, issuer):
        back = await go(browser, issuer)
        own = httpx.Cookies(browser.http.cookies)
        attempts = [
            (back, httpx.Cookies()),
            (back.replace("state=", "state=x"), own),
            (f"{back}&iss=https://other.example.com", own),
            (f"{RESOURCE}/sign-in/callback?{urlsplit(back).query.replace('code=', 'kode=')}", own),
            (f"{RESOURCE}/sign-in/callback", own),
        ]
        for url, cookies in attempts:
            browser.http.cookies = cookies
            answer = await browser.http.get(url)
            assert (answer.status_code, SESSION in answer.headers.get("set-cookie", "")) == (403, False), url
        await browser.http.get("/sign-in/issuer")
        other = await browser.http.get(back)
        assert (other.status_code, "not started in this browser" in other.text) == (403, True)


async def test_tokens_of_others_sign_nobody_in(services: Services, provider: IdentityProvider, tmp_path: Path) -> None:
    async with browsing(services, provider, registered(tmp_path)) as (browser, issuer):
        for changed in (
            {"nonce": "other"},
            {"aud": "another-client"},
            {"iss": "https://other.example.com"},
            {"exp": 1},
            {"sub": "ben"},
            {"azp": "another-client"},
        ):
            provider.id_claims = changed
            answer = await browser.http.get(await go(browser, issuer))
            assert (answer.status_code, SESSION in answer.headers.get("set-cookie", "")) == (403, False), changed
        provider.id_claims = None
        answer = await browser.http.get(await go(browser, issuer))
        assert answer.status_code == 403


async def test_an_authorization_server_that_is_down_is_said_to_be_down(
    services: Services, provider: IdentityProvider, tmp_path: Path
) -> None:
    async with browsing(services, provider, registered(tmp_path)) as (browser, _):
        provider.down = True
        answer = await browser.http.get("/sign-in/issuer")
        assert (answer.status_code, "does not answer" in answer.text) == (503, True)
        provider.down = False
        assert (await browser.http.get("/sign-in/issuer")).status_code == 303


async def test_a_code_that_is_not_accepted_is_not_said_to_be_a_server_that_is_down(
    services: Services, provider: IdentityProvider, tmp_path: Path
) -> None:
    async with browsing(services, provider, registered(tmp_path)) as (browser, issuer):
        back = httpx.URL(await go(browser, issuer)).copy_set_param("code", "used-before")
        answer = await browser.http.get(str(back))
        assert (answer.status_code, "did not accept this sign-in" in answer.text) == (403, True)


async def test_without_a_registration_there_is_no_such_sign_in(services: Services, provider: IdentityProvider) -> None:
    async with browsing(services, provider, SETTINGS) as (browser, _):
        assert (await browser.http.get("/sign-in/issuer")).status_code == 404
        await browser.open("/sign-in")
        assert "organization" not in browser.text
