"""An ASGI request in front of the simulator."""

from typing import Any

import pytest

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.simulator.http import asgi
from mailgun_mcp.simulator.http.asgi import headers_of, operation_of, raw_path, read_body, read_json, replayed
from mailgun_mcp.simulator.http.router import Router
from mailgun_mcp.simulator.replies.reply import ApiError


@pytest.mark.parametrize(
    "scope",
    [
        {"path": "/v3/a b", "raw_path": b"/v3/a%20b"},
        {"path": "/v3/a b", "raw_path": b"/v3/a%20b?x=1"},
        {"path": "/v3/a b"},
    ],
    ids=["raw", "raw with a query", "decoded alone"],
)
def test_the_path_is_percent_encoded_and_has_no_query(scope: dict[str, Any]) -> None:
    assert raw_path(scope) == "/v3/a%20b"


def test_names_of_headers_have_no_case() -> None:
    assert headers_of({"headers": [(b"X-Thing", b"One"), (b"ACCEPT", b"*/*")]}) == {"x-thing": "One", "accept": "*/*"}


def test_a_request_has_its_operation_or_none() -> None:
    router = Router(Catalogue.load())
    operation = operation_of(router, {"method": "GET", "path": "/v4/domains"})
    assert operation is not None
    assert operation.name == "list_domains"
    assert operation_of(router, {"method": "GET", "path": "/v9"}) is None


@pytest.mark.anyio
async def test_a_body_is_read_whole_and_can_be_read_again() -> None:
    parts = iter([{"body": b"ab", "more_body": True}, {"more_body": True}, {"body": b"c", "more_body": False}])

    async def receive() -> Any:
        return next(parts)

    content = await read_body(receive)
    assert content == b"abc"
    assert await read_body(replayed(content)) == b"abc"


@pytest.mark.anyio
async def test_a_body_is_not_read_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "MAX_CONTENT", 3)
    asked = 0

    async def receive() -> Any:
        nonlocal asked
        asked += 1
        return {"body": b"ab", "more_body": True}

    with pytest.raises(ApiError) as caught:
        await read_body(receive)
    assert (caught.value.reply.status_code, asked) == (413, 2)


def test_an_empty_json_body_is_an_empty_object() -> None:
    assert (read_json(b""), read_json(b"[1]")) == ({}, [1])
    with pytest.raises(ValueError, match="Expecting"):
        read_json(b"{")
