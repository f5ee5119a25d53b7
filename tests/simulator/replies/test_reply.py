"""Replies as they are sent."""

from typing import Any

import pytest

from mailgun_mcp.simulator.replies.reply import NO_CONTENT, TEXT, ApiError, Reply, success


async def sent(reply: Reply) -> list[Any]:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    await reply({"type": "http"}, receive, send)
    return messages


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("reply", "content_type", "body"),
    [
        pytest.param(Reply({"a": ["é"]}), "application/json", b'{"a":["\\u00e9"]}', id="JSON"),
        pytest.param(Reply("é", 200, TEXT), TEXT, "é".encode(), id="text"),
        pytest.param(Reply(b"\xff", 200, "text/csv"), "text/csv", b"\xff", id="bytes, without a charset of ours"),
        pytest.param(Reply(b"{}"), "application/json", b"{}", id="bytes that are JSON"),
    ],
)
async def test_a_reply_is_sent_with_its_type_and_length(reply: Reply, content_type: str, body: bytes) -> None:
    start, end = await sent(reply)
    assert (start["status"], end["body"]) == (200, body)
    assert dict(start["headers"]) == {b"content-type": content_type.encode(), b"content-length": b"%d" % len(body)}


@pytest.mark.anyio
async def test_an_empty_reply_has_neither_type_nor_length() -> None:
    start, end = await sent(NO_CONTENT)
    assert (start["status"], start["headers"], end["body"]) == (204, [], b"")


@pytest.mark.anyio
async def test_further_headers_are_sent() -> None:
    start, _ = await sent(Reply({}, 405, headers={"allow": "GET"}))
    assert (b"allow", b"GET") in start["headers"]


def test_an_error_has_its_message_where_the_section_has_it() -> None:
    error = ApiError(400, "pool", "Field", Value="other")
    assert (str(error), error.reply.status_code, error.reply.data) == ("pool", 400, {"Field": "pool", "Value": "other"})


def test_a_success_has_a_message_and_the_resource() -> None:
    assert success("done", id=1).data == {"message": "done", "id": 1}
