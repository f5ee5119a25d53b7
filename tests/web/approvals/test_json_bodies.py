"""Bodies of the API: small objects of texts, and clear words about everything else."""

import json
import sys

import pytest
from starlette.requests import Request

from mailgun_mcp.web.approvals.json_bodies import LARGEST, LONGEST, ApiError, read_body, seconds

pytestmark = pytest.mark.anyio


def request(body: bytes, media_type: str = "application/json") -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", media_type.encode())]}, receive)


async def test_known_fields_are_read_and_null_is_as_if_it_was_not_there() -> None:
    body = json.dumps({"typed": "x", "reason": None}).encode()
    assert await read_body(request(body, "Application/JSON; charset=utf-8"), ("typed", "reason")) == {"typed": "x"}
    assert await read_body(request(b"", ""), ("typed",)) == {}


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "not valid JSON"),
        (b"\xff", 400, "not UTF-8"),
        # Python 3.14 reads on to the end of the text, where it misses the brackets.
        (b"[" * 60_000, 400, "not valid JSON" if sys.version_info >= (3, 14) else "nested too deeply"),
        (b"[]", 400, "must be a JSON object"),
        (b'{"tiped": "x"}', 400, "did you mean 'typed'"),
        (b'{"typed": 1}', 400, "typed must be text"),
        (b'{"typed": "\\ud800"}', 400, "valid text"),
        (json.dumps({"typed": "x" * (LONGEST + 1)}).encode(), 400, "at most 2,000"),
        (b" " * (LARGEST + 1), 413, "more than 65,536 bytes"),
    ],
)
async def test_anything_else_is_refused_in_words(body: bytes, status: int, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        await read_body(request(body), ("typed",))
    assert (caught.value.status, message in str(caught.value)) == (status, True), str(caught.value)


async def test_another_media_type_is_refused() -> None:
    with pytest.raises(ApiError) as caught:
        await read_body(request(b"{}", "text/plain"), ())
    assert (caught.value.status, caught.value.code) == (415, "not_json")


def test_seconds_are_a_number_within_the_limit() -> None:
    assert [seconds(text, 30, 60) for text in (None, "0", "1.5", "60")] == [30, 0, 1.5, 60]
    for text in ("", "x", "-1", "61", "nan", "inf"):
        with pytest.raises(ApiError, match="from 0 to 60"):
            seconds(text, 30, 60)
