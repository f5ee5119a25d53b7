"""What a Mailgun that fails, lies or is somebody else may answer: each is told, and the server goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mailgun_mcp.output.untrusted import mark
from mailgun_mcp.text.compact_json import compact
from tests.support.apps import KEY
from tests.support.forked import forked
from tests.support.operations import find
from tests.support.processes import RawStdio, environment, pointed_at, raw_stdio
from tests.support.upstream import (
    Answer,
    Connection,
    Upstream,
    hangs,
    replies,
    resets,
    says,
    serve_upstream,
    truncates,
    writes,
)

pytestmark = pytest.mark.anyio

BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}
MAIL = {
    "domain": "mg.example.com",
    "from": "ann@example.com",
    "to": ["ben@example.com"],
    "subject": "Hi",
    "text": "Hi",
}
PLAIN, HTML = [("Content-Type", "text/plain")], [("Content-Type", "text/html")]
PAGE = b"<html><head><style>b{}</style></head><body><h1>502 Bad Gateway</h1><script>evil()</script></body></html>"
UNKNOWN = "whether the call took effect is unknown"


@pytest.fixture(scope="module")
async def upstream() -> AsyncIterator[Upstream]:
    async with serve_upstream() as stub:
        yield stub


@pytest.fixture(scope="module")
async def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RawStdio]:
    env = environment(tmp_path_factory.mktemp("home"), {**pointed_at(upstream.url), "MAILGUN_TIMEOUT": "2"})
    async with raw_stdio([], env, start=forked) as process:
        yield process


def much(size: int) -> Answer:
    """Answer with `size` bytes of JSON."""
    return replies(200, b'{"error": "' + b"x" * (size - 13) + b'"}', [("Content-Type", "application/json")])


def chunked(*chunks: bytes) -> Answer:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return writes(head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks))


FAULTS: dict[str, tuple[Answer, str]] = {
    "400 with a message": (
        says({"message": "bad"}, 400),
        'Mailgun refused the request (HTTP 400): "bad". Check the arguments.',
    ),
    "400 with Error": (says({"Error": "bad"}, 400), '(HTTP 400): "bad"'),
    "400 with Reason": (says({"Reason": "bad"}, 400), '(HTTP 400): "bad"'),
    "400 with a field": (
        says({"Description": "bad", "Field": "address", "Value": BOUNCE["address"]}, 400),
        '(HTTP 400): "bad (address: ann@example.com)"',
    ),
    "400 with nothing": (replies(400), "Mailgun refused the request (HTTP 400). Check the arguments."),
    "400 with a list": (says([1], 400), '(HTTP 400): "[1]"'),
    "401": (
        replies(401, b"Forbidden", PLAIN),
        'Mailgun refused the API key (HTTP 401): "Forbidden". Check MAILGUN_API_KEY.',
    ),
    "402": (says({"message": "plan"}, 402), "The Mailgun plan does not include this (HTTP 402)"),
    "403": (says({"message": "no"}, 403), "Mailgun forbids this (HTTP 403)"),
    "404": (says({"message": "Address not found"}, 404), "Not found at Mailgun (HTTP 404)"),
    "404 of a domain": (says({"message": "Domain not found: mg.example.com"}, 404), "Check the name."),
    "418": (replies(418, b"", PLAIN), "Mailgun refused the request (HTTP 418)"),
    "429 with a long wait": (replies(429, b"", [("Retry-After", "7200")]), "Try again in 2 hours."),
    "500": (says({"message": "oops"}, 500), 'Mailgun failed (HTTP 500): "oops". Try again later.'),
    "a web page with 500": (replies(500, PAGE, HTML), 'Mailgun failed (HTTP 500): "502 Bad Gateway"'),
    "a web page with 200": (replies(200, PAGE, HTML), "Mailgun answered HTTP 200 with a web page"),
    "truncated JSON": (
        replies(200, b'{"address": "an', [("Content-Type", "application/json")]),
        "broken or truncated JSON",
    ),
    "NaN": (replies(200, b'{"code": NaN}', [("Content-Type", "application/json")]), "broken or truncated JSON"),
    "deep nesting": (replies(200, b"[" * 200_000, [("Content-Type", "application/json")]), "broken or truncated JSON"),
    "deep but whole": (
        replies(200, b'{"a":' * 500 + b"1" + b"}" * 500, [("Content-Type", "application/json")]),
        "broken or truncated JSON",
    ),
    "50 MB": (
        much(50_000_000),
        "Mailgun's answer (HTTP 200) is larger than 32 MB and was not read completely. Ask for less",
    ),
    "a redirect to another host": (
        replies(302, b"", [("Location", "http://evil.example/")]),
        "Mailgun's host answered with a redirect, which this server does not follow (HTTP 302)",
    ),
    "a redirect to itself": (
        replies(307, b"", [("Location", "/v3/x")]),
        "a redirect, which this server does not follow (HTTP 307)",
    ),
    "the wrong path": (replies(200, b"Mailgun Magnificent API", PLAIN), "Check the base URL (MAILGUN_API_URL)"),
    "broken gzip": (
        replies(200, b"\x1f\x8bnonsense", [("Content-Encoding", "gzip"), ("Content-Type", "application/json")]),
        "Mailgun broke off (DecodingError)",
    ),
}


@pytest.mark.parametrize(("answer", "reason"), FAULTS.values(), ids=FAULTS)
async def test_a_bad_answer_to_a_read_is_told_with_its_reason(
    answer: Answer, reason: str, server: RawStdio, upstream: Upstream
) -> None:
    upstream.forget()
    upstream.then(*[answer] * 4)
    result = await call(server, "get_bounce", BOUNCE)
    assert result["isError"] is True
    assert reason in result["content"][0]["text"]
    await assert_it_goes_on(server, upstream)


BROKEN: dict[str, Answer] = {
    "a reset": resets,
    "no answer": writes(b""),
    "half a head": writes(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "no HTTP": writes(b"\x16\x03\x01\x02 hello\r\n\r\n"),
    "a body that ends too soon": truncates(b'{"address": ', 500),
    "a broken chunk": writes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "chunks without an end": chunked(b'{"address": ', b'"ann"}'),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
async def test_a_broken_connection_is_tried_again_for_a_read(
    answer: Answer, server: RawStdio, upstream: Upstream
) -> None:
    upstream.forget()
    upstream.then(answer, says({"address": "ann@example.com"}))
    result = await call(server, "get_bounce", BOUNCE)
    assert result["structuredContent"] == {"listed": True, "address": "ann@example.com"}
    assert len(upstream.received) == 2


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
async def test_a_broken_connection_leaves_the_outcome_of_a_send_unknown_and_it_is_not_repeated(
    answer: Answer, server: RawStdio, upstream: Upstream
) -> None:
    upstream.forget()
    upstream.then(answer)
    result = await call(server, "send_message", MAIL)
    assert result["isError"] is True
    assert UNKNOWN in result["content"][0]["text"]
    assert len(upstream.received) == 1
    await assert_it_goes_on(server, upstream)


async def test_an_answer_that_never_comes_is_given_up_and_its_connection_closed(
    server: RawStdio, upstream: Upstream
) -> None:
    upstream.forget()
    begun, ended = asyncio.Event(), asyncio.Event()
    upstream.then(hangs(begun, ended))
    result = await call(server, "send_message", MAIL)
    await ended.wait()
    assert result["content"][0]["text"].startswith(f"Mailgun did not answer within 2 s: {UNKNOWN}")
    assert len(upstream.received) == 1
    await assert_it_goes_on(server, upstream)


async def test_an_answer_that_trickles_for_ever_is_given_up_as_well(server: RawStdio, upstream: Upstream) -> None:
    async def trickles(connection: Connection) -> None:
        await connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        gone = asyncio.ensure_future(connection.closed())
        while not gone.done():
            await connection.write(b" ")
            await asyncio.wait([gone], timeout=0.1)
        await gone

    upstream.forget()
    upstream.then(trickles)
    result = await call(server, "send_message", MAIL)
    assert UNKNOWN in result["content"][0]["text"]
    await assert_it_goes_on(server, upstream)


async def test_no_one_is_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    env = environment(tmp_path_factory.mktemp("home"), pointed_at("http://127.0.0.1:1"))
    async with raw_stdio([], env, start=forked) as server:
        result = await call(server, "send_message", MAIL)
    assert result["content"][0]["text"] == (
        "send_message was not called: the size of the mailing lists cannot be read. "
        "http://127.0.0.1:1 could not be reached (ConnectError); nothing was sent. "
        "Check the network and proxy; `mailgun-mcp doctor` finds out more."
    )


async def test_a_redirect_takes_the_key_nowhere(server: RawStdio, upstream: Upstream) -> None:
    upstream.forget()
    async with serve_upstream() as elsewhere:
        for status in (301, 302, 303, 307, 308):
            upstream.then(replies(status, b"", [("Location", f"{elsewhere.url}/v3/mg.example.com/bounces")]))
            result = await call(server, "get_bounce", BOUNCE)
            assert result["isError"] is True
            assert f"a redirect, which this server does not follow (HTTP {status})" in result["content"][0]["text"]
    assert elsewhere.received == []
    assert len(upstream.received) == 5


@pytest.mark.parametrize("status", [200, 400])
async def test_a_key_in_an_answer_does_not_reach_the_client(status: int, server: RawStdio, upstream: Upstream) -> None:
    upstream.forget()
    upstream.then(says({"message": f"{KEY} and {KEY}"}, status))
    assert KEY not in json.dumps(await call(server, "get_bounce", BOUNCE))


async def test_an_answer_of_thirty_megabytes_is_cut_and_says_how_to_read_on(
    server: RawStdio, upstream: Upstream
) -> None:
    upstream.forget()
    upstream.then(much(30_000_000))
    result = await call(server, "get_bounce", BOUNCE)
    assert result["isError"] is False
    fenced = mark(find("get_bounce"), {"error": "x" * 100}, "0" * 8).result
    added = len(compact({"listed": True, **fenced})) - len(compact({"error": "x" * 100}))
    assert result["structuredContent"]["cut"]["characters"] == 29_999_999 + added
    assert len(result["content"][0]["text"]) <= 64_000


@pytest.mark.parametrize("text", [r"\ud83d", r"\udc00\ud800", r"\u0000\u001b[2J", r"\u2028"], ids=repr)
async def test_odd_characters_of_an_answer_do_not_break_the_frame(
    text: str, server: RawStdio, upstream: Upstream
) -> None:
    upstream.forget()
    body = f'{{"error": "{text}"}}'.encode()
    upstream.then(replies(200, body, [("Content-Type", "application/json")]), replies(400, body))
    assert (await call(server, "get_bounce", BOUNCE))["isError"] is False
    assert (await call(server, "get_bounce", BOUNCE))["isError"] is True
    await assert_it_goes_on(server, upstream)


async def call(server: RawStdio, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    answer = await server.request("tools/call", {"name": tool, "arguments": arguments})
    result: dict[str, Any] = answer["result"]
    return result


async def assert_it_goes_on(server: RawStdio, upstream: Upstream) -> None:
    upstream.forget()
    upstream.then(says({"address": "ann@example.com"}))
    result = await call(server, "get_bounce", BOUNCE)
    assert (result["isError"], result["structuredContent"]) == (False, {"listed": True, "address": "ann@example.com"})
