"""Answers plain calls over HTTP without the SDK: its layers take half of a call's time.

Outer layers check the host, the caller and the scopes of every request. As on stdio, the SDK takes over a call when
only it can answer: to ask a person, to report progress, or when the call takes longer than a moment.
"""

from collections.abc import Mapping

from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider
from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.call.services import Services
from mailgun_mcp.server.early_session import is_verified
from mailgun_mcp.server.http_exchanges import Exchange, SessionExchange
from mailgun_mcp.server.http_sessions import HttpSession, HttpSessions
from mailgun_mcp.server.plain_messages import MODERN, Client, Message, NotUnderstoodError, client_of_call, parsed
from mailgun_mcp.server.server import MailgunServer
from mailgun_mcp.web.principal import path_in, principal_in

CALL = "tools/call"
PLAIN = {
    b"content-type": b"application/json",
    # As `server.normalized` rewrites it for a client that reads either type.
    b"accept": b"application/json, text/event-stream",
}
"""Headers of a plain call."""
VERSION, SESSION = b"mcp-protocol-version", b"mcp-session-id"
ROUTING = {VERSION: MODERN.encode(), b"mcp-method": CALL.encode()}
"""Further headers of a plain call since 2026-07-28. The tool's name is in another one."""
PARAMETER = b"mcp-param-"
OLDER = frozenset({None, b"2024-11-05", b"2025-03-26", b"2025-06-18", b"2025-11-25"})
"""Versions that a request in a session may name. It need not name one."""
Headers = Mapping[bytes, bytes]


def may_answer() -> bool:
    """Return whether the installed SDK's answers are known and no tracing is configured."""
    return is_verified() and isinstance(get_tracer_provider(), ProxyTracerProvider)


class DirectHttp:
    """Answers plain calls. `app` gets everything else, and the calls that need the SDK."""

    def __init__(self, app: ASGIApp, services: Services, server: MailgunServer) -> None:
        """`server` is the SDK's server in `app`."""
        self._app = app
        self._services = services
        self._called = server.called
        self._sessions = HttpSessions(server)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        headers = _headers(scope) if scope["type"] == "http" and self._services.personal is None else None
        session = self._session(headers, scope) if headers is not None else None
        if headers is None or (session is None and not _is_modern(headers)):
            await self._app(scope, receive, send)
            return
        # `server.normalized` gives the whole body at once.
        body = (await receive()).get("body", b"")
        request = (scope, receive, send, body)
        exchange = Exchange(*request) if session is None else SessionExchange(*request, session)
        try:
            message, client = _modern_call(body, headers) if session is None else _call_in(session, body)
        except NotUnderstoodError:
            await exchange.leave_to(self._app)
            return
        await exchange.run(message, client, self._services, self._called, self._app)

    def _session(self, headers: Headers, scope: Scope) -> HttpSession | None:
        if SESSION not in headers or headers.get(VERSION) not in OLDER:
            return None
        return self._sessions.find(headers[SESSION], principal_in(scope))


def _headers(scope: Scope) -> Headers | None:
    """Return the headers of a request that may be a plain call, or None. No header may be repeated."""
    if scope["method"] != "POST" or path_in(scope) != "/mcp":
        return None
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if len(headers) != len(scope["headers"]):
        return None
    return headers if all(headers.get(name) == value for name, value in PLAIN.items()) else None


def _is_modern(headers: Headers) -> bool:
    """Return whether the headers are those of a plain call since 2026-07-28."""
    if any(name.startswith(PARAMETER) for name in headers):
        return False
    return all(headers.get(name) == value for name, value in ROUTING.items())


def _modern_call(body: bytes, headers: Headers) -> tuple[Message, Client]:
    """Return the call in a body, and its client. Raises NotUnderstoodError for what is left to the SDK."""
    message, client = _call(body, Client(modern=True))
    name = message["params"]["name"]
    if not name.isascii() or not name.isidentifier() or headers.get(b"mcp-name") != name.encode():
        raise NotUnderstoodError
    return message, client


def _call_in(session: HttpSession, body: bytes) -> tuple[Message, Client]:
    """Return the call in a body, and the session's client. Raises NotUnderstoodError for what is left to the SDK."""
    message, client = _call(body, session.client)
    session.check_id(message["id"])
    return message, client


def _call(body: bytes, opened: Client) -> tuple[Message, Client]:
    """Return the call in a body, and its client. `opened` is who opened the session. Raises NotUnderstoodError."""
    message = parsed(body)
    if message["method"] != CALL or "id" not in message:
        raise NotUnderstoodError
    return message, client_of_call(message.get("params"), opened)
