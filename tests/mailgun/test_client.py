"""What the client sends, retries, refuses and tells, against recorded answers."""

import asyncio
import ssl
import traceback
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Awaitable
from itertools import product
from typing import Any
from urllib.parse import quote

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpx import HTTPXMock

from mailgun_mcp.errors import MailgunError
from mailgun_mcp.mailgun.client import MAX_CONTENT, UPLOAD_RATE, Client, proxy_of
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.mailgun.response import Response
from mailgun_mcp.request.build import Request
from tests.mailgun.conftest import GET, KEY, SEND, Time, answering, fault_of, make_client

pytestmark = pytest.mark.anyio

DOMAINS = "https://api.mailgun.net/v4/domains?limit=5"


async def test_a_request_carries_the_key_the_agent_and_its_own_headers(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={})
    async with make_client() as client:
        await client.send(SEND, repeatable=False)

    (sent,) = httpx_mock.get_requests()
    assert (sent.method, str(sent.url), sent.content) == (
        "POST",
        "https://api.mailgun.net/v3/x.example/messages",
        b"to=a",
    )
    assert dict(sent.headers) == {
        "host": "api.mailgun.net",
        "authorization": "Basic " + b64encode(f"api:{KEY}".encode()).decode(),
        "user-agent": "mailgun-mcp/test",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "content-type": "application/x-www-form-urlencoded",
        "content-length": "4",
    }


async def test_an_answer_is_read_with_the_headers_that_matter(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"items": []}, headers={"X-Request-Id": "7", "Retry-After": "3"})
    async with make_client() as client:
        response = await client.send(GET, repeatable=True)

    headers = {"content-type": "application/json", "retry-after": "3", "x-request-id": "7"}
    assert (response, response.request_id) == (Response(200, headers, b'{"items":[]}', 1), "7")


@pytest.mark.parametrize(
    ("region", "url", "host", "sent_to"),
    [
        pytest.param("us", None, None, "https://api.mailgun.net/v3/a?b=c", id="us"),
        pytest.param("eu", None, None, "https://api.eu.mailgun.net/v3/a?b=c", id="eu"),
        pytest.param(None, "https://proxy.example/mg", None, "https://proxy.example/mg/v3/a?b=c", id="own url"),
        pytest.param(
            "us",
            None,
            "storage-us-east4.api.mailgun.net",
            "https://storage-us-east4.api.mailgun.net/v3/a?b=c",
            id="storage host",
        ),
    ],
)
async def test_a_request_goes_to_its_base_url(
    httpx_mock: HTTPXMock, region: str | None, url: str | None, host: str | None, sent_to: str
) -> None:
    httpx_mock.add_response(url=sent_to)
    async with Client(resolve(region=region, url=url), KEY, user_agent="a", connect=httpx.AsyncHTTPTransport) as client:
        await client.send(Request("GET", "/v3/a", "b=c", host=host), repeatable=True)

    assert str(httpx_mock.get_requests()[0].url) == sent_to


@pytest.mark.parametrize(
    "path",
    [
        "/v3/lists/a%40x.example",
        "/v3/x.example/bounces/a%2Bb%2Fc%40x.example",
        "/v3/%25/%3F%23",
        "/v3/x/templates/%C3%BC",
    ],
)
async def test_a_percent_encoded_path_is_sent_as_it_is(httpx_mock: HTTPXMock, path: str) -> None:
    httpx_mock.add_response()
    async with make_client() as client:
        await client.send(Request("GET", path), repeatable=True)

    assert httpx_mock.get_requests()[0].url.raw_path.decode() == path


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(Request("GET", "/v3/a", "b=" + "x" * 100_000), id="URL too long"),
        pytest.param(Request("GET", "/v3/a\n"), id="control character"),
    ],
)
async def test_a_request_that_makes_no_url_is_not_sent(time: Time, request_: Request) -> None:
    async with make_client(time) as client:
        fault = await fault_of(client, request_, repeatable=True)

    assert (str(fault), fault.reached, time.waits) == (
        "The request cannot be sent: its URL is too long or not valid; nothing was sent",
        False,
        [],
    )


def test_without_tls_no_certificates_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("certificates were read")

    monkeypatch.setattr(ssl, "create_default_context", refuse)
    make_client(url="http://127.0.0.1:8025").prepare()


PROXIES: dict[str, tuple[str, dict[str, str], str | None]] = {
    "none": ("https://api.mailgun.net", {}, None),
    "https": ("https://api.mailgun.net", {"HTTPS_PROXY": "http://proxy.example:3128"}, "http://proxy.example:3128"),
    "all": ("https://api.mailgun.net", {"ALL_PROXY": "http://proxy.example:3128"}, "http://proxy.example:3128"),
    "without a scheme": ("https://api.mailgun.net", {"HTTPS_PROXY": "proxy.example:3128"}, "http://proxy.example:3128"),
    "of another scheme": ("https://api.mailgun.net", {"HTTP_PROXY": "http://proxy.example:3128"}, None),
    "excepted": (
        "https://api.mailgun.net",
        {"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": ".mailgun.net"},
        None,
    ),
    "never for loopback": ("http://127.0.0.1:8025", {"HTTP_PROXY": "http://proxy.example:3128"}, None),
    "nor any for loopback": ("http://127.0.0.1:8025", {"ALL_PROXY": "http://proxy.example:3128"}, None),
}


@pytest.mark.parametrize(("url", "environ", "proxy"), PROXIES.values(), ids=PROXIES.keys())
def test_the_environments_proxy_is_used_as_httpx_would(
    monkeypatch: pytest.MonkeyPatch, url: str, environ: dict[str, str], proxy: str | None
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert proxy_of(resolve(url=url)) == proxy


async def test_a_call_goes_through_the_proxy(httpx_mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    httpx_mock.add_response(proxy_url="http://proxy.example:3128/")
    async with make_client(connect=None) as client:
        await client.send(GET, repeatable=True)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTPS_PROXY", "socks9://proxy.example"),
        ("HTTPS_PROXY", "http://proxy.example:port"),
        ("SSL_CERT_FILE", "/nowhere"),
    ],
)
async def test_a_proxy_or_certificate_file_that_does_not_work_is_a_fault_that_names_the_settings(
    time: Time, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    async with make_client(time, connect=None) as client:
        fault = await fault_of(client, SEND, repeatable=True)

    assert str(fault).startswith("No connection could be set up (")
    assert (fault.next_step, fault.reached, time.waits) == (
        "Check the proxy and certificate settings (HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE).",
        False,
        [],
    )


@pytest.mark.parametrize("seconds", [1.0, 30.0])
async def test_a_connection_is_given_up_before_the_call_is(httpx_mock: HTTPXMock, seconds: float) -> None:
    """A free connection, TCP and TLS: each has its own time, and together less than the call."""
    httpx_mock.add_response()
    async with make_client(timeout=seconds) as client:
        await client.send(GET, repeatable=True)

    limits = httpx_mock.get_requests()[0].extensions["timeout"]
    assert limits == {"pool": seconds / 4, "connect": seconds / 4}
    assert limits["pool"] + 2 * limits["connect"] < seconds


async def test_a_large_upload_has_the_time_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds: list[float | None] = []

    def noting(delay: float | None) -> asyncio.Timeout:
        seconds.append(delay)
        return asyncio.timeout(delay)

    monkeypatch.setattr("mailgun_mcp.mailgun.client.timeout", noting)
    async with make_client(timeout=5.0, connect=answering(lambda _: httpx.Response(200))) as client:
        await client.send(GET, repeatable=True)
        await client.send(Request("POST", "/v3/a", content=b"x" * 2_000_000), repeatable=True)

    assert seconds == [5.0, 5.0 + 2_000_000 / UPLOAD_RATE]


@pytest.mark.parametrize("location", ["https://evil.example/", "https://api.eu.mailgun.net/v4/domains", "/v4/domains"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_and_nothing_sent_after_it(
    httpx_mock: HTTPXMock, status: int, location: str
) -> None:
    httpx_mock.add_response(status_code=status, headers={"Location": location})
    async with make_client() as client:
        fault = await fault_of(client, GET, repeatable=True)

    assert (str(fault), fault.next_step) == (
        f"Mailgun's host answered with a redirect, which this server does not follow (HTTP {status})",
        "Check the base URL (MAILGUN_API_URL).",
    )
    assert [str(sent.url) for sent in httpx_mock.get_requests()] == [DOMAINS]


async def test_the_largest_answer_is_read(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=b"x" * MAX_CONTENT)
    async with make_client() as client:
        response = await client.send(GET, repeatable=True)

    assert len(response.content) == MAX_CONTENT


@pytest.mark.parametrize("status", [200, 503])
async def test_a_larger_answer_is_refused_and_not_asked_for_again(
    httpx_mock: HTTPXMock, time: Time, status: int
) -> None:
    httpx_mock.add_response(status_code=status, content=b"x" * (MAX_CONTENT + 1))
    async with make_client(time) as client:
        fault = await fault_of(client, GET, repeatable=True)

    assert (str(fault), fault.next_step, fault.status, time.waits) == (
        f"Mailgun's answer (HTTP {status}) is larger than 32 MB and was not read completely",
        "Ask for less: a smaller limit, a narrower filter.",
        status,
        [],
    )


WRITINGS = {
    "plain": KEY,
    "authorization": "Basic " + b64encode(f"api:{KEY}".encode()).decode(),
    "base64": b64encode(KEY.encode()).decode(),
    "base64 inside other text": b64encode(f"ab{KEY}cd".encode()).decode(),
    "base64 for URLs": urlsafe_b64encode(f"?>~{KEY}?>~".encode()).decode(),
    "in a URL": f"https://api:{quote(KEY, safe='')}@api.mailgun.net/",
}
CORES = [KEY] + [b64encode(b"." * shift + KEY.encode()).decode()[4:-4] for shift in range(3)]


@pytest.mark.parametrize("writing", WRITINGS.values(), ids=WRITINGS.keys())
async def test_the_key_is_in_no_answer_and_no_error(httpx_mock: HTTPXMock, time: Time, writing: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "text": {"text": writing},
        "html": {"html": f"<p title='{writing}'>{writing}</p>"},
        "message": {"json": {"message": writing, "Field": writing, "Value": writing, "retry-seconds": writing}},
        "unknown": {"json": {writing: {writing: [writing]}}},
        "list": {"json": [writing]},
    }
    headers = dict.fromkeys(("Location", "WWW-Authenticate", "X-Echo", "Retry-After", "X-RateLimit-Reset"), writing)
    wrong = {}
    for status, body in product((200, 302, 400, 401, 404, 429, 500, 503), bodies):
        httpx_mock.reset()
        httpx_mock.add_response(status_code=status, headers=headers, is_reusable=True, **bodies[body])
        told: list[str] = []

        async def notify(message: str, told: list[str] = told) -> None:
            told.append(message)

        async with make_client(time) as client:
            try:
                response = await client.send(GET, repeatable=True, notify=notify)
                told.append(response.content.decode())
            except MailgunError as fault:
                told += [str(fault), fault.next_step, "".join(traceback.format_exception(fault))]
        shown = [text for text in told if any(core in text for core in CORES)]
        if shown or not any("[API key withheld]" in text for text in told):
            wrong[status, body] = shown
    assert wrong == {}


@given(before=st.binary(max_size=20), after=st.binary(max_size=20))
def test_the_key_is_withheld_from_any_base64(before: bytes, after: bytes) -> None:
    async def received() -> bytes:
        content = b64encode(before + KEY.encode() + after)
        async with make_client(connect=answering(lambda _: httpx.Response(200, content=content))) as client:
            return (await client.send(GET, repeatable=True)).content

    content = anyio.run(received)
    assert b"[API key withheld]" in content
    assert [core for core in CORES if core.encode() in content] == []


async def test_a_word_that_is_no_key_of_mailguns_is_left_alone() -> None:
    connect = answering(lambda _: httpx.Response(200, text="the simulator says"))
    async with Client(resolve(), "simulator", user_agent="a", connect=connect) as client:
        response = await client.send(GET, repeatable=True)

    assert response.content == b"the simulator says"


async def test_a_client_that_was_never_used_closes() -> None:
    closing: Awaitable[None] = make_client().aclose()
    await closing
