"""Streamable HTTP at `/mcp` and HTTP+SSE at `/sse` and `/messages/`, both protocol eras on each."""

import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.sse import SseServerTransport
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from mailgun_mcp import __version__
from mailgun_mcp.app.listen import listen, url_of
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.principal import ANONYMOUS, Principal, local_user
from mailgun_mcp.identity.start_token import FILE, start_token
from mailgun_mcp.server.http_gate import HttpGate
from mailgun_mcp.server.large_messages import MOST
from mailgun_mcp.server.server import create_server

SECURITY = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""`HttpGate` checks hosts and origins for every route."""


def serve(
    services: Services,
    *,
    transport: str,
    host: str,
    port: int,
    allowed_hosts: Iterable[str] = (),
    allowed_origins: Iterable[str] = (),
    without_token: bool = False,
) -> None:
    """Serve until interrupted. Port 0 means any free port. The address is written to stderr.

    Who sends the token of the state directory is the user who runs the server. `without_token`, callers are anonymous.

    Raises SettingsError if the host is not loopback, the port is in use, or an allowed host or origin is not one, and
    StateError if the token can be neither read nor made.
    """
    token = None if without_token else start_token(services.state)
    app = HttpGate(
        create_http_app(services, ANONYMOUS if without_token else local_user(), transport=transport),
        hosts=allowed_hosts,
        origins=allowed_origins,
        token=token,
        files=services.files.received,
    )
    listener = listen(host, port)
    path = "/mcp" if transport == "http" else "/sse"
    sys.stderr.write(
        f"mailgun-mcp {__version__} listens on {url_of(listener, host)}{path}\n{_who_may_call(services, token)}\n"
    )
    sys.stderr.flush()
    config = uvicorn.Config(app, log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def _who_may_call(services: Services, token: str | None) -> str:
    if token is None:
        return (
            "WITHOUT A TOKEN: every program on this machine can call. Nobody is asked in the client; people answer with "
            "`mailgun-mcp approvals`."
        )
    return f"Clients send the header `Authorization: Bearer TOKEN`; the token is in {services.state / FILE}"


def create_http_app(services: Services, principal: Principal, *, transport: str) -> Starlette:
    """Return the ASGI app: with `http` every route, with `sse` the older transport alone."""
    server = create_server(services, principal)
    routes: list[Route | Mount] = [*_sse_routes(server), Route("/healthz", _health)]
    if transport == "sse":
        return Starlette(routes=routes, lifespan=lambda _: _closing(services))
    http_app = server.streamable_http_app(
        transport_security=SECURITY,
        max_request_body_size=MOST,
        custom_starlette_routes=routes,  # type: ignore[arg-type] # the SDK's type forgets Mount
    )
    inner = http_app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(starlette: Starlette) -> AsyncIterator[None]:
        async with _closing(services), inner(starlette):
            yield

    http_app.router.lifespan_context = lifespan
    return http_app


@asynccontextmanager
async def _closing(services: Services) -> AsyncIterator[None]:
    async with services:
        yield


async def _health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok", "version": __version__})


def _sse_routes(server: Server[dict[str, Any]]) -> list[Route | Mount]:
    transport = SseServerTransport("/messages/", security_settings=SECURITY, max_request_body_size=MOST)
    return [
        Route("/sse", _SseApp(server, transport), methods=["GET"]),
        Mount("/messages/", app=transport.handle_post_message),
    ]


class _SseApp:
    """The SSE stream of one client. It is an ASGI class because there is no response left to return when it ends."""

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
