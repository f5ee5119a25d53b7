"""What every HTTP request passes first: who may reach the server, and the spellings that clients use.

The SDK refuses a Host without a port or in upper case, knows no CORS, redirects `/mcp/`, and writes a traceback when a
body breaks off. So its own checks are off and these take their place.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import anyio
from mcp_types import INVALID_REQUEST
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.identity.start_token import token_matches
from mailgun_mcp.request.received_files import ReceivedFiles
from mailgun_mcp.server.large_messages import LARGE, TooLargeError, bounded, refuse_longer
from mailgun_mcp.store.database import in_thread

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?")
ORIGIN = re.compile(rf"(?P<scheme>[a-z][a-z0-9+.-]*)://{HOST.pattern}")
SAME_ROUTE = {"/mcp/": "/mcp", "/sse/": "/sse", "/messages": "/messages/"}
JSON, EVENTS = "application/json", "text/event-stream"
READS_JSON = frozenset({JSON, "application/*", "*/*", ""})
READS_EVENTS = frozenset({EVENTS, "text/*", "*/*", ""})
HEALTH = frozenset({"/healthz"})
"""What needs no token: it tells nothing but that the server is up."""
UNAUTHORIZED = (
    "This server wants its token: send the header `Authorization: Bearer TOKEN`. The token is in the file http-token in "
    "the server's state directory, and `mailgun-mcp install --client CLIENT --server-url URL` writes it for a client.\n"
)
METHODS = "GET, POST, DELETE, OPTIONS"
EXPOSED = "Mcp-Session-Id, Mcp-Protocol-Version"
HEADER_NAMES = re.compile(r"[A-Za-z0-9, _-]*")


class HttpGate:
    """Lets requests for allowed hosts, from allowed origins and with the token through to `app`.

    Without a token, `None`, every request counts as one of the right caller.

    Raises SettingsError for a host or origin that cannot be one.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Iterable[str], origins: Iterable[str], token: str | None, files: ReceivedFiles
    ) -> None:
        self._app = app
        self._hosts = {*LOOPBACK_HOSTS, *(_checked(HOST, "allowed-hosts", host) for host in hosts)}
        self._origins = {_checked(ORIGIN, "allowed-origins", origin) for origin in origins}
        self._token = token
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origins = headers.getlist("origin")
        refusal = self._refusal(headers.getlist("host"), origins)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif origins and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(headers)(scope, receive, send)
        else:
            send = _readable_by(origins[0], send) if origins else send
            if self._is_authorized(scope["path"], headers.getlist("authorization")):
                await self._pass(scope, receive, send)
            else:
                await _unauthorized()(scope, receive, send)

    def _refusal(self, hosts: list[str], origins: list[str]) -> Response | None:
        if len(hosts) != 1 or not self._allows_host(hosts[0].lower()):
            return Response("This host is not allowed: add it with --allowed-hosts\n", 421)
        if len(origins) > 1 or (origins and not self._allows_origin(origins[0].lower())):
            return Response("This origin is not allowed: add it with --allowed-origins\n", 403)
        return None

    def _is_authorized(self, path: str, values: list[str]) -> bool:
        if self._token is None or path in HEALTH:
            return True
        return len(values) == 1 and token_matches(values[0], self._token)

    def _allows_host(self, host: str) -> bool:
        parts = HOST.fullmatch(host)
        return parts is not None and (host in self._hosts or parts["name"] in self._hosts)

    def _allows_origin(self, origin: str) -> bool:
        parts = ORIGIN.fullmatch(origin)
        if parts is None:
            return False
        return origin in self._origins or (parts["scheme"] == "http" and parts["name"] in LOOPBACK_HOSTS)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        path = SAME_ROUTE.get(path, path)
        scope = {**scope, "path": path, "raw_path": path.encode(), "headers": list(scope["headers"])}
        if path == "/mcp":
            send = _accept(scope, send)
        if scope["method"] == "POST":
            try:
                body = await _body(scope, receive)
                if body is None:
                    return
                await self._pass_body(body, scope, receive, send)
            except TooLargeError as error:
                await _too_large(error)(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _pass_body(self, body: bytearray, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request with its body on. The files in it are there until it is answered."""
        if len(body) <= LARGE:
            await self._answer(scope, _replay(bytes(body), receive), send)
            return
        rest, names = await in_thread(bounded, body, self._files)
        body.clear()
        scope["headers"] = [header for header in scope["headers"] if header[0] != b"content-length"]
        scope["headers"].append((b"content-length", str(len(rest)).encode()))
        try:
            await self._answer(scope, _replay(rest, receive), send)
        finally:
            # A call that came over HTTP+SSE goes on after its request is answered.
            if scope["path"] == "/mcp":
                self._files.discard(names)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, ClientDisconnect):
            # The client has gone. There is nobody to answer, and nothing for an operator to mend.
            return


async def _body(scope: Scope, receive: Receive) -> bytearray | None:
    """Return the whole body, or None if it broke off. Raises TooLargeError as soon as it is known."""
    declared = Headers(scope=scope).get("content-length", "")
    refuse_longer(int(declared) if declared.isdecimal() else 0)
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        refuse_longer(len(body))
        more = message.get("more_body", False)
    return body


def _too_large(error: TooLargeError) -> Response:
    """Refuse in the form in which clients show the reason."""
    fault = {"code": INVALID_REQUEST, "message": str(error)}
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": fault}, 413)


def _checked(pattern: re.Pattern[str], flag: str, value: str) -> str:
    if not pattern.fullmatch(value.lower()):
        form = "a host name, such as host.docker.internal" if pattern is HOST else "like https://app.example.com"
        raise SettingsError(f"{flag}: {value!r} must be {form}")
    return value.lower()


def _unauthorized() -> Response:
    return Response(UNAUTHORIZED, 401, headers={"WWW-Authenticate": 'Bearer realm="mailgun-mcp"'})


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
    """Return a `send` that lets scripts of an allowed origin read the response."""

    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = EXPOSED
            headers.add_vary_header("Origin")
            message = {**message, "headers": headers.raw}
        await send(message)

    return add


def _accept(scope: Scope, send: Send) -> Send:
    """Ask the SDK, which wants both media types, for both. Return a `send` that answers with what the client reads."""
    headers = MutableHeaders(scope=scope)
    types = {part.partition(";")[0].strip().lower() for part in headers.get("accept", "").split(",")}
    if not types & (READS_JSON | READS_EVENTS):
        return send
    headers["accept"] = f"{JSON}, {EVENTS}"
    return send if types & READS_EVENTS or scope["method"] != "POST" else _as_json(send)


def _as_json(send: Send) -> Send:
    """Return a `send` that turns a stream of events into the one response at its end."""
    start: Message = {}
    body = bytearray()

    async def convert(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            if Headers(raw=message.get("headers", [])).get("content-type", "").startswith(EVENTS):
                start = message
                return
        elif start and message["type"] == "http.response.body":
            body.extend(message.get("body", b""))
            if message.get("more_body", False):
                return
            content = _response_in(bytes(body))
            headers = MutableHeaders(raw=list(start["headers"]))
            headers["content-type"], headers["content-length"] = JSON, str(len(content))
            await send({**start, "headers": headers.raw})
            message = {"type": "http.response.body", "body": content}
        await send(message)

    return convert


def _response_in(events: bytes) -> bytes:
    """Return the JSON-RPC response among server-sent events. What comes before it are notifications."""
    for line in reversed(events.splitlines()):
        if line.startswith(b"data:") and (content := line[5:].strip()):
            message: Any = json.loads(content)
            if "method" not in message:
                return content
    return b""


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
