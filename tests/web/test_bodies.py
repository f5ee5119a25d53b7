"""How much of a body is read."""

from collections.abc import AsyncGenerator

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send

from mailgun_mcp.web.bodies import BodyDeadline, BodyTooLargeError, read_bounded

pytestmark = pytest.mark.anyio
SCOPE = {"type": "http", "method": "POST", "path": "/"}


def request(*chunks: bytes, length: str = "") -> Request:
    messages = iter(
        [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks] + [{"type": "http.request"}]
    )

    async def receive() -> Message:
        return next(messages)

    headers = [(b"content-length", length.encode())] if length else []
    return Request({**SCOPE, "headers": headers}, receive)


async def test_a_body_is_read_up_to_the_limit() -> None:
    assert await read_bounded(request(b"ab", b"cd"), 4) == b"abcd"
    assert await read_bounded(request(), 4) == b""
    with pytest.raises(BodyTooLargeError):
        await read_bounded(request(b"ab", b"cd", b"e"), 4)


@pytest.mark.parametrize("length", ["5", "9" * 40])
async def test_a_body_that_says_that_it_is_larger_is_not_read(length: str) -> None:
    async def unread() -> AsyncGenerator[bytes, None]:
        raise AssertionError
        yield b""

    large = request(length=length)
    large.stream = unread  # type: ignore[method-assign]
    with pytest.raises(BodyTooLargeError):
        await read_bounded(large, 4)


async def test_a_client_that_is_gone_is_not_answered() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ClientDisconnect

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    await BodyDeadline(app)(SCOPE, receive, send)
    assert sent == []


async def test_what_is_no_request_is_passed_on() -> None:
    passed: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope["type"])

    async def never() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    await BodyDeadline(app)({"type": "lifespan"}, never, send)
    assert passed == ["lifespan"]
