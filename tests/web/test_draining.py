"""A server that stops takes nothing new, and lets what runs end."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from mailgun_mcp.web.draining import Draining

pytestmark = pytest.mark.anyio


class Slow:
    """Answers when the test lets it, and notes what was cut."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.started = asyncio.Event()
        self.cut: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.started.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cut.append(scope["method"])
            raise
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")


async def test_a_call_that_runs_ends_and_a_new_one_is_not_taken() -> None:
    slow = Slow()
    app = Draining(slow, most=0)
    async with client_of(app) as client:
        running = asyncio.ensure_future(client.post("/mcp"))
        await slow.started.wait()
        app.drain()
        refused = await client.post("/mcp")
        assert (refused.status_code, refused.headers["retry-after"], refused.headers["connection"]) == (
            503,
            "2",
            "close",
        )
        assert (await client.get("/readyz")).status_code == 503
        slow.go.set()
        assert (await running).text == "done"


async def test_a_stream_is_cut_when_no_call_runs_any_more() -> None:
    slow, calls = Slow(), {"one"}
    app = Draining(slow, most=0, calls=calls)
    async with client_of(app) as client:
        stream = asyncio.ensure_future(client.get("/sse"))
        await slow.started.wait()
        app.drain()
        await asyncio.wait({stream}, timeout=0.1)
        assert slow.cut == []
        calls.clear()
        await asyncio.wait({stream}, timeout=5)
        assert slow.cut == ["GET"]
        assert stream.done()
        assert (stream.result().status_code, stream.result().headers["retry-after"]) == (503, "2")


async def test_a_stream_that_has_begun_is_ended_as_it_should() -> None:
    begun, sent = asyncio.Event(), list[Any]()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        begun.set()
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    app = Draining(endless, most=0)
    scope = {"type": "http", "method": "GET", "path": "/sse", "headers": []}
    stream = asyncio.ensure_future(app(scope, receive, send))
    await begun.wait()
    app.drain()
    await asyncio.wait({stream}, timeout=5)
    assert stream.exception() is None
    assert sent[-1] == {"type": "http.response.body", "body": b""}


async def test_a_request_that_is_cancelled_is_cut_at_once() -> None:
    slow = Slow()
    async with client_of(Draining(slow, most=0)) as client:
        stream = asyncio.ensure_future(client.get("/sse"))
        await slow.started.wait()
        stream.cancel()
        await asyncio.wait({stream})
        await asyncio.sleep(0)
        assert slow.cut == ["GET"]


async def test_too_many_requests_at_once_are_told_to_wait_and_health_is_not() -> None:
    slow = Slow()
    async with client_of(Draining(slow, most=1)) as client:
        first = asyncio.ensure_future(client.post("/mcp"))
        await slow.started.wait()
        assert (await client.post("/mcp")).status_code == 503
        slow.go.set()
        assert (await client.get("/healthz")).status_code == 200
        assert (await first).status_code == 200
        assert (await client.post("/mcp")).status_code == 200


@pytest.mark.parametrize("headers", [{"x": "y" * 33_000}, {f"x-{number}": "y" for number in range(101)}])
async def test_headers_that_are_too_large_are_refused(headers: dict[str, str]) -> None:
    async with client_of(Draining(Slow(), most=0)) as client:
        assert (await client.post("/mcp", headers=headers)).status_code == 431


async def test_an_error_of_a_get_is_the_servers() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("a bug")

    async with client_of(Draining(broken, most=0)) as client:
        with pytest.raises(ValueError, match="a bug"):
            await client.get("/x")


async def test_a_stream_that_ends_by_itself_is_not_cut() -> None:
    slow = Slow()
    app = Draining(slow, most=0, finite=("/agent/",))
    async with client_of(app) as client:
        stream = asyncio.ensure_future(client.get("/agent/chat/c/stream"))
        await slow.started.wait()
        app.drain()
        await asyncio.wait({stream}, timeout=0.1)
        assert slow.cut == []
        slow.go.set()
        assert (await stream).text == "done"
