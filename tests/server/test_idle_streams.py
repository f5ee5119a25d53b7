"""Streams of the older transport end when nothing was said on them for long, and not while they are used."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server import http as module
from mailgun_mcp.server.idle_streams import IdleStreams
from mailgun_mcp.web.principal import with_principal
from tests.support.recorder import Recorder, recorded_services

pytestmark = pytest.mark.anyio

SHORT = 0.3
SESSION = "0123456789abcdef0123456789abcdef"


async def nothing() -> Message:
    await anyio.sleep_forever()
    raise AssertionError


def streaming(steps: Callable[[Send], Awaitable[None]]) -> ASGIApp:
    """Return a stream that ends when its steps do, or when its client is gone."""

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        first = b"data: /m?session_id=" + SESSION.encode()
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async with anyio.create_task_group() as tasks:

            async def speak() -> None:
                await steps(send)
                tasks.cancel_scope.cancel()

            tasks.start_soon(speak)
            assert await receive() == {"type": "http.disconnect"}
            tasks.cancel_scope.cancel()

    return app


async def run(app: ASGIApp) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    with anyio.fail_after(60):
        await app({"type": "http", "query_string": b""}, nothing, send)
    return sent


async def test_a_stream_on_which_nothing_is_said_is_ended_whole() -> None:
    async def ping(send: Send) -> None:
        while True:
            await send({"type": "http.response.body", "body": b": ping - 1", "more_body": True})
            await anyio.sleep(SHORT / 10)

    sent = await run(IdleStreams(SHORT).stream(streaming(ping)))
    assert sent[-1] == {"type": "http.response.body", "body": b""}


async def test_what_is_sent_and_what_arrives_keeps_it_open() -> None:
    streams, ended = IdleStreams(SHORT), []

    async def arrive(scope: Scope, _: Receive, __: Send) -> None:
        assert scope["path"] == "/messages/"

    async def talk(send: Send) -> None:
        for number in range(8):
            await anyio.sleep(SHORT / 2)
            if number % 2:
                await send({"type": "http.response.body", "body": b"event: message\r\ndata: {}", "more_body": True})
            else:
                query = f"session_id={SESSION}".encode()
                await streams.messages(arrive)(
                    {"type": "http", "path": "/messages/", "query_string": query}, nothing, send
                )
        ended.append("by itself")
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    await run(streams.stream(streaming(talk)))
    assert ended == ["by itself"]


async def test_messages_for_sessions_that_are_not_there_are_passed_on() -> None:
    passed: list[bytes] = []

    async def arrive(scope: Scope, _: Receive, __: Send) -> None:
        passed.append(scope["query_string"])

    for query in (b"", b"session_id=\xff", f"session_id={SESSION}".encode()):
        await IdleStreams().messages(arrive)(
            {"type": "http", "query_string": query}, nothing, lambda _: anyio.lowlevel.checkpoint()
        )
    assert len(passed) == 3


async def test_a_session_of_the_server_ends_with_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the SDK's transport. A message for the session is then one for a session that never was."""
    monkeypatch.setattr(module, "IdleStreams", lambda: IdleStreams(SHORT))
    services = recorded_services(Recorder())
    app = module.KnownToSdk(module.create_http_app(services, transport="sse"))

    async with services:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        await _request(app, "GET", "/sse", b"", b"", send)
        body = b"".join(message.get("body", b"") for message in sent)
        session = body.partition(b"session_id=")[2][:32]
        sent.clear()
        await _request(app, "POST", "/messages/", b"session_id=" + session, b"{}", send)
        assert sent[0]["status"] == 404


async def _request(app: ASGIApp, method: str, path: str, query: bytes, body: bytes, send: Send) -> None:
    async def receive() -> Message:
        if method == "GET":
            return await nothing()
        return {"type": "http.request", "body": body}

    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "state": {},
    }
    with anyio.fail_after(60):
        await app(with_principal(scope, Principal("ann")), receive, send)
