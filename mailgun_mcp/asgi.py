"""The HTTP server as one ASGI app, which mounts in somebody else's too.

from mailgun_mcp import asgi

mailgun = asgi.create()  # settings from the environment and mailgun-mcp.toml
app = Starlette(routes=[Mount("/mailgun", app=mailgun)], lifespan=mailgun.lifespan)
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp import __version__
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.app.listen import is_loopback, listen, url_of
from mailgun_mcp.call.scopes import missing_scopes
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.start_token import FILE, start_token
from mailgun_mcp.identity.tokens import Tokens
from mailgun_mcp.server.http import KnownToSdk, create_http_app
from mailgun_mcp.server.normalized import Normalized
from mailgun_mcp.settings import Settings, SettingsError, load
from mailgun_mcp.web.authentication import Authentication, Verifier
from mailgun_mcp.web.challenge import Challenge
from mailgun_mcp.web.http_gate import HttpGate
from mailgun_mcp.web.local_tokens import StartToken, StaticTokens
from mailgun_mcp.web.scopes import Scopes

NO_WAY_TO_AUTHENTICATE = (
    "nobody could call: the token of the state directory is accepted on loopback only, and there is no other. Make one "
    "with `mailgun-mcp tokens new NAME --scopes read`"
)


class App:
    """The app. Whoever mounts it runs `lifespan` too: an app that is mounted gets no lifespan of its own."""

    def __init__(self, app: ASGIApp, routes: Starlette) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._app(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self, _: Any = None) -> AsyncIterator[None]:
        """Run the sessions of MCP until the block ends, and close the connections to Mailgun then."""
        async with self._routes.router.lifespan_context(self._routes):
            yield


def create(settings: Settings | None = None, *, services: Services | None = None, loopback: bool = False) -> App:
    """Return the app that `settings` describe; without, those of the environment and the configuration file.

    `loopback` says that only this machine reaches it: then the token of the state directory is accepted too.
    Raises SettingsError where nobody could call, and for what the settings do not allow.
    """
    settings = settings or load({})
    services = services or create_services(settings)
    verifiers = None if settings.without_token else _verifiers(services, loopback=loopback)
    if verifiers is None and not loopback:
        raise SettingsError("without-token: only a server on loopback accepts callers without a token")
    challenge = Challenge()
    routes = create_http_app(
        services,
        transport="sse" if settings.transport == "sse" else "http",
        routes=[Route("/healthz", _health), Route("/readyz", _health)],
    )

    async def missing(access: Any, tool: str, arguments: Any) -> frozenset[str]:
        return await missing_scopes(services, access, tool, arguments)

    app: ASGIApp = Scopes(KnownToSdk(routes), missing, challenge)
    app = Authentication(Normalized(app, files=services.files.received), verifiers, challenge)
    return App(HttpGate(app, hosts=settings.allowed_hosts, origins=settings.allowed_origins), routes)


def serve(services: Services, settings: Settings) -> None:
    """Serve until interrupted. Port 0 means any free port. The address is written to stderr.

    Raises SettingsError if nobody could call, the port is in use, or an allowed host or origin is not one, and
    StateError if the token can be neither read nor made.
    """
    import uvicorn

    loopback = is_loopback(settings.host)
    app = create(settings, services=services, loopback=loopback)
    listener = listen(settings.host, settings.port, authenticated=True)
    path = "/sse" if settings.transport == "sse" else "/mcp"
    sys.stderr.write(
        f"mailgun-mcp {__version__} listens on {url_of(listener, settings.host)}{path}\n"
        f"{_who_may_call(services, settings, loopback=loopback)}\n"
    )
    sys.stderr.flush()
    config = uvicorn.Config(app, log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def _verifiers(services: Services, *, loopback: bool) -> list[Verifier]:
    tokens = Tokens(services.store)
    if not loopback and not tokens.any_valid(services.clock()):
        raise SettingsError(NO_WAY_TO_AUTHENTICATE)
    verifiers: list[Verifier] = [StaticTokens(tokens, services.clock)]
    return [*verifiers, StartToken(start_token(services.state))] if loopback else verifiers


def _who_may_call(services: Services, settings: Settings, *, loopback: bool) -> str:
    if settings.without_token:
        return (
            "WITHOUT A TOKEN: every program on this machine can call. Nobody is asked in the client; people answer with "
            "`mailgun-mcp approvals`."
        )
    if loopback:
        return f"Clients send the header `Authorization: Bearer TOKEN`; the token is in {services.state / FILE}"
    return (
        "Clients send the header `Authorization: Bearer TOKEN` with a token of `mailgun-mcp tokens`. This server speaks "
        "plain HTTP: put a proxy with TLS in front of it."
    )


async def _health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok", "version": __version__})
