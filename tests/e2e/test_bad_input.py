"""What no well-behaved client sends, frame by frame: each is answered with its reason, and nothing of it leaves."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mcp_types import INVALID_REQUEST

from tests.support.forked import forked
from tests.support.processes import RawStdio, environment, pointed_at, raw_stdio
from tests.support.upstream import Upstream, says, serve_upstream

pytestmark = pytest.mark.anyio

LONG = "x" * 1_000_000
DEEP = '{"a": ' * 100 + "1" + "}" * 100
BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}
MAIL = {
    "domain": "mg.example.com",
    "from": "ann@example.com",
    "to": ["ben@example.com"],
    "subject": "Hi",
    "text": "Hi",
}


@pytest.fixture(scope="module")
async def upstream() -> AsyncIterator[Upstream]:
    async with serve_upstream() as stub:
        yield stub


@pytest.fixture(scope="module")
async def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RawStdio]:
    env = environment(tmp_path_factory.mktemp("home"), pointed_at(upstream.url))
    async with raw_stdio(["--policy", "unguarded"], env, start=forked) as process:
        yield process


def with_(arguments: dict[str, Any], **changes: Any) -> str:
    return json.dumps({**arguments, **changes})


def raw(arguments: dict[str, Any], name: str, value: str) -> str:
    """Return the arguments with `value` put in as it stands, JSON or not."""
    return json.dumps({**arguments, name: "@"}).replace('"@"', value)


BAD = {
    "true for a text": ("get_bounce", with_(BOUNCE, address=True), "address: must be a string, not boolean True"),
    "a text for a number": ("list_bounces", with_(BOUNCE, limit="ten"), "limit: must be an integer, not string 'ten'"),
    "true for a number": ("list_bounces", with_(BOUNCE, limit=True), "limit: must be an integer, not boolean True"),
    "null for a text": ("get_bounce", with_(BOUNCE, address=None), "address: must be a string, not null"),
    "an object for a text": ("get_bounce", with_(BOUNCE, address={}), "address: must be a string, not object {}"),
    "a number for a list": ("send_message", with_(MAIL, to=5), "to: must be an array, not integer 5"),
    "half a list as text": ("send_message", with_(MAIL, to='["ben@example.com"'), "to: must be an array, not string"),
    "nothing at all": ("get_bounce", "{}", "domain: is required (string)"),
    "an unknown argument": ("get_bounce", with_(BOUNCE, adress="x"), "adress: unknown argument; did you mean address?"),
    "an argument without a name": ("get_bounce", with_(BOUNCE, **{"": "x"}), ": unknown argument"),
    "less than the least": ("list_domains", json.dumps({"limit": 0}), "limit: 0 is less than 1"),
    "more than the most": ("list_bounces", with_(BOUNCE, limit=10_001), "limit: 10001 is more than 1000"),
    "a number of 400 digits": (
        "list_bounces",
        raw(BOUNCE, "limit", "9" * 400),
        "limit: is larger than any number that Mailgun accepts",
    ),
    "an exponent without end": (
        "list_bounces",
        raw(BOUNCE, "limit", "1e400"),
        "limit: inf is not a valid JSON number",
    ),
    "NaN": ("list_bounces", raw(BOUNCE, "limit", "NaN"), "limit: nan is not a valid JSON number"),
    "-Infinity": ("list_bounces", raw(BOUNCE, "limit", "-Infinity"), "limit: -inf is not a valid JSON number"),
    "a megabyte for a domain": (
        "get_bounce",
        with_(BOUNCE, domain=LONG),
        "(1,000,000 characters) is not a domain name",
    ),
    "a megabyte for an address": ("get_bounce", with_(BOUNCE, address=LONG + "@example.com"), "is not a mail address"),
    "a megabyte in a query": (
        "list_bounces",
        json.dumps({"domain": "mg.example.com", "term": LONG}),
        "its URL is too long",
    ),
    "a megabyte of a name": ("get_bounce", with_(BOUNCE, **{LONG: 1}), "is longer than 1,000 characters"),
    "deep nesting": ("send_message", raw(MAIL, "variables", DEEP), "nested deeper than 32 levels"),
    "a NUL in a path": ("get_bounce", with_(BOUNCE, address="a\0@example.com"), "address: contains a NUL character"),
    "a NUL in a text": ("send_message", with_(MAIL, text="a\0b"), "text: contains a NUL character"),
    "a NUL in a name": ("send_message", with_(MAIL, variables={"a\0": 1}), "contains a NUL character"),
    "a line break in a subject": ("send_message", with_(MAIL, subject="Hi\r\nBcc: eve@example.com"), "subject: "),
    "a line break in a sender": (
        "send_message",
        with_(MAIL, **{"from": "a@example.com\nBcc: e@example.com"}),
        "from: ",
    ),
    "a line break in a header": ("send_message", with_(MAIL, headers={"X-A": "1\r\nBcc: e@example.com"}), "line break"),
    "a line break in a header's name": (
        "send_message",
        with_(MAIL, headers={"X-A\r\nBcc": "1"}),
        "is not a valid name",
    ),
    "a line break in an HTTP header": (
        "delete_subaccount",
        json.dumps({"subaccount_id": "a\r\nX-Evil: 1"}),
        "contains a character not allowed in a header",
    ),
    "a control character in a file's name": (
        "send_message",
        with_(MAIL, attachments=[{"text": "x", "filename": 'a"\r\nContent-Type: text/html'}]),
        "filename contains a control character",
    ),
    "a file where none is allowed": (
        "send_message",
        with_(MAIL, attachments=[{"path": "/etc/passwd"}]),
        "path: the server is not allowed to read files",
    ),
    "two sources of a file": (
        "send_message",
        with_(MAIL, attachments=[{"text": "x", "base64": "eA=="}]),
        "needs exactly one of text, base64, path",
    ),
    "base64 that is none": ("send_message", with_(MAIL, attachments=[{"base64": "%%%"}]), "base64 is not valid"),
    "a word for a domain": ("get_bounce", with_(BOUNCE, domain="routes"), "is not a domain name: it has no dot"),
    "dots for a domain": ("get_bounce", with_(BOUNCE, domain=".."), "is not a domain name"),
    "a climb in a domain": ("get_bounce", with_(BOUNCE, domain="../domains/a.com"), "is not a domain name"),
    "a climb in a path": ("get_template", '{"domain": "mg.example.com", "template_name": "../x"}', "dot segment"),
    "an encoded climb": (
        "get_template",
        '{"domain": "mg.example.com", "template_name": "%2e%2e%2fx"}',
        "dot segment",
    ),
    "a climb encoded twice": (
        "get_template",
        '{"domain": "mg.example.com", "template_name": "%252e%252e%252fx"}',
        "dot segment",
    ),
    "a slash in a path": (
        "get_template",
        '{"domain": "mg.example.com", "template_name": "a/b"}',
        "contains a slash",
    ),
    "a climb in an address": ("get_bounce", with_(BOUNCE, address="../../routes@example.com"), "dot segment"),
    "an empty part of a path": ("get_template", '{"domain": "mg.example.com", "template_name": ""}', "empty"),
    "a host that is not Mailgun's": (
        "get_stored_message",
        '{"domain": "mg.example.com", "storage_key": "abc", "storage_host": "https://evil.example/"}',
        "is not a Mailgun host",
    ),
    "an attachment above the limit": (
        "send_message",
        with_(MAIL, attachments=[{"base64": b64encode(LONG.encode() * 27).decode()}]),
        "attachments: 27,000,000 bytes is more than the limit of 26,214,400",
    ),
    "27 megabytes of two attachments": (
        "send_message",
        with_(MAIL, attachments=[{"base64": b64encode(LONG.encode() * size).decode()} for size in (13, 14)]),
        "is more than Mailgun's limit",
    ),
    "1,001 recipients": (
        "send_message",
        with_(MAIL, to=[f"p{number}@example.com" for number in range(1_001)]),
        "1,001 recipients is more than Mailgun's limit of 1,000 in one call",
    ),
}


TOO_LARGE = {
    "26 megabytes of text": with_(MAIL, text=LONG * 27),
    "26 megabytes in the text of a file": with_(MAIL, attachments=[{"text": LONG * 27}]),
}
"""What is refused before it is parsed."""


@pytest.mark.parametrize(("tool", "arguments", "reason"), BAD.values(), ids=BAD)
async def test_a_bad_call_says_why_nothing_leaves_and_the_next_call_works(
    tool: str, arguments: str, reason: str, server: RawStdio, upstream: Upstream
) -> None:
    upstream.forget()
    result = (await server.raw_call(tool, arguments))["result"]
    text = result["content"][0]["text"]
    assert result["isError"] is True
    assert_refused(text, reason, upstream)
    await assert_next_call_works(server, upstream)


@pytest.mark.parametrize("arguments", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_a_message_that_is_too_large_says_why_nothing_leaves_and_the_next_call_works(
    arguments: str, server: RawStdio, upstream: Upstream
) -> None:
    upstream.forget()
    error = (await server.raw_call("send_message", arguments))["error"]
    assert error["code"] == INVALID_REQUEST
    assert_refused(error["message"], "in addition to its base64 files, more than the limit of 4.0 MB", upstream)
    await assert_next_call_works(server, upstream)


def assert_refused(text: str, reason: str, upstream: Upstream) -> None:
    assert "othing was sent" in text
    assert reason in text
    assert len(text) < 5_000
    assert upstream.received == []


async def assert_next_call_works(server: RawStdio, upstream: Upstream) -> None:
    upstream.then(says({"address": "ann@example.com"}))
    works = (await server.raw_call("get_bounce", json.dumps(BOUNCE)))["result"]
    assert works["structuredContent"] == {"listed": True, "address": "ann@example.com"}
    assert upstream.lines == ["GET /v3/mg.example.com/bounces/ann%40example.com"]
