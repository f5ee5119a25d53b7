"""Which messages every parser understands alike, and what they say of the client."""

from typing import Any

import pytest

from mailgun_mcp.server.plain_messages import (
    DEEPEST,
    LONGEST,
    Client,
    NotUnderstoodError,
    cancelled_in,
    client_of,
    client_of_call,
    parsed,
)
from tests.support.stdio_sessions import ENVELOPE, META, frame

INFO = {"name": "tests", "version": "1"}
FORMS = f"{META}clientCapabilities"


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}',
        b'{"jsonrpc":"2.0","id":1.0,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":-1,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1234567890123456,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":true,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
        b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"\\u0070ing"}',
        b'{"jsonrpc":"2.0","id":1,"method":"\xff"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","more":1}',
        frame("ping", {"x": "x" * LONGEST}),
        frame("ping", {"x": [[]] * DEEPEST}),
    ],
)
def test_what_parsers_may_read_differently_is_left_to_the_sdk(line: bytes) -> None:
    with pytest.raises(NotUnderstoodError):
        parsed(line)


@pytest.mark.parametrize(
    ("abilities", "shows_forms", "shows_views"),
    [
        ({}, False, False),
        ({"elicitation": {}}, True, False),
        ({"elicitation": {"form": {}, "url": {}}}, True, False),
        ({"elicitation": {"url": {}}}, False, False),
        ({"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}}, False, True),
        ({"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": "text/html"}}}, False, False),
        ({"extensions": {"x": {}}}, False, False),
    ],
)
def test_a_client_is_what_it_says_of_itself(abilities: dict[str, Any], shows_forms: bool, shows_views: bool) -> None:
    assert client_of(INFO, abilities, modern=False) == Client("tests", False, shows_forms, shows_views)


def test_each_call_of_the_newer_era_says_who_makes_it() -> None:
    meta = {**ENVELOPE, FORMS: {"elicitation": {}}, "progressToken": "p"}
    expected = Client("tests", modern=True, shows_forms=True, progress="p")
    assert client_of_call({"name": "x", "_meta": meta}, Client(modern=True)) == expected


def test_a_call_of_the_older_era_is_of_the_client_that_opened_the_session() -> None:
    opened = Client("editor", shows_forms=True)
    assert client_of_call({"name": "x", "_meta": {"progressToken": 5, "a/b": 1}}, opened) == opened._replace(progress=5)


@pytest.mark.parametrize(
    ("params", "modern"),
    [
        (None, False),
        ({}, False),
        ({"name": 5}, False),
        ({"name": "x", "arguments": None}, False),
        ({"name": "x", "_meta": []}, False),
        ({"name": "x", "_meta": {"progressToken": None}}, False),
        ({"name": "x", "requestState": "s"}, False),
        ({"name": "x", "_meta": ENVELOPE}, False),
        ({"name": "x"}, True),
        ({"name": "x", "_meta": {**ENVELOPE, f"{META}logLevel": "debug"}}, True),
        ({"name": "x", "_meta": {**ENVELOPE, f"{META}protocolVersion": "2025-11-25"}}, True),
        ({"name": "x", "_meta": {**ENVELOPE, FORMS: {"elicitation": None}}}, True),
    ],
)
def test_a_call_that_is_not_plain_is_left_to_the_sdk(params: Any, modern: bool) -> None:
    with pytest.raises(NotUnderstoodError):
        client_of_call(params, Client(modern=modern))


@pytest.mark.parametrize(
    ("body", "identifier"),
    [
        (b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}', 7),
        (rb'{"jsonrpc":"2.0","method":"notifications\/cancelled","params":{"requestId":"a","reason":"\u00e9"}}', "a"),
        (b'{"jsonrpc":"2.0","id":1,"method":"notifications/cancelled","params":{"requestId":7}}', None),
        (b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":true}}', None),
        (b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":[7]}', None),
        (b'{"jsonrpc":"2.0","method":"cancelled","params":{"requestId":7}}', None),
        (b'["cancelled"]', None),
        (b'{"cancelled', None),
        (b'{"requestId":7}', None),
    ],
)
def test_the_request_that_a_message_cancels_is_read(body: bytes, identifier: int | str | None) -> None:
    assert cancelled_in(body) == identifier
