"""Ends streams of the older transport after hours without a message: clients forget them, and each holds a session.

The SDK ends idle sessions of Streamable HTTP, but has no such limit for HTTP+SSE. A message to or from the client
counts as use. Comments that keep the connection open do not.
"""

import re
from urllib.parse import parse_qs

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

IDLE = 4 * 3600.0
"""Seconds. Longer than a meeting, because clients of this transport do not reconnect by themselves."""
SESSION = re.compile(rb"session_id=([0-9a-f]{32})")
"""The session id in the first event of a stream, which tells the client where to send its messages."""
MESSAGE = b"event: message"


class IdleStreams:
    """The open streams by session id. Its methods wrap the two routes of the transport."""

    def __init__(self, seconds: float = IDLE) -> None:
        self._seconds = seconds
        self._streams: dict[str, _Stream] = {}

    def stream(self, app: ASGIApp) -> ASGIApp:
        """Return the route of streams, with an end to idle ones."""

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            await _Stream(self._streams, self._seconds, receive, send).run(app, scope)

        return _App(run)

    def messages(self, app: ASGIApp) -> ASGIApp:
        """Return the route of messages. Each message counts as use of its stream."""

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            session = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_id", [""])[0]
            stream = self._streams.get(session.replace("-", "").lower())
            if stream is not None:
                stream.use()
            await app(scope, receive, send)

        return _App(run)


class _App:
    """Wraps an ASGI function in a class: Starlette would call a bare function with a Request."""

    def __init__(self, run: ASGIApp) -> None:
        self._run = run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._run(scope, receive, send)


class _Stream:
    """One stream. When it is idle, the SDK is told that the client has gone, and the client that the stream is over."""

    def __init__(self, streams: dict[str, "_Stream"], seconds: float, receive: Receive, send: Send) -> None:
        self._streams = streams
        self._seconds = seconds
        self._inner_receive = receive
        self._inner_send = send
        self._session: str | None = None
        self._is_open = False
        self._waiting = anyio.CancelScope()

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Run the stream until it ends or is idle."""
        self._deadline = anyio.current_time() + self._seconds
        try:
            await app(scope, self._receive, self._send)
        finally:
            self._streams.pop(self._session or "", None)
        if self._is_open:
            await self._inner_send({"type": "http.response.body", "body": b""})

    def use(self) -> None:
        """Restart the clock of the stream, because it is in use."""
        self._waiting.deadline = self._deadline = anyio.current_time() + self._seconds

    async def _receive(self) -> Message:
        with anyio.CancelScope(deadline=self._deadline) as self._waiting:
            return await self._inner_receive()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        body: bytes = message.get("body", b"")
        if self._session is None and (match := SESSION.search(body)):
            self._session = match[1].decode()
            self._streams[self._session] = self
        elif body.startswith(MESSAGE):
            self.use()
        self._is_open = message["type"] == "http.response.start" or bool(message.get("more_body"))
        await self._inner_send(message)
