"""Sends requests over persistent HTTP/1.1 connections, with only the features that calls to Mailgun need.

A library's client or transport builds models of each URL, request and response, and checks every connection of its
pool for every request. Here a call takes an idle connection or opens a new one, and llhttp parses the answer.

This module stays only while it pays: `python -m benchmarks.transports` measures it against httpx and httpx2 in one run,
and fails unless the best of them is more than 15 % slower for a call's p50. benchmarks/README.md has the figures.
"""

import asyncio
import re
import socket
import ssl
import time
from collections import defaultdict
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple, TypeAlias, cast
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from mailgun_mcp.mailgun.exchange import (
    Answer,
    BrokenOffError,
    Content,
    ExchangeError,
    InvalidRequestError,
    Message,
    NotConnectedError,
    OversizedError,
)
from mailgun_mcp.text.host_names import canonical_ip

HAPPY_EYEBALLS = 0.25
"""Seconds after which the next address of a host is tried in parallel (RFC 8305)."""
LONGEST_HEAD = 65_536
"""Most bytes in the status line and headers of an answer."""
HEADER = re.compile(
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: (?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?"
)
"""A header that HTTP allows."""
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests state the length of their content, even if it is empty."""


class Origin(NamedTuple):
    """Where requests go."""

    secure: bool
    host: str
    port: int
    authority: bytes
    """The value of the `Host` header."""
    prefix: bytes
    """The path of the base URL, which precedes every path."""


_Attempt: TypeAlias = "asyncio.Future[socket.socket]"


class Connections:
    """Sends requests on persistent connections, at most `most` at a time. One idle for `idle` seconds is not reused.

    Limits how long a request waits for a connection. The caller must limit the rest of its time.
    """

    def __init__(self, tls: ssl.SSLContext | None, *, most: int, idle: float) -> None:
        if tls:
            tls.set_alpn_protocols(["http/1.1"])
        self._tls = tls
        self._slots = asyncio.Semaphore(most)
        self._most = most
        self._idle_seconds = idle
        self._idle_connections: defaultdict[Origin, list[_Connection]] = defaultdict(list)

    async def exchange(self, message: Message, most: int) -> Answer:
        """Return the answer to a request, of at most `most` bytes. Raises ExchangeError."""
        origin = origin_of(message.base)
        head = _head(message, origin)
        await self._take_slot(message.patience)
        connection = None
        try:
            connection = self._take(origin) or await self._connect(origin, message.patience)
            answer = await connection.ask(head, message.content, most)
        except BaseException:
            if connection:
                connection.close()
            raise
        finally:
            self._slots.release()
        self._give_back(origin, connection)
        return answer

    @property
    def counts(self) -> dict[str, int]:
        """Number of connections in use, and of idle ones."""
        # The semaphore has no public attribute for its free slots.
        return {"used": self._most - self._slots._value, "idle": sum(map(len, self._idle_connections.values()))}

    async def aclose(self) -> None:
        """Close the connections."""
        for connections in self._idle_connections.values():
            for connection in connections:
                connection.close()
        self._idle_connections.clear()
        # The loop closes the sockets in its next turn, which may be its last.
        await asyncio.sleep(0)

    def _give_back(self, origin: Origin, connection: "_Connection") -> None:
        """Keep the connection for the next call, if nothing of this call is left in it."""
        if connection.is_reusable:
            connection.idle_since = time.monotonic()
            self._idle_connections[origin].append(connection)
        else:
            connection.close()

    async def _take_slot(self, seconds: float) -> None:
        if self._slots.locked():
            try:
                async with asyncio.timeout(seconds):
                    await self._slots.acquire()
            except TimeoutError as error:
                raise NotConnectedError("PoolTimeout", "no connection became free") from error
        else:
            await self._slots.acquire()

    def _take(self, origin: Origin) -> "_Connection | None":
        idle = self._idle_connections[origin]
        oldest = time.monotonic() - self._idle_seconds
        while idle:
            connection = idle.pop()
            if connection.is_open and connection.idle_since >= oldest:
                return connection
            connection.close()
        return None

    async def _connect(self, origin: Origin, seconds: float) -> "_Connection":
        if origin.secure and not self._tls:
            raise NotConnectedError("UnsupportedProtocol", "https without TLS settings")
        tls = self._tls if origin.secure else None
        try:
            async with asyncio.timeout(seconds):
                connected = await _first_to_connect(origin)
                # From here on, the loop closes the socket if the connection fails.
                _, connection = await asyncio.get_running_loop().create_connection(
                    _Connection, sock=connected, ssl=tls, server_hostname=origin.host if tls else None
                )
                return connection
        except TimeoutError as error:
            raise NotConnectedError("ConnectTimeout", "connecting took too long") from error
        except (OSError, UnicodeError) as error:
            raise NotConnectedError("ConnectError", str(error)) from error


@lru_cache(maxsize=64)
def origin_of(base: str) -> Origin:
    """Return the destination of a base URL."""
    url = urlsplit(base)
    secure = url.scheme == "https"
    default = 443 if secure else 80
    port = url.port or default
    host = url.hostname or ""
    name = f"[{host}]" if ":" in host else host
    authority = name if port == default else f"{name}:{port}"
    return Origin(secure, host, port, authority.encode("ascii"), url.path.encode("ascii"))


def _head(message: Message, origin: Origin) -> bytes:
    """Return the first line and the headers of a request. Raises InvalidRequestError if HTTP does not allow them."""
    headers = [b"Host: " + origin.authority, *(name + b": " + value for name, value in message.headers)]
    if message.content or message.method in WITH_BODY:
        headers.append(b"Content-Length: %d" % len(message.content))
    for header in headers:
        if not HEADER.fullmatch(header):
            raise InvalidRequestError("LocalProtocolError", "a header is not valid")
    first = b"%b %b%b HTTP/1.1" % (message.method.encode("ascii"), origin.prefix, message.target.encode("ascii"))
    return b"\r\n".join([first, *headers, b"", b""])


async def _first_to_connect(origin: Origin) -> socket.socket:
    """Return a socket that is connected to the address of the host that answers first. Raises OSError.

    asyncio can try addresses in parallel too, but what connects while it is cancelled stays open.
    """
    # A resolver would start a thread to say that an address is one.
    addresses = [origin.host] if canonical_ip(origin.host) else await _resolve(origin)
    attempts: list[_Attempt] = []
    running: set[_Attempt] = set()
    chosen: _Attempt | None = None
    try:
        while chosen is None and (addresses or running):
            if addresses:
                attempts.append(asyncio.ensure_future(_connected(addresses.pop(0), origin.port)))
                running.add(attempts[-1])
            patience = HAPPY_EYEBALLS if addresses else None
            done, running = await asyncio.wait(running, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            chosen = next((attempt for attempt in done if attempt.exception() is None), None)
        return (chosen or attempts[0]).result()
    finally:
        for attempt in attempts:
            if attempt is not chosen:
                attempt.cancel()
                attempt.add_done_callback(_close_unused)


async def _connected(address: str, port: int) -> socket.socket:
    connecting = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connecting, (address, port))
    except BaseException:
        connecting.close()
        raise
    return connecting


async def _resolve(origin: Origin) -> list[str]:
    """Return the addresses of a host. The two families take turns, the preferred one first (RFC 8305, section 4)."""
    resolved = await asyncio.get_running_loop().getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in resolved))
    first = [address for address in addresses if (":" in address) is (":" in addresses[0])]
    other = [address for address in addresses if address not in first]
    return [address for pair in zip_longest(first, other) for address in pair if address]


def _close_unused(attempt: _Attempt) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


class _Connection(asyncio.Protocol):
    """One connection: one request at a time, and its answer."""

    def __init__(self) -> None:
        self._reading: _Reading | None = None
        self.is_open = True
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._reading is None:
            # Unexpected data: the next call must not take it for its own answer.
            self.close()
        else:
            self._reading.receive(data)

    def eof_received(self) -> None:
        self.is_open = False
        if self._reading is not None:
            self._reading.end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._reading is not None:
            self._reading.end(exc)

    def close(self) -> None:
        """Close the connection at once."""
        self.is_open = False
        self._transport.abort()

    async def ask(self, head: bytes, content: bytes, most: int) -> Answer:
        """Send the complete request and return its answer."""
        self._reading = reading = _Reading(most)
        self._transport.write(head + content)
        try:
            answer = await reading.answer
        finally:
            reading.close()
            self._reading = None
        self.is_open = self.is_open and reading.is_clean
        return answer

    @property
    def is_reusable(self) -> bool:
        """Whether the next request may use the connection: the last one was sent completely before its answer came."""
        return self.is_open and not self._transport.get_write_buffer_size()


class _Reading:
    """Reads one answer. llhttp parses it and calls the methods `on_…`, which must not raise."""

    def __init__(self, most: int) -> None:
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.is_clean = True
        """Whether the server keeps the connection open, and has sent nothing after the answer."""
        self._most = most
        self._parser = HttpResponseParser(self)
        self._head_size = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._content: Content | None = None
        self._ends_with_connection = False

    def receive(self, data: bytes) -> None:
        """Process received data."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._fail(BrokenOffError("RemoteProtocolError", str(error)))
        if self._content is None:
            self._head_size += len(data)
            if self._head_size > LONGEST_HEAD:
                self._fail(BrokenOffError("RemoteProtocolError", "the headers are too long"))

    def end(self, error: Exception | None) -> None:
        """Record that nothing more will arrive."""
        self.is_clean = False
        if error is not None:
            self._fail(BrokenOffError("ReadError", str(error)))
        elif self._ends_with_connection:
            self._complete()
        else:
            self._fail(BrokenOffError("RemoteProtocolError", "the connection was closed before the end of the answer"))

    def close(self) -> None:
        """Discard what was read."""
        if self._content is not None:
            self._content.close()

    def on_message_begin(self) -> None:
        if self.answer.done():
            self.is_clean = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.answer.done():
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200 or self.answer.done():
            return
        headers = {name.lower(): value.lower() for name, value in self._headers}
        length = headers.get(b"content-length")
        self._ends_with_connection = length is None and b"chunked" not in headers.get(b"transfer-encoding", b"")
        self._content = Content(self._most, status, packed=headers.get(b"content-encoding") in (b"gzip", b"x-gzip"))
        if length is not None and int(length) > self._most:
            self._fail(OversizedError(status))

    def on_body(self, part: bytes) -> None:
        if self._content is None or self.answer.done():
            return
        try:
            self._content.add(part)
        except ExchangeError as error:
            self._fail(error)
        except OSError as error:
            self._fail(BrokenOffError("OSError", str(error)))

    def on_message_complete(self) -> None:
        if self._content is None:
            # This was only an interim response, such as early hints.
            self._headers.clear()
            return
        if not self._parser.should_keep_alive():
            self.is_clean = False
        self._complete()

    def _complete(self) -> None:
        if self.answer.done() or self._content is None:
            return
        try:
            content = self._content.whole()
        except ExchangeError as error:
            self._fail(error)
        else:
            self.answer.set_result(Answer(self._parser.get_status_code(), self._headers, content))

    def _fail(self, error: Exception) -> None:
        self.is_clean = False
        if not self.answer.done():
            self.answer.set_exception(error)
