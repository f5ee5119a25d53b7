"""The HTTP server as an ASGI app, which can also be mounted in another app.

from mailgun_mcp import asgi

mailgun = asgi.create()  # settings from the environment and mailgun-mcp.toml
app = Starlette(routes=[Mount("/mailgun", app=mailgun)], lifespan=mailgun.lifespan)
"""

import asyncio
import math
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from socket import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp import __version__
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.app.listen import is_loopback, listen, url_of
from mailgun_mcp.app.tracing import send_rest
from mailgun_mcp.call.running_calls import RunningCalls
from mailgun_mcp.call.scopes import missing_scopes
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.start_token import FILE, start_token
from mailgun_mcp.identity.tokens import Tokens
from mailgun_mcp.server.direct_http import DirectHttp, may_answer
from mailgun_mcp.server.discovery import discovery_routes
from mailgun_mcp.server.http import KnownToSdk, create_http_app
from mailgun_mcp.server.normalized import Normalized
from mailgun_mcp.server.session_room import MOST_OPEN, SessionRoom
from mailgun_mcp.settings import Settings, SettingsError, load
from mailgun_mcp.web.approvals import app as approvals
from mailgun_mcp.web.approvals.api import PREFIX as API
from mailgun_mcp.web.approvals.api import ApprovalsApi
from mailgun_mcp.web.approvals.changes import ApprovalChanges
from mailgun_mcp.web.authentication import HEALTH, Authentication, Verifier
from mailgun_mcp.web.bodies import BodyDeadline
from mailgun_mcp.web.challenge import Challenge
from mailgun_mcp.web.draining import Draining
from mailgun_mcp.web.http_gate import HttpGate
from mailgun_mcp.web.issuer_http import IssuerHttp
from mailgun_mcp.web.local_tokens import StartToken, StaticTokens
from mailgun_mcp.web.metadata import metadata_routes
from mailgun_mcp.web.oauth import oauth_verifier, oidc_sign_in
from mailgun_mcp.web.pages.app import create_pages, page_apps
from mailgun_mcp.web.pages.oidc import sign_in_cookie
from mailgun_mcp.web.paths import Paths
from mailgun_mcp.web.personal_key import page as personal_key
from mailgun_mcp.web.readiness import Readiness
from mailgun_mcp.web.scopes import Scopes
from mailgun_mcp.web.webhooks.worker import Webhooks, webhooks_of

if TYPE_CHECKING:
    from mailgun_mcp.agent.http.served import ServedAgent

SWITCH_INTERVAL = 0.001
"""Seconds for which a thread may hold the interpreter while others wait for it."""
NO_WAY_TO_AUTHENTICATE = (
    "nobody could call: the token of the state directory is accepted on loopback only, and no other token exists. "
    "Make one with `mailgun-mcp tokens new NAME --scopes read`, or name an authorization server with --oauth-issuer"
)

TO_TELL = 1.5
"""Seconds reserved at shutdown to tell the callers of running calls. Turns of the agent, which make calls, end before."""
KEEP_ALIVE = 75
"""Seconds for which a connection may be idle. More than a proxy's 60, so that none sends a call on a closed one."""

Shutdown = Callable[[list[socket] | None], Coroutine[Any, Any, None]]


class App:
    """The app. If you mount it, also run `lifespan`: a mounted app gets no lifespan events."""

    def __init__(
        self,
        app: Draining,
        routes: Starlette,
        agent: "ServedAgent | None",
        calls: RunningCalls,
        *beside: "Webhooks | Readiness | StaticTokens | None",
    ) -> None:
        self._app = app
        self._routes = routes
        self._agent = agent
        self._calls = calls
        self._beside = [part for part in (agent, *beside) if part is not None]
        self._lifespan = Router(lifespan=self.lifespan)

    def drain(self, seconds: float) -> None:
        """Take no more requests, because the server stops within `seconds`.

        Running calls may go on until shortly before. The callers of those that then still run are told.
        """
        self._app.drain()
        self._routes.state.server.end_subscriptions()
        asyncio.get_running_loop().call_later(seconds - min(TO_TELL, seconds / 2), self._calls.stop)
        if self._agent is not None:
            self._agent.drain(seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or handle the server's lifespan events."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self, _: Any = None) -> AsyncIterator[None]:
        """Run the MCP sessions and the background services until the block ends, then close the connections."""
        async with self._routes.router.lifespan_context(self._routes), AsyncExitStack() as running:
            for part in self._beside:
                await running.enter_async_context(part.running())
            yield


def create(
    settings: Settings | None = None,
    *,
    services: Services | None = None,
    loopback: bool = False,
    http: IssuerHttp | None = None,
) -> App:
    """Return the app for `settings`, which default to those of the environment and the configuration file.

    `loopback`: whether only this machine can reach the app. Then the token in the state directory is accepted too.
    `http` makes the requests to the authorization server.
    Raises SettingsError if nobody could call, or the settings contradict each other.
    """
    settings = settings or load({})
    services = services or create_services(settings)
    http = http or IssuerHttp(loopback=settings.oauth_loopback)
    oauth = oauth_verifier(settings, http, services.clock)
    verifiers = None if settings.without_token else _verifiers(services, oauth, loopback=loopback)
    if verifiers is None and (oauth is not None or not loopback):
        raise SettingsError("without-token: only a server on loopback accepts callers without a token")
    url = settings.public_url.rstrip("/") if settings.public_url and oauth else None
    challenge = Challenge(url)
    metadata = metadata_routes(url, [settings.oauth_issuer]) if url and settings.oauth_issuer else []
    cards = discovery_routes(settings.public_url, transport=settings.transport, oauth=oauth is not None)
    agent = _agent(services, settings)
    readiness = Readiness(services.store)
    routes = create_http_app(
        services,
        transport="sse" if settings.transport == "sse" else "http",
        routes=[
            Route("/healthz", _health),
            Route("/readyz", readiness.answer),
            *metadata,
            *cards,
            *_metrics(services, settings, challenge, agent),
            *(agent.routes if agent else ()),
        ],
    )

    documents = frozenset(route.path for route in (*metadata, *cards))
    app: ASGIApp = _checked(routes, services, settings, challenge)
    app = Normalized(app, files=services.files.received)
    app = Authentication(app, verifiers, challenge, public=HEALTH | documents)
    changes = ApprovalChanges(services.store, services.approvals, services.clock)
    api = Authentication(ApprovalsApi(services, changes).app(), verifiers, Challenge(url, as_json=True))
    sections = (*approvals.SECTIONS, *personal_key.sections(services), *(agent.sections if agent else ()))
    pages = create_pages(services, settings.public_url, sections, loopback=loopback)
    issuer = oidc_sign_in(settings, http, oauth, sign_in_cookie(secure=pages.secure))
    page_routes = approvals.page_routes(services, pages, changes)
    page_routes += personal_key.PersonalKeyPage(services, pages).routes()
    page_routes += agent.page_routes(pages) if agent else []
    app = Paths({**page_apps(pages, page_routes, issuer), **(agent.apps if agent else {}), API: api}, app)
    app = HttpGate(app, hosts=_hosts(settings), origins=settings.allowed_origins, documents=documents)
    turns = agent.streams if agent else ()
    draining = Draining(BodyDeadline(app), most=settings.max_requests, calls=services.running, finite=turns)
    tokens = [verifier for verifier in verifiers or () if isinstance(verifier, StaticTokens)]
    return App(draining, routes, agent, services.running, webhooks_of(services, settings), readiness, *tokens)


def _checked(routes: Starlette, services: Services, settings: Settings, challenge: Challenge) -> ASGIApp:
    """Return the routes behind the check of scopes. Plain calls are answered in front of the SDK."""

    async def missing(access: Any, tool: str, arguments: Any) -> frozenset[str]:
        return await missing_scopes(services, access, tool, arguments)

    app: ASGIApp = KnownToSdk(routes)
    if settings.transport != "sse" and may_answer():
        app = DirectHttp(app, services, routes.state.server)
    return Scopes(SessionRoom(app, MOST_OPEN), missing, challenge)


def serve(services: Services, settings: Settings) -> None:
    """Serve until interrupted. Port 0 means any free port. The address is written to stderr.

    Raises SettingsError if nobody could call, the port is in use, or an allowed host or origin is invalid, and
    StateError if the token can be neither read nor created.
    """
    import uvicorn
    from sse_starlette.sse import AppStatus

    from mailgun_mcp.web.http_protocol import BoundedProtocol

    # Otherwise all event streams break off at a signal to stop, also those on which a running call is to be answered.
    # `Draining` ends them.
    AppStatus.enable_automatic_graceful_drain = False

    loopback = is_loopback(settings.host)
    app = create(settings, services=services, loopback=loopback)
    listener = listen(settings.host, settings.port, authenticated=True)
    path = "/sse" if settings.transport == "sse" else "/mcp"
    sys.stderr.write(
        f"mailgun-mcp {__version__} listens on {url_of(listener, settings.host)}{path}\n"
        f"{_who_may_call(services, settings, loopback=loopback)}\n"
    )
    sys.stderr.flush()
    drain_timeout = math.ceil(settings.drain_timeout)
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=drain_timeout,
        timeout_keep_alive=KEEP_ALIVE,
    )
    server = uvicorn.Server(config)
    # A read passes through the event loop about ten times. While a thread works on another client's large call, each
    # pass waits for the interpreter: 5 ms by default.
    sys.setswitchinterval(SWITCH_INTERVAL)
    server.shutdown = _drained(server.shutdown, app, drain_timeout)  # type: ignore[method-assign, assignment]
    server.run(sockets=[listener])


def _drained(shutdown: Shutdown, app: App, seconds: float) -> Shutdown:
    """Return uvicorn's shutdown, preceded by the app's refusal of new requests. Afterwards the last traces are sent."""

    async def drain_first(sockets: list[socket] | None = None) -> None:
        app.drain(seconds)
        await shutdown(sockets)
        await send_rest()

    return drain_first


def _metrics(services: Services, settings: Settings, challenge: Challenge, agent: "ServedAgent | None") -> list[Route]:
    if not settings.metrics:
        return []
    from mailgun_mcp.web.metrics import metrics_routes

    return metrics_routes(services, challenge, *([agent.collector(services.clock)] if agent else ()))


def _agent(services: Services, settings: Settings) -> "ServedAgent | None":
    """Return the chat agent if the settings enable it. Otherwise none of its modules is imported."""
    if not settings.agent:
        if settings.slack is not None:
            raise SettingsError("slack: the chat agent answers there: add --agent and --model")
        return None
    try:
        from mailgun_mcp.agent.http.served import serve_agent

        return serve_agent(services, settings)
    except ImportError as error:
        raise SettingsError("agent: it needs more packages: pip install 'mailgun-mcp-server[agent]'") from error


def _hosts(settings: Settings) -> list[str]:
    """Return the hosts under which clients reach the server, including that of its public URL."""
    host = urlsplit(settings.public_url or "").hostname
    return [*settings.allowed_hosts, *([f"[{host}]" if ":" in host else host] if host else [])]


def _verifiers(services: Services, oauth: Verifier | None, *, loopback: bool) -> list[Verifier]:
    """Return the token verifiers, with that of the authorization server last: it may accept any form of token."""
    tokens = Tokens(services.store)
    if not loopback and oauth is None and not tokens.any_valid(services.clock()):
        raise SettingsError(NO_WAY_TO_AUTHENTICATE)
    verifiers: list[Verifier] = [StaticTokens(services.store, services.clock)]
    verifiers += [StartToken(start_token(services.state))] if loopback else []
    return verifiers + ([oauth] if oauth is not None else [])


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
