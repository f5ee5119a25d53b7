"""Streamable HTTP at `/mcp` and HTTP+SSE at `/sse` and `/messages/`, both protocol eras on each.

The layers around it (`mailgun_mcp.asgi`) decide who may reach it, and authenticate the caller.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.lowlevel import Server
from mcp.server.sse import SseServerTransport
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.call.services import Services
from mailgun_mcp.server.idle_streams import IdleStreams
from mailgun_mcp.server.large_messages import MOST
from mailgun_mcp.server.server import create_server
from mailgun_mcp.web.principal import principal_in

SECURITY = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""Turned off, because `HttpGate` checks hosts and origins for every route."""

MOST_SESSIONS = 2_000
"""Maximum number of open sessions of the older protocol era."""


def create_http_app(services: Services, *, transport: str, routes: Sequence[Route] = ()) -> Starlette:
    """Return the ASGI app. `http` has every route, `sse` the older transport alone. `routes` are added to either.

    `web.principal` must have put a principal into the scope of each request.
    """
    server = create_server(services, None)
    mounted: list[Route | Mount] = [*_sse_routes(server), *routes]
    if transport == "sse":
        sse_app = Starlette(routes=mounted, lifespan=lambda _: _closing(services))
        sse_app.state.server = server
        return sse_app
    http_app = server.streamable_http_app(
        transport_security=SECURITY,
        max_request_body_size=MOST,
        max_sessions=MOST_SESSIONS,
        custom_starlette_routes=mounted,  # type: ignore[arg-type] # the SDK's type forgets Mount
    )
    http_app.state.server = server
    inner = http_app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(starlette: Starlette) -> AsyncIterator[None]:
        async with _closing(services), inner(starlette):
            yield

    http_app.router.lifespan_context = lifespan
    return http_app


class KnownToSdk:
    """Tells the SDK who calls, so that one principal cannot use another's session."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. The SDK gets no token: it only compares the session's opener with its user."""
        if scope["type"] == "http":
            principal = principal_in(scope)
            user = AccessToken(token="", client_id=principal.id, scopes=[], subject=principal.id)
            scope = {**scope, "user": AuthenticatedUser(user)}
        await self._app(scope, receive, send)


@asynccontextmanager
async def _closing(services: Services) -> AsyncIterator[None]:
    async with services:
        yield


def _sse_routes(server: Server[dict[str, Any]]) -> list[Route | Mount]:
    transport = SseServerTransport("/messages/", security_settings=SECURITY, max_request_body_size=MOST)
    idle = IdleStreams()
    return [
        Route("/sse", idle.stream(_SseApp(server, transport)), methods=["GET"]),
        Mount("/messages/", app=idle.messages(transport.handle_post_message)),
    ]


class _SseApp:
    """The SSE stream of one client. An ASGI class, because there is no response to return when the stream ends."""

    def __init__(self, server: Server[dict[str, Any]], transport: SseServerTransport) -> None:
        self._server = server
        self._transport = transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._transport.connect_sse(scope, receive, send) as (read_stream, write_stream):
                await self._server.run(read_stream, write_stream, self._server.create_initialization_options())
        except ValueError as error:
            # The transport has already refused the request (Host or Origin). Any other error is a bug.
            if str(error) != "Request validation failed":
                raise
