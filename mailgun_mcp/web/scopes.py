"""Answers a call with HTTP 403 and a challenge if its token lacks a scope, before anything of the call is done.

A JSON-RPC answer could not do that later. This layer passes on what it cannot read: the call pipeline checks scopes
too.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.identity.access import READ, Access
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.web.body_replay import replay
from mailgun_mcp.web.challenge import Challenge
from mailgun_mcp.web.principal import path_in, principal_in

LARGE = 50_000
"""Bytes. Parsing a smaller body takes less time than starting a thread."""
MissingScopes = Callable[[Access, str, Any], Awaitable[frozenset[str]]]
"""Function that returns the scopes that a call of a tool with these arguments needs and the access lacks."""


class Scopes:
    """Passes a message to `app` if the token of its request has the scopes for it."""

    def __init__(self, app: ASGIApp, missing: MissingScopes, challenge: Challenge) -> None:
        self._app = app
        self._missing = missing
        self._challenge = challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request that lacks scopes, or pass it on."""
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
        """Return the scopes that the message lacks. Batches are read too, although the SDK refuses them."""
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
    """Return the JSON of a body, or None if it is not JSON. The SDK reports that to the client."""
    try:
        return json.loads(body) if len(body) < LARGE else await in_thread(json.loads, body)
    except (ValueError, RecursionError):
        return None
