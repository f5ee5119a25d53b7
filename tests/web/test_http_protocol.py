"""What one connection may cost, tried with raw sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from mailgun_mcp.web import bodies, http_protocol
from mailgun_mcp.web.bodies import BodyDeadline
from mailgun_mcp.web.http_protocol import BoundedProtocol

pytestmark = pytest.mark.anyio
PATIENCE = 20
LARGE = 16 * 1024 * 1024
ENDLESS = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Say how long the body was; `/unread` answers without it, `/large` with more than fits into buffers."""
    length, more = 0, scope["path"] != "/unread"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"x" * LARGE if scope["path"] == "/large" else f"{scope['method']} {length}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(bodies, "SECONDS", 0.3)


@asynccontextmanager
async def connected(
    lost: asyncio.Event | None = None,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to a server. `lost` is set when it gives the connection up."""

    class Watched(BoundedProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if lost is not None:
                lost.set()

    config = uvicorn.Config(
        BodyDeadline(answer), log_config=None, access_log=False, lifespan="off", timeout_keep_alive=1
    )
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: Watched(config, state, {}), "127.0.0.1", 0)
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            server.close()
            for protocol in [*state.connections]:
                protocol.shutdown()


@asynccontextmanager
async def dripping(writer: asyncio.StreamWriter, drop: bytes) -> AsyncIterator[None]:
    async def drip() -> None:
        while True:
            writer.write(drop)
            await asyncio.sleep(0.02)

    drops = asyncio.ensure_future(drip())
    try:
        yield
    finally:
        drops.cancel()


async def one_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    return head.split(b"\r\n")[0] + b" | " + await reader.readexactly(length)


@pytest.mark.parametrize(
    "sent",
    [b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b"],
    ids=["half a line", "half a head"],
)
async def test_a_head_that_does_not_come_is_not_waited_for(sent: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(sent)
        assert b"HTTP/1.1 408 " in await reader.read()


async def test_a_connection_without_a_request_is_closed() -> None:
    async with connected() as (reader, _):
        assert await reader.read() == b""


async def test_a_second_head_that_does_not_come_is_not_waited_for() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await one_answer(reader) == b"HTTP/1.1 200 OK | GET 0"
        writer.write(b"GET /b")
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")


async def test_half_a_head_behind_another_request_is_not_waited_for() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b")
        assert await one_answer(reader) == b"HTTP/1.1 200 OK | GET 0"
        assert await reader.read() == b""


async def test_a_head_that_drips_is_not_waited_for() -> None:
    async with connected() as (reader, writer), dripping(writer, b"a"):
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 408 ")


async def test_a_head_without_an_end_is_refused_as_too_large() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 128 * 1024)
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 431 ")


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        answered = await reader.read()
    assert answered.startswith(b"HTTP/1.1 408 ")
    assert answered.endswith(b"Send it again.\n")


async def test_a_body_that_drips_is_not_waited_for() -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        async with dripping(writer, b"1\r\na\r\n"):
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 408 ")


async def test_a_large_body_on_a_slow_line_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BYTES_A_SECOND", 50_000)
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(10):
            writer.write(b"a" * 10_000)
            await asyncio.sleep(0.05)
        assert await one_answer(reader) == b"HTTP/1.1 200 OK | POST 100000"


async def test_the_rest_of_a_body_that_nobody_wants_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "REST_SECONDS", 0.3)
    async with connected(lost := asyncio.Event()) as (reader, writer):
        writer.write(ENDLESS + b"a" * 1000)
        assert await one_answer(reader) == b"HTTP/1.1 200 OK | POST 0"
        async with dripping(writer, b"a"):
            await lost.wait()


async def test_a_connection_goes_on_where_the_rest_of_the_body_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "REST_SECONDS", 0.3)
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", PATIENCE)
    async with connected() as (reader, writer):
        writer.write(ENDLESS.replace(b"100000000", b"4") + b"ab")
        assert await one_answer(reader) == b"HTTP/1.1 200 OK | POST 0"
        writer.write(b"cd")
        await asyncio.sleep(0.5)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await one_answer(reader) == b"HTTP/1.1 200 OK | GET 0"


async def test_the_next_request_is_not_taken_for_the_rest_of_a_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "REST_SECONDS", 0.3)
    monkeypatch.setattr(bodies, "SECONDS", PATIENCE)
    async with connected() as (reader, writer):
        writer.write(ENDLESS.replace(b"100000000", b"4") + b"ab")
        assert await one_answer(reader) == b"HTTP/1.1 200 OK | POST 0"
        writer.write(b"cd" + b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        await asyncio.sleep(0.5)
        writer.write(b"cd")
        assert await one_answer(reader) == b"HTTP/1.1 200 OK | POST 4"


async def test_a_connection_may_be_idle_after_the_rest_of_a_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.3)
    async with connected() as (reader, writer):
        writer.write(ENDLESS.replace(b"100000000", b"4") + b"ab")
        assert await one_answer(reader) == b"HTTP/1.1 200 OK | POST 0"
        writer.write(b"cd")
        await asyncio.sleep(0.6)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await one_answer(reader) == b"HTTP/1.1 200 OK | GET 0"


async def test_an_answer_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "UNREAD_SECONDS", 1.0)
    async with connected(lost := asyncio.Event()) as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined] # the transport of a socket
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await lost.wait()


async def test_who_reads_slowly_gets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in head
        assert len(await reader.readexactly(LARGE)) == LARGE


async def test_requests_follow_each_other_on_one_connection() -> None:
    """Also those with the upgrade that Java's client offers, and one that waits to be told to go on."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    async with connected() as (reader, writer):
        for body in (b"one", b"three"):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s" % (upgrade, len(body), body))
            assert await one_answer(reader) == b"HTTP/1.1 200 OK | POST %d" % len(body)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ok")
        assert await one_answer(reader) == b"HTTP/1.1 200 OK | POST 2"
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        assert [await one_answer(reader) for _ in range(3)] == [b"HTTP/1.1 200 OK | GET 0"] * 3


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4",
        b"POST / HTTP/1.1\r\nContent-Length: +3",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: identity, xchunked",
        b"POST / HTTP/1.1\r\nContent-Length : 3",
        b"GET / HTTP/1.1\r\nX-A: b\x00c",
        b"GET /\xff HTTP/1.1\r\nX-A: b",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
    ],
)
async def test_what_readers_could_disagree_about_is_refused(head: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(head + b"\r\nHost: x\r\n\r\nabc")
        answered = await reader.read()
    assert answered.count(b"HTTP/1.1 ") == 1
    assert answered.startswith(b"HTTP/1.1 400 ")
