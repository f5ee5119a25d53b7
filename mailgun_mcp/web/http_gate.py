"""The first check of every HTTP request: which hosts and origins may reach the server.

The SDK refuses a Host without a port or in upper case, and has no CORS. So its own checks are off, and these replace
them.
"""

import re
from collections.abc import Collection, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.text.host_names import LOOPBACK
from mailgun_mcp.web.principal import path_in

LOOPBACK_HOSTS = frozenset(f"[{host}]" if ":" in host else host for host in LOOPBACK)
"""As they are written in URLs and headers."""
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]*[a-z0-9_-])(?:(?<!\])\.)?(?::(?P<port>[0-9]{0,5}))?")
"""A host as a client writes it. The dot at the end of `localhost.` says that the name is whole; it is the same host."""
ORIGIN = re.compile(rf"(?P<scheme>[a-z][a-z0-9+.-]*)://{HOST.pattern}")
METHODS = "GET, POST, DELETE, OPTIONS"
EXPOSED = "Mcp-Session-Id, Mcp-Protocol-Version, WWW-Authenticate"
HEADER_NAMES = re.compile(r"[A-Za-z0-9, _-]*")


class HttpGate:
    """Passes requests for allowed hosts and from allowed origins on to `app`.

    Raises SettingsError for an invalid host or origin.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Iterable[str], origins: Iterable[str], documents: Collection[str] = ()
    ) -> None:
        """`documents` are paths that pages of any origin may read. They are public, and set their own headers."""
        self._app = app
        self._documents = frozenset(documents)
        self._hosts = {*LOOPBACK_HOSTS, *(_checked(HOST, "allowed-hosts", host) for host in hosts)}
        self._origins = {_checked(ORIGIN, "allowed-origins", origin) for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origins = headers.getlist("origin")
        if scope["method"] == "GET" and path_in(scope) in self._documents:
            origins = []
        refusal = self._refusal(headers.getlist("host"), origins)
        refusal = refusal or _unclear(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif origins and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(headers)(scope, receive, send)
        else:
            await self._app(scope, receive, _readable_by(origins[0], send) if origins else send)

    def _refusal(self, hosts: list[str], origins: list[str]) -> Response | None:
        if len(hosts) != 1 or not self._allows_host(hosts[0].lower()):
            return Response("This host is not allowed: add it with --allowed-hosts\n", 421)
        if len(origins) > 1 or (origins and not self._allows_origin(origins[0].lower())):
            return Response("This origin is not allowed: add it with --allowed-origins\n", 403)
        return None

    def _allows_host(self, host: str) -> bool:
        parts = HOST.fullmatch(host)
        return parts is not None and not self._hosts.isdisjoint((_plain(parts), parts["name"]))

    def _allows_origin(self, origin: str) -> bool:
        parts = ORIGIN.fullmatch(origin)
        if parts is None:
            return False
        return origin in self._origins or (parts["scheme"] == "http" and parts["name"] in LOOPBACK_HOSTS)


def _unclear(scope: Scope, headers: Headers) -> Response | None:
    """Return a refusal of a request that two readers could understand differently."""
    if "transfer-encoding" in headers and "content-length" in headers:
        # A proxy in front may have used the other header, and would take the rest for a request.
        text = "The request has both Content-Length and Transfer-Encoding: send one of them\n"
        return Response(text, 400, headers={"Connection": "close"}, media_type="text/plain")
    if not scope.get("query_string", b"").isascii():
        return Response("The query of the request must be percent-encoded\n", 400, media_type="text/plain")
    return None


def _checked(pattern: re.Pattern[str], flag: str, value: str) -> str:
    parts = pattern.fullmatch(value.lower())
    if parts is None:
        form = "a host name, such as host.docker.internal" if pattern is HOST else "like https://app.example.com"
        raise SettingsError(f"{flag}: {value!r} must be {form}")
    return _plain(parts) if pattern is HOST else value.lower()


def _plain(host: re.Match[str]) -> str:
    """Return a host without the dot at its end."""
    return f"{host['name']}:{host['port']}" if host["port"] else host["name"]


def _preflight(headers: Headers) -> Response:
    asked = headers.get("access-control-request-headers", "")
    response = Response(status_code=204, headers={"Access-Control-Allow-Methods": METHODS, "Vary": "Origin"})
    response.headers["Access-Control-Allow-Origin"] = headers["origin"]
    if asked and HEADER_NAMES.fullmatch(asked):
        response.headers["Access-Control-Allow-Headers"] = asked
    if headers.get("access-control-request-private-network") == "true":
        response.headers["Access-Control-Allow-Private-Network"] = "true"
    return response


def _readable_by(origin: str, send: Send) -> Send:
    """Return a `send` that allows scripts of the origin to read the response."""

    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = EXPOSED
            headers.add_vary_header("Origin")
            message = {**message, "headers": headers.raw}
        await send(message)

    return add
