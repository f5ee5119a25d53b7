"""Answers a call that its token has no scope for with HTTP 403 and a challenge, before anything of the call is done.

A JSON-RPC answer could not do that later. The pipeline of calls checks scopes too: what this layer cannot read, it
passes on.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.identity.access import READ, Access
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.web.challenge import Challenge
from mailgun_mcp.web.principal import path_in, principal_in
from mailgun_mcp.web.replay import replay

LARGE = 50_000
"""Bytes. Smaller bodies are read in less time than a thread costs."""
MissingScopes = Callable[[Access, str, Any], Awaitable[frozenset[str]]]
"""Returns the scopes that a call of a tool with these arguments needs and the access lacks."""


class Scopes:
    """Lets the messages through to `app` that the token of the request has the scopes for."""

    def __init__(self, app: ASGIApp, missing: MissingScopes, challenge: Challenge) -> None:
        self._app = app
        self._missing = missing
        self._challenge = challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that lacks scopes, or pass it on."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        access = principal_in(scope).access
        if access.scopes is None:
            await self._app(scope, receive, send)
            return
        # `server.normalized` gives the whole body at once.
        body = (await receive()).get("body", b"")
        missing = await self._missing_for(access, await _read(body))
        if missing:
            answer = self._challenge.insufficient_scope(path_in(scope), missing, access.listed_scopes)
            await answer(scope, receive, send)
        else:
            await self._app(scope, replay(body, receive), send)

    async def _missing_for(self, access: Access, message: Any) -> frozenset[str]:
        """Return what the message lacks. The SDK takes no batches; one is read all the same."""
        if isinstance(message, list):
            return frozenset().union(*[await self._missing_for(access, item) for item in message])
        if not isinstance(message, dict):
            return frozenset()
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        match message.get("method"):
            case "tools/call" if isinstance(params.get("name"), str):
                return await self._missing(access, params["name"], params.get("arguments"))
            case "resources/read" if not access.has(READ):
                return frozenset({READ})
        return frozenset()


async def _read(body: bytes) -> Any:
    """Return the JSON of a body, or None for what is not JSON: whoever sent it is told so by the SDK."""
    try:
        return json.loads(body) if len(body) < LARGE else await in_thread(json.loads, body)
    except (ValueError, RecursionError):
        return None
