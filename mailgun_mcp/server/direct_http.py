"""Answers plain calls over HTTP without the SDK, for clients since 2026-07-28: its layers take half of a call's time.

Outer layers check the host, the caller and the scopes of every request. As on stdio, the SDK takes over a call when
only it can answer: to ask a person, to report progress, or when the call takes longer than a moment.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider
from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.asker import NOBODY
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server.direct_calls import BEGUN, BegunCall, Called, answer_of
from mailgun_mcp.server.early_session import is_verified
from mailgun_mcp.server.plain_messages import MODERN, Client, Message, NotUnderstoodError, client_of_call, parsed
from mailgun_mcp.web.principal import path_in, principal_in
from mailgun_mcp.web.replay import replay

MOMENT = 5.0
"""Seconds after which the SDK takes over: it keeps the connection alive during a long call."""
ROUTING = {
    b"mcp-protocol-version": MODERN.encode(),
    b"mcp-method": b"tools/call",
    b"content-type": b"application/json",
    # As `server.normalized` rewrites it for a client that reads either type.
    b"accept": b"application/json, text/event-stream",
}
"""Headers of a plain call. The tool's name is in a further header."""
PARAMETER = b"mcp-param-"


def may_answer() -> bool:
    """Return whether the installed SDK's answers are known and no tracing is configured."""
    return is_verified() and isinstance(get_tracer_provider(), ProxyTracerProvider)


class DirectHttp:
    """Answers plain calls. `app` gets everything else, and the calls that need the SDK."""

    def __init__(self, app: ASGIApp, services: Services, called: Called) -> None:
        """`called` is called after each successful call."""
        self._app = app
        self._services = services
        self._called = called

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        headers = _routing(scope) if scope["type"] == "http" and self._services.personal is None else None
        if headers is None:
            await self._app(scope, receive, send)
            return
        # `server.normalized` gives the whole body at once.
        body = (await receive()).get("body", b"")
        try:
            message, client = _plain_call(body, headers)
        except NotUnderstoodError:
            await self._app(scope, replay(body, receive), send)
            return
        await self._answer(_Exchange(scope, receive, send, body), message, client)

    async def _answer(self, exchange: "_Exchange", message: Message, client: Client) -> None:
        call = exchange.begin(message, client, principal_in(exchange.scope), self._services)
        try:
            await exchange.until_known(call)
            answer = None if call.goes_on or exchange.has_ended else _plain_answer(call)
            if answer is not None:
                if not call.task.result().is_error:
                    await self._called(message["params"]["name"], message["params"].get("arguments", {}))
                await exchange.send_json(answer)
            elif not exchange.has_ended:
                call.goes_on = True
                scope = {**exchange.scope, BEGUN: call}
                await self._app(scope, replay(exchange.body, exchange.receive), exchange.send)
        finally:
            # The client has gone, or the SDK refused to go on.
            call.task.cancel()


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.body = body
        self.has_ended = False
        """Whether the client has gone. In this protocol era, closing the connection cancels a call."""
        self._known: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def begin(self, message: Message, client: Client, principal: Principal, services: Services) -> BegunCall:
        """Begin the call of the message."""
        call = BegunCall(self.body, message["id"], client, lambda _: self._wake())
        params = message["params"]
        asker = call if principal.authenticated else NOBODY
        caller = Caller(principal, client.name, asker, call.notify, client.shows_views)
        made = run(services, params["name"], params.get("arguments", {}), caller)
        call.task = asyncio.get_running_loop().create_task(made)
        call.task.add_done_callback(self._ended)
        return call

    async def until_known(self, call: BegunCall) -> None:
        """Wait until it is clear who answers: the call ends, needs the SDK or takes long, or the client leaves."""
        loop = asyncio.get_running_loop()
        moment = loop.call_later(MOMENT, call.go_on_in_sdk)
        watch = loop.create_task(self._until_gone())
        try:
            await self._known
        finally:
            moment.cancel()
            watch.cancel()

    async def send_json(self, body: bytes) -> None:
        """Answer the request."""
        headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    async def _until_gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.has_ended = True
        self._wake()

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        if not task.cancelled():
            # The SDK's handler reports the error.
            task.exception()
        self._wake()

    def _wake(self) -> None:
        if not self._known.done():
            self._known.set_result(None)


def _plain_answer(call: BegunCall) -> bytes | None:
    """Return the answer of a finished call, or None if the SDK must give it: the call failed, or is not plain."""
    if call.task.cancelled() or call.task.exception() is not None:
        return None
    answer = answer_of(call.identifier, call.task.result(), modern=True)
    return answer and answer.rstrip(b"\n")


def _routing(scope: Scope) -> Mapping[bytes, bytes] | None:
    """Return the headers of a request that may be a plain call, or None. No header may be repeated."""
    if scope["method"] != "POST" or path_in(scope) != "/mcp":
        return None
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if len(headers) != len(scope["headers"]) or any(name.startswith(PARAMETER) for name in headers):
        return None
    return headers if all(headers.get(name) == value for name, value in ROUTING.items()) else None


def _plain_call(body: bytes, headers: Mapping[bytes, bytes]) -> tuple[Message, Client]:
    """Return the call in a body, and its client. Raises NotUnderstoodError for what is left to the SDK."""
    message = parsed(body)
    client = client_of_call(message.get("params"), Client(modern=True))
    if message["method"] != "tools/call" or "id" not in message:
        raise NotUnderstoodError
    name = message["params"]["name"]
    if not name.isascii() or not name.isidentifier() or headers.get(b"mcp-name") != name.encode():
        raise NotUnderstoodError
    return message, client
