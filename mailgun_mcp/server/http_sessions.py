"""The sessions of the older protocol era over HTTP, for the calls in them that are made without the SDK.

The SDK opens, checks and ends the sessions. This module follows them: who opened each, with which client, and which
calls are running in it. It reads private attributes of the SDK, so it is used with verified releases only.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel import Server
from mcp.server.streamable_http import StreamableHTTPServerTransport
from starlette.types import Message, Send

from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server.context import ServerContext, principal_of
from mailgun_mcp.server.direct_calls import BegunCall, same_identifier
from mailgun_mcp.server.elicitation import takes_forms
from mailgun_mcp.server.plain_messages import Client, NotUnderstoodError, cancelled_in, shows_views

ACCEPTED = 202
"""Status of the SDK's answer to a notification of somebody who may use the session."""


class HttpSession:
    """One open session, and the calls in it that are made without the SDK."""

    def __init__(self, name: str, owner: str, connection: Connection, transport: StreamableHTTPServerTransport) -> None:
        """`name` is the id of the session, and `owner` that of the principal who opened it."""
        self.id = name.encode()
        self.owner = owner
        self._connection = connection
        self._transport = transport
        self._calls: dict[int | str, BegunCall] = {}
        self._params: object = None
        self._client = Client()

    @property
    def is_open(self) -> bool:
        """Whether the session takes requests."""
        scope = self._transport.idle_scope
        return not self._transport.is_terminated and (scope is None or not scope.cancel_called)

    @property
    def client(self) -> Client:
        """The client, as it described itself last. Raises NotUnderstoodError while it has not."""
        params = self._connection.client_params
        if params is None:
            raise NotUnderstoodError
        if params is not self._params:
            abilities = params.capabilities
            self._client = Client(
                params.client_info.name,
                shows_forms=takes_forms(abilities.elicitation),
                shows_views=shows_views(abilities.extensions),
            )
            self._params = params
        return self._client

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the session from ending as idle during the block, as the SDK does while it answers a request."""
        transport, scope = self._transport, self._transport.idle_scope
        if scope is None or transport._idle_timeout is None:
            yield
            return
        transport._requests_in_flight += 1
        scope.deadline = math.inf
        try:
            yield
        finally:
            transport._requests_in_flight -= 1
            if not transport._requests_in_flight:
                scope.deadline = anyio.current_time() + transport._idle_timeout

    def check_id(self, identifier: int | str) -> None:
        """Raise NotUnderstoodError if a call with this id is running."""
        if same_identifier(identifier) in self._calls:
            raise NotUnderstoodError

    def add(self, call: BegunCall) -> None:
        """Add a call that begins."""
        self._calls[same_identifier(call.identifier)] = call

    def remove(self, call: BegunCall) -> None:
        """Remove a call that has ended."""
        del self._calls[same_identifier(call.identifier)]

    def end(self) -> None:
        """End the running calls, because the session has ended."""
        for call in self._calls.values():
            call.task.cancel()

    def cancelling(self, body: bytes, send: Send) -> Send:
        """Return a `send` that ends the call that a message cancels, if the SDK accepts the message."""
        identifier = cancelled_in(body) if self._calls else None
        call = self._calls.get(same_identifier(identifier)) if identifier is not None else None
        if call is None:
            return send

        async def cancel(message: Message) -> None:
            if message.get("status") == ACCEPTED:
                call.cancel()
            await send(message)

        return cancel


class HttpSessions:
    """The open sessions by id."""

    def __init__(self, server: Server[dict[str, Any]]) -> None:
        """Follow the sessions of a server whose HTTP app has been created."""
        self._transports = server.session_manager._server_instances
        self._sessions: dict[str, HttpSession] = {}
        server.middleware.insert(0, self._follow)

    def find(self, name: bytes, principal: Principal) -> HttpSession | None:
        """Return the open session of that id, if the principal opened it."""
        session = self._sessions.get(name.decode("latin-1"))
        return session if session is not None and session.owner == principal.id and session.is_open else None

    async def _follow(self, ctx: ServerContext, call_next: CallNext) -> HandlerResult:
        if ctx.method == "initialize":
            self._add(ctx)
        return await call_next(ctx)

    def _add(self, context: ServerContext) -> None:
        """Add the session that a request opens, until it ends. The older transport has sessions without an id."""
        connection = context.session._connection
        name = connection.session_id
        transport = self._transports.get(name) if name is not None else None
        if name is None or transport is None or name in self._sessions:
            return
        session = HttpSession(name, principal_of(context, None).id, connection, transport)
        self._sessions[name] = session

        def end() -> None:
            del self._sessions[name]
            session.end()

        connection.exit_stack.callback(end)
