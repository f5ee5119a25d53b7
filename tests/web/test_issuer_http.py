"""The authorization server is reached over TLS at public addresses, and what it answers is bounded."""

from typing import Any

import httpx
import pytest

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.web.authentication import TokensUnavailable
from mailgun_mcp.web.issuer_http import LARGEST, IssuerHttp, IssuerRefused, is_public, resolve
from tests.support.oauth import PUBLIC

pytestmark = pytest.mark.anyio
URL = "https://login.example.com/jwks"


async def at_public(_: str, __: int) -> list[str]:
    return [PUBLIC]


def reaching(answer: httpx.Response | Exception, seen: list[httpx.Request] | None = None) -> IssuerHttp:
    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return IssuerHttp(resolve=at_public, transport=httpx.MockTransport(handle))


async def test_the_connection_goes_to_the_address_that_was_checked_and_names_the_host() -> None:
    seen: list[httpx.Request] = []
    assert await reaching(httpx.Response(200, json={"keys": []}), seen).get(URL) == {"keys": []}
    (request,) = seen
    assert (request.url.host, request.url.path) == (PUBLIC, "/jwks")
    assert (request.headers["host"], request.extensions["sni_hostname"]) == ("login.example.com", "login.example.com")


BAD: dict[str, Any] = {
    "an error": httpx.Response(500),
    "a redirect": httpx.Response(302, headers={"Location": "http://169.254.169.254/"}),
    "no JSON": httpx.Response(200, text="<html>"),
    "a list": httpx.Response(200, json=[]),
    "too much": httpx.Response(200, content=b"[" + b" " * LARGEST + b"]"),
    "no connection": httpx.ConnectError("refused"),
    "no time": httpx.ReadTimeout("late"),
}


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD)
async def test_any_other_answer_means_that_tokens_cannot_be_checked(answer: Any) -> None:
    seen: list[httpx.Request] = []
    with pytest.raises(TokensUnavailable):
        await reaching(answer, seen).get(URL)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("body", "shown"),
    [({"error": "invalid_grant"}, " (invalid_grant)"), ({"error": "<b>\n"}, ""), ([], ""), ({"error": 5}, "")],
)
async def test_a_refusal_is_told_from_no_answer_and_names_the_error(body: Any, shown: str) -> None:
    with pytest.raises(IssuerRefused) as caught:
        await reaching(httpx.Response(400, json=body)).post(URL, {}, None)
    assert str(caught.value) == f"{URL} answered with HTTP 400{shown}"


@pytest.mark.parametrize("status", [408, 425, 429, 503])
async def test_a_server_that_says_to_come_again_has_refused_nothing(status: int) -> None:
    with pytest.raises(TokensUnavailable) as caught:
        await reaching(httpx.Response(status)).post(URL, {}, None)
    assert not isinstance(caught.value, IssuerRefused)


URLS = ["http://login.example.com/", "ftp://login.example.com/", "https://ann@login.example.com/", "https:///x", ""]
URLS += ["https://login.example.com/#x", "https://[::1/", "https://login.example.com/\n", "login.example.com"]


@pytest.mark.parametrize("url", URLS)
async def test_a_url_that_is_not_plain_https_is_refused(url: str) -> None:
    http = reaching(httpx.Response(200, json={}))
    with pytest.raises(SettingsError, match="must be an https:// URL"):
        http.check("oauth-issuer", url)
    with pytest.raises(TokensUnavailable):
        await http.get(url)


async def test_loopback_is_for_tests_that_say_so() -> None:
    url = "http://127.0.0.1:1/jwks"
    with pytest.raises(SettingsError):
        IssuerHttp().check("oauth-issuer", url)
    assert IssuerHttp(loopback=True).check("oauth-issuer", url) == url

    async def inside(_: str, __: int) -> list[str]:
        return ["10.0.0.1"]

    with pytest.raises(TokensUnavailable, match="not public"):
        await IssuerHttp(loopback=True, resolve=inside).get(URL)


async def test_a_name_is_resolved_by_the_system() -> None:
    assert set(await resolve("localhost", 443)) <= {"127.0.0.1", "::1"}
    assert not is_public("no address")
    assert is_public("2606:4700::1111")
