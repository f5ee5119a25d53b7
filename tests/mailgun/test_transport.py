"""The transport on its own: which connection a request takes, and what an answer may look like."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mailgun_mcp.mailgun.exchange import (
    BrokenOffError,
    InvalidRequestError,
    Message,
    NotConnectedError,
)
from mailgun_mcp.mailgun.transport import LONGEST_HEAD, Connections, origin_of
from tests.support.sockets import OK, Server, answers, read_request, serving

pytestmark = pytest.mark.anyio

BODY = b"x" * 200_000
MOST = 1_000_000


@asynccontextmanager
async def connections(
    most: int = 10, idle: float = 60.0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Connections]:
    opened = Connections(tls, most=most, idle=idle)
    try:
        yield opened
    finally:
        await opened.aclose()


def get(server: Server, patience: float = 5.0) -> Message:
    return Message("GET", server.url, "/v4/domains?limit=5", [], b"", patience)


async def read(transport: Connections, message: Message) -> bytes:
    return (await transport.exchange(message, MOST)).content


WHOLE = {
    "with its length": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
    "in chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", b"hi"),
    "without a body": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "after an early hint": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"hi",
    ),
}


@pytest.mark.parametrize(("raw", "body"), WHOLE.values(), ids=WHOLE.keys())
async def test_a_whole_answer_leaves_its_connection_to_the_next_request(raw: bytes, body: bytes) -> None:
    async with serving(answers(raw)) as server, connections() as transport:
        found = [await read(transport, get(server)) for _ in range(3)]

    assert (found, server.connections, len(server.requests)) == ([body] * 3, 1, 3)


async def test_a_body_that_ends_with_its_connection_is_read_to_the_end() -> None:
    async def until_closed(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        raise ConnectionError

    async with serving(until_closed) as server, connections() as transport:
        found = [await read(transport, get(server)) for _ in range(2)]

    assert (found, server.connections) == ([b"all of it"] * 2, 2)


SPOILT = {
    "more than was promised": OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
    "a farewell": OK.replace(b"Content-Type", b"Connection: close\r\nContent-Type"),
    "an older protocol": OK.replace(b"HTTP/1.1", b"HTTP/1.0"),
}


@pytest.mark.parametrize("raw", SPOILT.values(), ids=SPOILT.keys())
async def test_a_connection_that_cannot_be_trusted_again_is_closed(raw: bytes) -> None:
    async with serving(answers(raw, OK)) as server, connections() as transport:
        found = [await read(transport, get(server)) for _ in range(2)]

    assert (found, server.connections) == ([b"{}", b"{}"], 2)


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_ones() -> None:
    forge = asyncio.Event()
    closed = asyncio.Event()

    async def forging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        if not forge.is_set():
            await forge.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
            try:
                await reader.read()
            finally:
                closed.set()

    async with serving(forging) as server, connections() as transport:
        first = await read(transport, get(server))
        forge.set()
        await asyncio.wait_for(closed.wait(), 5)
        second = await read(transport, get(server))

    assert (first, second, server.connections) == (b"{}", b"{}", 2)


async def test_what_was_idle_for_too_long_is_not_used_again() -> None:
    async with serving(answers(OK)) as server, connections(idle=-1) as transport:
        for _ in range(2):
            await read(transport, get(server))

    assert server.connections == 2


async def test_requests_at_the_same_time_have_a_connection_each_and_no_more_than_the_most() -> None:
    both_held, let_go = asyncio.Barrier(3), asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not let_go.is_set():
            await both_held.wait()
            await let_go.wait()
        writer.write(OK)

    async with serving(hold) as server, connections(most=2) as transport:
        calls = [asyncio.ensure_future(read(transport, get(server))) for _ in range(2)]
        await both_held.wait()
        with pytest.raises(NotConnectedError, match="PoolTimeout"):
            await read(transport, get(server, 0.01))
        third = asyncio.ensure_future(read(transport, get(server)))
        let_go.set()
        found = await asyncio.gather(*calls, third)

    assert (found, server.connections) == ([b"{}"] * 3, 2)


async def test_a_cancelled_request_gives_its_place_to_the_next() -> None:
    asked = asyncio.Event()

    async def first_never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if asked.is_set():
            writer.write(OK)
        else:
            asked.set()
            await reader.read()

    async with serving(first_never) as server, connections(most=1) as transport:
        call = asyncio.ensure_future(read(transport, get(server)))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await read(transport, get(server)) == b"{}"


async def test_a_long_body_comes_whole() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    async with serving(answers(raw)) as server, connections() as transport:
        assert await read(transport, get(server)) == BODY


async def test_headers_that_follow_the_answer_are_not_its_own() -> None:
    async with serving(answers(OK + b"HTTP/1.1 200 OK\r\nX-Forged: 1\r\n")) as server, connections() as transport:
        answer = await transport.exchange(get(server), MOST)

    assert answer.headers == [(b"Content-Type", b"application/json"), (b"Content-Length", b"2")]


async def test_an_answer_before_the_upload_has_ended_is_read_and_its_connection_closed() -> None:
    closed = asyncio.Event()

    async def refuse_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        closed.set()

    listener = await asyncio.start_server(refuse_early, "127.0.0.1", 0, limit=1024)
    port = listener.sockets[0].getsockname()[1]
    async with listener, connections() as transport:
        message = Message("POST", f"http://127.0.0.1:{port}", "/v3/a/messages", [], b"x" * 32 * 2**20, 5.0)
        answer = await transport.exchange(message, MOST)
        await asyncio.wait_for(closed.wait(), 5)

    assert answer.status == 413


@pytest.mark.parametrize(
    ("base", "host", "path"),
    [
        ("https://api.mailgun.net", "api.mailgun.net", ""),
        ("https://proxy.example:8443/mg", "proxy.example:8443", "/mg"),
        ("https://proxy.example:443", "proxy.example", ""),
        ("http://[::1]:8025", "[::1]:8025", ""),
    ],
)
def test_the_host_is_named_as_in_the_base_url(base: str, host: str, path: str) -> None:
    origin = origin_of(base)
    assert (origin.authority.decode(), origin.prefix.decode()) == (host, path)


@pytest.mark.parametrize(
    ("method", "content", "length"), [("GET", b"", None), ("DELETE", b"", None), ("POST", b"", 0), ("PUT", b"ab", 2)]
)
async def test_a_request_says_how_long_its_content_is(method: str, content: bytes, length: int | None) -> None:
    async with serving(answers(OK)) as server, connections() as transport:
        await transport.exchange(Message(method, server.url, "/v3/a?b=c", [(b"X-Note", b"a")], content, 5.0), MOST)

    expected = b"%b /v3/a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Note: a\r\n" % (method.encode(), server.port)
    if length is not None:
        expected += b"Content-Length: %d\r\n" % length
    assert server.requests == [expected + b"\r\n" + content]


INVALID = {
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    "a chunk that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello",
    "two ways to say its length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi",
    "headers without an end": b"HTTP/1.1 200 OK\r\n" + b"X-Long: x\r\n" * (LONGEST_HEAD // 10),
}


@pytest.mark.parametrize("raw", INVALID.values(), ids=INVALID.keys())
async def test_an_answer_that_is_no_http_is_a_protocol_error(raw: bytes) -> None:
    async with serving(answers(raw)) as server, connections() as transport:
        with pytest.raises(BrokenOffError, match="RemoteProtocolError"):
            await read(transport, get(server))


@pytest.mark.parametrize("value", [b"a\r\nX-Other: b", b"a\nX-Other: b", b"a\0b", b"a\r"])
async def test_a_header_that_http_does_not_allow_never_leaves(value: bytes) -> None:
    async with serving(answers(OK)) as server, connections() as transport:
        message = Message("GET", server.url, "/", [(b"X-Note", value)], b"", 5.0)
        with pytest.raises(InvalidRequestError):
            await read(transport, message)

    assert server.requests == []


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stub")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "stub.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@asynccontextmanager
async def serving_tls(certificate: Path) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await read_request(reader):
                writer.write(OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    listener = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with listener:
        yield f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


async def test_a_server_with_a_trusted_certificate_is_asked_and_another_never(tmp_path: Path) -> None:
    certificate = _certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=certificate)
    async with serving_tls(certificate) as url:
        message = Message("GET", url, "/", [], b"", 5.0)
        async with connections(tls=trusting) as transport:
            assert [await read(transport, message) for _ in range(2)] == [b"{}", b"{}"]
        async with connections(tls=ssl.create_default_context()) as transport:
            with pytest.raises(NotConnectedError, match=r"ConnectError: .*CERTIFICATE_VERIFY_FAILED"):
                await read(transport, message)
        async with connections() as transport:
            with pytest.raises(NotConnectedError, match="https without TLS settings"):
                await read(transport, message)
