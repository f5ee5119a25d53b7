"""A plain call over HTTP that is made without the SDK, from its request to its answer.

Before 2026-07-28, calls are made in sessions and answered on an event stream. A client that closes the connection can
still cancel such a call or end its session, so the SDK takes over then. Since then, closing the connection cancels.
"""

import asyncio
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as HttpMessage

from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.services import Services
from mailgun_mcp.mailgun.exchange import Headers
from mailgun_mcp.server.direct_calls import BEGUN, CANCELLED, BegunCall, Called, answer_of
from mailgun_mcp.server.http_sessions import HttpSession
from mailgun_mcp.server.plain_messages import Client, Message, to_line
from mailgun_mcp.web.body_replay import replay
from mailgun_mcp.web.principal import principal_in

MOMENT = 5.0
"""Seconds after which the SDK takes over: it keeps the connection alive during a long call."""
REFUSED = 400
"""Lowest status with which the SDK refuses a request."""


class Exchange:
    """One request since 2026-07-28, and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._body = body
        self._has_left = False
        """Whether the client has closed the connection."""
        self._clear: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def leave_to(self, app: ASGIApp) -> None:
        """Have `app` answer the whole request."""
        await app(self._scope, replay(self._body, self._receive), self._send)

    async def run(self, message: Message, client: Client, services: Services, called: Called, app: ASGIApp) -> None:
        """Make the call of a message and answer it, or have `app` go on with it."""
        call = BegunCall(self._body, message["id"], client, lambda _: self._wake())
        self._begin(call)
        params = message["params"]
        tool, arguments = params["name"], params.get("arguments", {})
        make = partial(run, services, tool, arguments)
        call.start(principal_in(self._scope), call.notify, make, partial(self._end, call))
        try:
            await self._until_clear(call)
            answer = None if call.goes_on or not call.task.done() else self._answer(call)
            if answer is not None:
                if _has_succeeded(call):
                    await called(tool, arguments)
                await self._respond(answer)
            else:
                await self._go_on(call, app)
        finally:
            self._leave(call)

    async def _until_clear(self, call: BegunCall) -> None:
        """Wait until it is clear who answers: the call ends, needs the SDK or takes long, or the client leaves."""
        loop = asyncio.get_running_loop()
        moment = loop.call_later(MOMENT, call.go_on_in_sdk)
        watch = loop.create_task(self._until_left())
        try:
            await self._clear
        finally:
            moment.cancel()
            watch.cancel()

    async def _until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._has_left = True
        self._wake()

    def _wake(self) -> None:
        if not self._clear.done():
            self._clear.set_result(None)

    async def _pass_on(self, call: BegunCall, app: ASGIApp, send: Send) -> None:
        call.goes_on = True
        await app({**self._scope, BEGUN: call}, replay(self._body, self._receive), send)

    async def _start(self, headers: Headers, body: bytes) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def _begin(self, call: BegunCall) -> None:
        """Do what must come before the call."""

    def _end(self, _: BegunCall) -> None:
        """Notice that the call has ended."""
        self._wake()

    def _answer(self, call: BegunCall) -> bytes | None:
        """Return the answer of a call that has ended, or None if only the SDK can give it."""
        return _plain_answer(call, modern=True)

    async def _respond(self, answer: bytes) -> None:
        headers = [(b"content-length", str(len(answer)).encode()), (b"content-type", b"application/json")]
        await self._start(headers, answer)

    async def _go_on(self, call: BegunCall, app: ASGIApp) -> None:
        """Have the SDK go on with the call, unless nobody waits for its answer."""
        if not self._has_left:
            await self._pass_on(call, app, self._send)

    def _leave(self, call: BegunCall) -> None:
        """End the call, if it is running: the client has left, or the SDK refused to go on."""
        call.task.cancel()


class SessionExchange(Exchange):
    """One request in a session, and its answer. The call may outlive the request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, body: bytes, session: HttpSession) -> None:
        super().__init__(scope, receive, send, body)
        self._session = session
        self._is_passed_on = False

    async def leave_to(self, app: ASGIApp) -> None:
        """Have `app` answer the whole request, which may cancel a call of the session."""
        send = self._session.cancelling(self._body, self._send)
        await app(self._scope, replay(self._body, self._receive), send)

    async def run(self, message: Message, client: Client, services: Services, called: Called, app: ASGIApp) -> None:
        """Make the call of a message and answer it, or have `app` go on with it."""
        with self._session.in_use():
            await super().run(message, client, services, called, app)

    def _begin(self, call: BegunCall) -> None:
        self._session.add(call)

    def _end(self, call: BegunCall) -> None:
        self._session.remove(call)
        self._wake()

    def _answer(self, call: BegunCall) -> bytes | None:
        if call.is_cancelled:
            return _event(to_line({"jsonrpc": "2.0", "id": call.identifier, "error": CANCELLED}))
        if call.task.cancelled():
            # The session has ended. The SDK ends the streams in it without an answer.
            return b""
        answer = _plain_answer(call, modern=False)
        return answer and _event(answer)

    async def _respond(self, answer: bytes) -> None:
        headers = [
            (b"cache-control", b"no-cache, no-transform"),
            (b"connection", b"keep-alive"),
            (b"content-type", b"text/event-stream"),
            (b"mcp-session-id", self._session.id),
            (b"x-accel-buffering", b"no"),
        ]
        await self._start(headers, answer)

    async def _go_on(self, call: BegunCall, app: ASGIApp) -> None:
        """Have the SDK go on with the call, even if the client has left."""

        async def watch(message: HttpMessage) -> None:
            if message.get("status", 0) >= REFUSED:
                self._is_passed_on = False
            await self._send(message)

        self._is_passed_on = True
        await self._pass_on(call, app, watch)

    def _leave(self, call: BegunCall) -> None:
        if not self._is_passed_on:
            call.task.cancel()


def _has_succeeded(call: BegunCall) -> bool:
    return not call.task.cancelled() and call.task.exception() is None and not call.task.result().is_error


def _plain_answer(call: BegunCall, *, modern: bool) -> bytes | None:
    """Return the answer of a call that has ended, or None if the SDK must give it: it failed, or is not plain."""
    if call.task.cancelled() or call.task.exception() is not None:
        return None
    answer = answer_of(call.identifier, call.task.result(), modern=modern)
    return answer and answer.rstrip(b"\n")


def _event(line: bytes) -> bytes:
    return b"event: message\r\ndata: " + line.rstrip(b"\n") + b"\r\n\r\n"
