"""What Mailgun answers is read as JSON that can be written again, and its errors as one bounded line."""

import json

import pytest

from mailgun_mcp.mailgun.response import MAX_DEPTH, MAX_TEXT, Response, error_text, parse_json


def test_numbers_and_surrogates_that_cannot_be_written_become_text() -> None:
    assert parse_json(b"\xef\xbb\xbf[1e999, 1.5]") == ["1e999", 1.5]
    assert parse_json(b'"a\\ud800"') == "a\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("content", [b"", b"NaN", b"[-Infinity]", b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)])
def test_what_is_not_json_or_too_deep_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - several messages
        parse_json(content)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"message": "a"}, "a"),
        ({"Error": "b"}, "b"),
        ({"message": "c", "Field": "name", "Value": "x"}, "c (name: x)"),
        ({"Field": "name", "Value": "x"}, "name: x"),
        ({"message": ["d"]}, '["d"]'),
        ({}, ""),
    ],
)
def test_an_error_is_read_in_each_of_its_shapes(body: object, text: str) -> None:
    assert error_text(Response(400, {}, json.dumps(body).encode())) == text


def test_an_error_page_is_its_text_and_is_cut() -> None:
    assert error_text(Response(502, {}, b"<style>p{}</style><h1>Bad\ngateway</h1>")).strip() == "Bad gateway"
    assert error_text(Response(502, {}, b"x" * 5000)) == "x" * MAX_TEXT + "…"


def test_headers_name_the_request_and_the_type() -> None:
    response = Response(200, {"x-request-id": "r", "content-type": "application/JSON"}, b"{}")
    assert (response.request_id, response.is_json) == ("r", True)
    assert (Response(200, {}, b"").request_id, Response(200, {}, b"").is_json) == (None, False)
