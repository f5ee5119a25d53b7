"""An httpx transport over HTTP/1.1 that does what a call to Mailgun needs and no more.

httpx's own transport looks at every connection of its pool for every request, behind locks and trace points.
Here a call takes an idle connection or opens a new one, and HTTP itself is h11's work, as it is in httpx.

It is only kept while it pays: `python -m benchmarks.transports` measures it against httpx and httpx2 in one run, and
fails when the best of them is not more than 15 % slower for a call's p50. benchmarks/README.md has the figures.
"""

import asyncio
import ssl
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any, cast

import h11
import httpx

PART = 65_536
"""Bytes of a body that are given on at once: it bounds what a compressed part can grow to."""
HAPPY_EYEBALLS = 0.25
"""Seconds after which the next address of a host is tried too (RFC 8305)."""

HttpEvent = h11.Event | type[h11.PAUSED]


class Connections(httpx.AsyncBaseTransport):
    """Sends requests on kept connections, at most `most` at a time; what is idle for `idle` seconds is not used again.

    Reads the time-outs `pool` and `connect` of a request's extensions; the rest is the caller's to bound.
    Raises httpx.TransportError, for what was never sent ConnectError, ConnectTimeout, PoolTimeout or LocalProtocolError.
    """

    def __init__(self, tls: ssl.SSLContext | None, *, most: int, idle: float) -> None:
        if tls:
            tls.set_alpn_protocols(["http/1.1"])
        self._tls = tls
        self._slots = asyncio.Semaphore(most)
        self._most = most
        self._idle_seconds = idle
        self._idle_connections: defaultdict[tuple[str, str, int | None], list[_Connection]] = defaultdict(list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions.get("timeout", {})
        await self._take_slot(timeouts.get("pool"))
        connection = None
        try:
            connection = self._take(request.url) or await self._connect(request.url, timeouts.get("connect"))
            head = await connection.ask(request)
        except BaseException:
            self._slots.release()
            if connection:
                connection.close()
            raise
        return httpx.Response(
            head.status_code, headers=head.headers.raw_items(), stream=_Body(self, request.url, connection)
        )

    @property
    def counts(self) -> dict[str, int]:
        """How many connections are in use, and how many are idle."""
        # What is free of the semaphore is in no public attribute of it.
        return {"used": self._most - self._slots._value, "idle": sum(map(len, self._idle_connections.values()))}

    async def aclose(self) -> None:
        for connections in self._idle_connections.values():
            for connection in connections:
                connection.close()
        self._idle_connections.clear()
        # The loop closes the sockets in its next turn, which may be its last.
        await asyncio.sleep(0)

    def give_back(self, url: httpx.URL, connection: "_Connection") -> None:
        """Keep the connection for the next call if its answer was read to the end."""
        self._slots.release()
        if connection.start_over():
            connection.idle_since = time.monotonic()
            self._idle_connections[_origin(url)].append(connection)
        else:
            connection.close()

    async def _take_slot(self, seconds: float | None) -> None:
        if self._slots.locked():
            try:
                async with asyncio.timeout(seconds):
                    await self._slots.acquire()
            except TimeoutError as error:
                raise httpx.PoolTimeout("no connection became free") from error
        else:
            await self._slots.acquire()

    def _take(self, url: httpx.URL) -> "_Connection | None":
        idle = self._idle_connections[_origin(url)]
        oldest = time.monotonic() - self._idle_seconds
        while idle:
            connection = idle.pop()
            if connection.is_open and connection.idle_since >= oldest:
                return connection
            connection.close()
        return None

    async def _connect(self, url: httpx.URL, seconds: float | None) -> "_Connection":
        host = url.raw_host.decode("ascii")
        secure = url.scheme == "https"
        if secure and not self._tls:
            raise httpx.UnsupportedProtocol("https without TLS settings")
        loop = asyncio.get_running_loop()
        # uvloop has no happy eyeballs: it tries one address after the other.
        eyeballs: dict[str, Any] = (
            {"happy_eyeballs_delay": HAPPY_EYEBALLS} if isinstance(loop, asyncio.BaseEventLoop) else {}
        )
        try:
            async with asyncio.timeout(seconds):
                _, connection = await loop.create_connection(
                    _Connection,
                    host,
                    url.port or (443 if secure else 80),
                    ssl=self._tls if secure else None,
                    **eyeballs,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("connecting took too long") from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return connection


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class _Connection(asyncio.Protocol):
    """One connection: one request at a time, and its answer."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT)
        self._asked = False
        self._lost: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.is_open = True
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._asked:
            self._http.receive_data(data)
            self._wake()
        else:
            # Nobody asked: the next call must not take it for its answer.
            self.close()

    def eof_received(self) -> None:
        self.is_open = False
        self._http.receive_data(b"")
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc:
            self._lost = exc
        self.eof_received()

    def close(self) -> None:
        """Close the connection at once."""
        self.is_open = False
        self._transport.abort()

    async def ask(self, request: httpx.Request) -> h11.Response:
        """Send the request, whole, and return the head of its answer."""
        self._asked = True
        try:
            self._transport.write(self._written(request))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        while True:
            match await self.event():
                case h11.Response() as head:
                    return head
                case h11.InformationalResponse():
                    continue
                case _:
                    raise httpx.RemoteProtocolError("no answer")

    async def event(self) -> HttpEvent:
        """Return what comes next of the answer. Raises httpx.TransportError when it breaks off."""
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                if self._lost:
                    raise httpx.ReadError(str(self._lost)) from self._lost
                raise httpx.RemoteProtocolError(str(error)) from error
            if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed) and self._lost:
                raise httpx.ReadError(str(self._lost)) from self._lost
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value] # h11 has no type for its sentinels
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def start_over(self) -> bool:
        """Make ready for the next request; False when the connection cannot be used again."""
        done = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        left = self._http.trailing_data[0] or self._transport.get_write_buffer_size()
        if not done or left or not self.is_open:
            return False
        self._http.start_next_cycle()
        self._asked = False
        return True

    def _written(self, request: httpx.Request) -> bytes:
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        events = [head, h11.Data(data=request.content), h11.EndOfMessage()]
        return b"".join(self._http.send(event) or b"" for event in events)

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)


class _Body(httpx.AsyncByteStream):
    """The body of an answer; closing it gives the connection back."""

    def __init__(self, connections: Connections, url: httpx.URL, connection: _Connection) -> None:
        self._connections = connections
        self._url = url
        self._connection: _Connection | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._connection and isinstance(event := await self._connection.event(), h11.Data):
            for start in range(0, len(event.data), PART):
                yield bytes(event.data[start : start + PART])

    async def aclose(self) -> None:
        if self._connection:
            self._connections.give_back(self._url, self._connection)
            self._connection = None
