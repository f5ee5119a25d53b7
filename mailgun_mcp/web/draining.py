"""Limits how many requests run at once, and stops a server in an orderly way: once it is stopping, it takes no more.

uvicorn waits for running requests, up to a limit. An open stream is such a request, and never ends by itself. So
streams are ended here once no call is running: calls of the older transport are answered on them.
"""

import asyncio
from collections.abc import Collection

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgun_mcp.web.authentication import HEALTH
from mailgun_mcp.web.principal import path_in

READY = "/readyz"
ENDING = "This server is stopping. Nothing was done. Try again: another one answers, or this one after its restart.\n"
BUSY = "This server has too many open requests. Nothing was done. Try again in a few seconds.\n"
HEADER_BYTES = 32_768
HEADERS = 100
LOOKS_EVERY = 0.05
"""Seconds between two checks for running calls, while the server stops."""
TO_ANSWER = 0.3
"""Seconds between the end of a call and that of the streams, for its answer."""


class Draining:
    """Counts running requests, and takes no more after `drain`."""

    def __init__(self, app: ASGIApp, *, most: int, calls: Collection[str] = (), finite: Collection[str] = ()) -> None:
        """At most `most` requests run at once; 0 means no limit. `calls` holds the calls that are running.

        Streams whose path starts with one of `finite` end by themselves, and are not cut off.
        """
        self._app = app
        self._finite = tuple(finite)
        self._calls = calls
        self._most = most
        self._running = 0
        self._ending = asyncio.Event()

    @property
    def ending(self) -> bool:
        """Whether the server is stopping."""
        return self._ending.is_set()

    def drain(self) -> None:
        """Take no more requests, and end the open streams when no call is running."""
        self._ending.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        self._running += 1
        try:
            await self._serve(scope, receive, send)
        finally:
            self._running -= 1

    def _refusal(self, scope: Scope) -> Response | None:
        path = path_in(scope)
        if self.ending and path == READY:
            return JSONResponse({"status": "stopping"}, 503)
        if path in HEALTH:
            return None
        if len(scope["headers"]) > HEADERS or sum(len(n) + len(v) for n, v in scope["headers"]) > HEADER_BYTES:
            return PlainTextResponse("The headers of the request are too large\n", 431)
        if self.ending:
            return _stopping()
        if self._most and self._running >= self._most:
            return PlainTextResponse(BUSY, 503, headers={"Retry-After": "3"})
        return None

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run a request. A GET is short or a stream: at the end it is cut off, and the client connects again.

        One that has not begun its answer, such as a wait for an approval, is told that the server stops.
        """
        if scope["method"] != "GET" or path_in(scope).startswith(self._finite):
            await self._app(scope, receive, send)
            return
        stream = _Stream(send)
        request = asyncio.ensure_future(self._app(scope, receive, stream.send))
        ending = asyncio.ensure_future(self._all_calls_ended())
        try:
            await asyncio.wait({request, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not request.done():
                request.cancel()
                await asyncio.wait({request})
                if stream.is_begun:
                    await stream.end()
                else:
                    await _stopping()(scope, receive, send)
            if not request.cancelled():
                request.result()
        finally:
            ending.cancel()
            if not request.done():
                request.cancel()

    async def _all_calls_ended(self) -> None:
        await self._ending.wait()
        while self._calls:  # noqa: ASYNC110 - the calls have no event to wait for, and this runs once in a process
            await asyncio.sleep(LOOKS_EVERY)
        await asyncio.sleep(TO_ANSWER)


def _stopping() -> Response:
    return PlainTextResponse(ENDING, 503, headers={"Retry-After": "2", "Connection": "close"})


class _Stream:
    """A response in progress, so that it can be ended properly: the client then knows that nothing is missing."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._open = False
        self.is_begun = False

    async def send(self, message: Message) -> None:
        """Pass the message on."""
        self.is_begun = True
        self._open = message["type"] == "http.response.start" or bool(message.get("more_body"))
        await self._send(message)

    async def end(self) -> None:
        """Send the end of the body, if the response has started and not ended."""
        if self._open:
            await self.send({"type": "http.response.body", "body": b""})
