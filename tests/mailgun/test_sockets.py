"""The client against a real server on loopback: what only a socket shows."""

import asyncio
import gzip
import socket
import struct
import sys
from time import sleep as blocking_sleep
from typing import Any

import anyio
import pytest

from mailgun_mcp.errors import MailgunError
from mailgun_mcp.mailgun.explain import LOOK_FIRST
from mailgun_mcp.mailgun.transport import HAPPY_EYEBALLS
from tests.mailgun.conftest import GET, SEND, Time, fault_of, make_client
from tests.support.sockets import OK, Answer, answers, serving

pytestmark = pytest.mark.anyio


async def cut_off(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    raise ConnectionError


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionError


async def truncate(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK.replace(b"Content-Length: 2", b"Content-Length: 200"))
    raise ConnectionError


async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.readexactly(1)


async def stop_midway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK.replace(b"Content-Length: 2", b"Content-Length: 200"))
    await reader.readexactly(1)


BROKEN = {"cut off": cut_off, "reset": reset, "truncated body": truncate}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_connection_leaves_a_send_unknown_and_sends_it_once(time: Time, answer: Answer) -> None:
    async with serving(answer) as server, make_client(time, server.url) as client:
        fault = await fault_of(client, SEND, repeatable=False)

    assert (fault.next_step, fault.reached, len(server.requests), time.waits) == (LOOK_FIRST, True, 1, [])


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
async def test_a_read_survives_a_broken_connection(time: Time, answer: Answer) -> None:
    broken = [answer]

    async def first_broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (broken.pop() if broken else answers(OK))(reader, writer)

    async with serving(first_broken) as server, make_client(time, server.url) as client:
        response = await client.send(GET, repeatable=True)

    assert (response.content, response.attempts, server.connections) == (b"{}", 2, 2)


async def test_nobody_listening_means_nothing_was_sent(time: Time) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        async with make_client(time, url) as client:
            fault = await fault_of(client, SEND, repeatable=False)

    assert (str(fault), fault.reached) == (f"{url} could not be reached (ConnectError); nothing was sent", False)


@pytest.mark.parametrize("answer", [say_nothing, stop_midway])
async def test_a_server_that_is_too_slow_is_given_up_and_its_connection_closed(time: Time, answer: Answer) -> None:
    async with serving(answer) as server, make_client(time, server.url, timeout=0.5) as client:
        fault = await fault_of(client, SEND, repeatable=False)
        with anyio.fail_after(60):
            await server.closed.wait()

    assert str(fault).startswith("Mailgun did not answer within 0.5 s: ")
    assert (fault.next_step, fault.reached, len(server.requests)) == (LOOK_FIRST, True, 1)


@pytest.mark.parametrize("turns", range(10))
async def test_a_connection_that_comes_as_the_call_is_given_up_is_closed(time: Time, turns: int) -> None:
    async with serving(say_nothing) as server, make_client(time, server.url, timeout=0.1) as client:
        call = asyncio.ensure_future(client.send(SEND, repeatable=False))
        for _ in range(turns):
            await asyncio.sleep(0)
        # The kernel connects meanwhile, so the loop finds both due in one turn: the connection, and the timeout.
        asyncio.get_running_loop().call_soon(blocking_sleep, 0.2)
        with pytest.raises(MailgunError):
            await call
        await asyncio.sleep(0.05)
        assert server.open == 0


async def test_the_next_address_is_tried_when_one_fails(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    resolve = loop.getaddrinfo

    async def two(_: str, port: int, **more: Any) -> list[Any]:
        return [*await resolve("::1", port, **more), *await resolve("127.0.0.1", port, **more)]

    async with serving(answers(OK)) as server:
        client = make_client(time, server.url.replace("127.0.0.1", "localhost"))
        monkeypatch.setattr(loop, "getaddrinfo", two)
        async with client:
            response = await client.send(GET, repeatable=True)

    assert (response.content, response.attempts) == (b"{}", 1)


async def test_a_handshake_that_never_ends_means_nothing_was_sent(time: Time) -> None:
    async def never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(never) as server:
        server.scheme = "https"
        async with make_client(time, server.url, timeout=0.4) as client:
            fault = await fault_of(client, SEND, repeatable=False)

    assert (str(fault), fault.reached) == (
        f"{server.url} could not be reached (ConnectTimeout); nothing was sent",
        False,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the loopback device has one address")
async def test_a_slow_handshake_is_not_begun_at_another_address_too(
    time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    resolve = loop.getaddrinfo
    elsewhere = []

    async def two(_: str, port: int, **more: Any) -> list[Any]:
        return [*await resolve("127.0.0.1", port, **more), *await resolve("127.0.0.2", port, **more)]

    async def never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(never) as server:
        other = await asyncio.start_server(
            lambda *_: elsewhere.append(1), "127.0.0.2", int(server.url.rpartition(":")[2])
        )
        server.scheme = "https"
        client = make_client(time, server.url.replace("127.0.0.1", "localhost"), timeout=HAPPY_EYEBALLS * 8)
        monkeypatch.setattr(loop, "getaddrinfo", two)
        async with client, other:
            fault = await fault_of(client, SEND, repeatable=False)

    assert "ConnectTimeout" in str(fault)
    assert (server.connections, elsewhere) == (1, [])


@pytest.mark.parametrize("answer", [say_nothing, stop_midway])
async def test_a_cancelled_call_closes_its_connection_and_leaves_the_client_usable(answer: Answer) -> None:
    asked = asyncio.Event()

    async def first_never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = not asked.is_set()
        asked.set()
        await (answer if first else answers(OK))(reader, writer)

    async with serving(first_never) as server, make_client(url=server.url) as client:
        call = asyncio.ensure_future(client.send(SEND, repeatable=False))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        with anyio.fail_after(60):
            await server.closed.wait()
        response = await client.send(GET, repeatable=True)

    assert (response.content, server.connections, len(server.requests)) == (b"{}", 2, 2)


async def test_a_call_cancelled_between_two_tries_is_not_tried_again() -> None:
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    busy = answers(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", OK)
    async with serving(busy) as server, make_client(url=server.url, sleep=sleep) as client:
        call = asyncio.ensure_future(client.send(GET, repeatable=True))
        await waiting.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert len(server.requests) == 1


async def test_a_redirect_to_another_host_never_gets_there() -> None:
    async with serving(answers(OK)) as other:
        redirect = b"HTTP/1.1 302 Found\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n" % other.url.encode()
        async with serving(answers(redirect)) as server, make_client(url=server.url) as client:
            fault = await fault_of(client, GET, repeatable=True)

    assert str(fault) == "Mailgun's host answered with a redirect, which this server does not follow (HTTP 302)"
    assert (len(server.requests), other.connections) == (1, 0)


async def test_calls_after_each_other_share_a_connection() -> None:
    refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    async with serving(answers(OK, refusal, OK)) as server, make_client(url=server.url) as client:
        await client.send(GET, repeatable=True)
        await fault_of(client, GET, repeatable=True)
        await client.send(SEND, repeatable=False)

    assert (len(server.requests), server.connections) == (3, 1)


async def test_32_calls_at_once_use_the_same_32_connections_again() -> None:
    together = asyncio.Barrier(32)

    async def all_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await together.wait()
        writer.write(OK)

    async with serving(all_at_once) as server, make_client(url=server.url) as client:
        for _ in range(3):
            responses = await asyncio.gather(*(client.send(GET, repeatable=True) for _ in range(32)))
            assert [response.content for response in responses] == [b"{}"] * 32

    assert (len(server.requests), server.connections) == (96, 32)


async def test_a_compressed_answer_is_unpacked() -> None:
    packed = gzip.compress(b'{"items": []}')
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    async with serving(answers(head + packed)) as server, make_client(url=server.url) as client:
        response = await client.send(GET, repeatable=True)

    assert response.content == b'{"items": []}'
    assert b"\r\nAccept-Encoding: gzip\r\n" in server.requests[0]


async def test_what_only_says_that_it_is_compressed_is_a_fault(time: Time) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"
    async with serving(answers(head)) as server, make_client(time, server.url) as client:
        fault = await fault_of(client, SEND, repeatable=False)

    assert (str(fault), fault.reached) == (
        "Mailgun broke off (DecodingError): whether the call took effect is unknown",
        True,
    )


SIZE = 50 * 1024 * 1024


async def fifty_megabytes(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
    for _chunk in range(SIZE // 65536):
        writer.write(b"x" * 65536)
        await writer.drain()


async def fifty_megabytes_packed(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    packed = gzip.compress(bytes(SIZE), 1)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)


@pytest.mark.parametrize("answer", [fifty_megabytes, fifty_megabytes_packed])
async def test_an_answer_of_50_mb_is_refused_and_its_connection_closed(answer: Answer) -> None:
    async with serving(answer) as server, make_client(url=server.url) as client:
        fault = await fault_of(client, GET, repeatable=True)
        with anyio.fail_after(60):
            await server.closed.wait()

    assert str(fault) == "Mailgun's answer (HTTP 200) is larger than 32 MB and was not read completely"
    assert len(server.requests) == 1
