"""Makes room for a new session of the older era once too many are open: whoever has the most loses one.

Many clients never end their sessions, and some open one for each call. Without this, one of them could fill the
server's limit, and everybody else would have to wait until its sessions are idle for half an hour.
"""

from collections import Counter
from dataclasses import dataclass
from time import monotonic

from mcp.server.streamable_http_manager import DEFAULT_SESSION_IDLE_TIMEOUT
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgun_mcp.web.principal import principal_in

HEADER = b"mcp-session-id"
MOST_OPEN = 1_900
"""Sessions above which idle ones end. Fewer than `http.MOST_SESSIONS`, at which no more are opened."""
ENDED_BY_SDK = DEFAULT_SESSION_IDLE_TIMEOUT or 0.0
"""Seconds without a request after which the SDK has ended a session by itself."""


@dataclass(slots=True)
class _Session:
    owner: str
    scope: Scope
    """Of the request that ends it, without headers."""
    used: float
    running: int = 0
    """Requests in progress, streams included."""


class SessionRoom:
    """Ends the longest idle session of whoever has the most, if more than `most` are open. One in use is never ended."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._sessions: dict[bytes, _Session] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and make room if it has opened a session."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = next((value for header, value in scope["headers"] if header == HEADER), None)
        if name is None:
            await self._open(scope, receive, send)
            return
        session = self._sessions.get(name)
        if session is None or session.owner != principal_in(scope).id:
            await self._app(scope, receive, send)
            return
        session.running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            session.running -= 1
            session.used = monotonic()
            if scope["method"] == "DELETE":
                self._sessions.pop(name, None)

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        opened: bytes | None = None

        async def watch(message: Message) -> None:
            nonlocal opened
            if message["type"] == "http.response.start" and message["status"] < 400:
                opened = dict(message["headers"]).get(HEADER)
                if opened is not None:
                    # The client may use it before the end of this answer.
                    ending = {**scope, "method": "DELETE", "headers": []}
                    self._sessions[opened] = _Session(principal_in(scope).id, ending, monotonic())
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except BaseException:
            # The SDK ends a session whose first answer breaks off.
            if opened is not None:
                self._sessions.pop(opened, None)
            raise
        if opened is not None:
            await self._make_room(besides=opened)

    async def _make_room(self, besides: bytes) -> None:
        if len(self._sessions) <= self._most:
            return
        gone = monotonic() - ENDED_BY_SDK
        self._sessions = {name: one for name, one in self._sessions.items() if one.running or one.used > gone}
        while len(self._sessions) > self._most:
            idle = {name: one for name, one in self._sessions.items() if not one.running and name != besides}
            if not idle:
                return
            owned = Counter(one.owner for one in self._sessions.values())
            name = min(idle, key=lambda name: (-owned[idle[name].owner], idle[name].used))
            await self._end(name, self._sessions.pop(name))

    async def _end(self, name: bytes, session: _Session) -> None:
        """End a session as its client would."""
        headers = [(b"host", b"localhost"), (b"accept", b"application/json, text/event-stream"), (HEADER, name)]
        await self._app({**session.scope, "headers": headers}, _nothing, _ignore)


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _ignore(_: Message) -> None:
    """Take a part of the answer."""
