"""Request bodies: how much of them is read, and for how long.

`BodyDeadline` is in front of every route, so that no route waits for a client that sends slowly.
"""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = 20.0
"""Seconds within which a body must arrive, plus one second for each `BYTES_A_SECOND`."""
BYTES_A_SECOND = 16 * 1024
TOO_SLOW = "The body of the request did not come in time. Nothing was done. Send it again.\n"


class BodyTooLargeError(Exception):
    """A body that is larger than the limit."""


async def read_bounded(request: Request, most: int) -> bytes:
    """Return the body. Raises BodyTooLargeError as soon as it is clear that it has more than `most` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > len(str(most)) or int(declared) > most):
        raise BodyTooLargeError
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise BodyTooLargeError
    return bytes(body)


class BodyDeadline:
    """Answers 408 if the body does not arrive in time. If the client has gone, answers nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a deadline for its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send)
        try:
            await self._app(scope, body.receive, body.send)
        except ClientDisconnect:
            # The client has gone, or is answered below.
            if not body.is_late:
                return
        if body.is_late and not body.is_answered:
            await PlainTextResponse(TOO_SLOW, 408, headers={"Connection": "close"})(scope, receive, send)


class _Body:
    """The body of one request. To the route, a client that is too slow looks like one that has gone."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._left = SECONDS
        self._is_whole = False
        self.is_late = False
        self.is_answered = False

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()
        if self.is_late:
            return {"type": "http.disconnect"}
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._left):
                message = await self._receive()
        except TimeoutError:
            self.is_late = True
            return {"type": "http.disconnect"}
        self._left += began - loop.time() + len(message.get("body", b"")) / BYTES_A_SECOND
        self._is_whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self.is_late and not self.is_answered:
            return
        self.is_answered = True
        await self._send(message)
