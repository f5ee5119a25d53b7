"""Authenticates callers: except on public paths, each request needs exactly one bearer token that proves who calls."""

import re
from collections.abc import Collection
from typing import Protocol

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.principal import ANONYMOUS, Principal
from mailgun_mcp.output.logs import logger
from mailgun_mcp.web.challenge import INVALID, Challenge
from mailgun_mcp.web.principal import path_in, with_principal

HEALTH = frozenset({"/healthz", "/readyz"})
"""Paths that need no token. They reveal only that the server is up."""
LONGEST = 16_384
"""Maximum length of a token in characters. A longer one is refused unread. Those with many groups have about 11,000."""
BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)
UNAVAILABLE = "Tokens cannot be checked at the moment. Nothing was done. Try again.\n"


class TokenRefused(Exception):
    """A token that is not accepted. The message tells the operator why."""


class TokenUnreadable(TokenRefused):
    """A header in which no token can be read. The client is told why, too: that says nothing about any token."""


class TokensUnavailable(Exception):
    """Tokens cannot be checked at the moment, so they let nobody in."""


class Verifier(Protocol):
    """Verifies one kind of token."""

    def takes(self, token: str) -> bool:
        """Return whether the token looks like one of this kind."""

    async def verify(self, token: str) -> Principal:
        """Return the principal that the token proves. Raises TokenRefused, TokensUnavailable, StateError."""


class Authentication:
    """Passes requests to `app` with the principal that their token proves. Without verifiers, callers are anonymous.

    The first verifier that recognizes a token decides.
    """

    def __init__(
        self,
        app: ASGIApp,
        verifiers: Collection[Verifier] | None,
        challenge: Challenge,
        *,
        public: Collection[str] = HEALTH,
    ) -> None:
        self._app = app
        self._verifiers = verifiers
        self._challenge = challenge
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request without a valid token, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif path_in(scope) in self._public or self._verifiers is None:
            await self._app(with_principal(scope, ANONYMOUS), receive, send)
        else:
            answer = await self._principal_or_refusal(scope)
            if isinstance(answer, Principal):
                await self._app(with_principal(scope, answer), receive, send)
            else:
                await answer(scope, receive, send)

    async def _principal_or_refusal(self, scope: Scope) -> Principal | Response:
        values = Headers(scope=scope).getlist("authorization")
        if not values:
            return self._challenge.unauthorized(path_in(scope))
        try:
            return await self._verified(values)
        except TokenRefused as error:
            logger().info("a token was refused", reason=str(error))
            fault = str(error) if isinstance(error, TokenUnreadable) else INVALID
            return self._challenge.unauthorized(path_in(scope), fault=fault)
        except (TokensUnavailable, StateError) as error:
            logger().error("tokens cannot be checked", reason=str(error))
            return PlainTextResponse(UNAVAILABLE, 503, headers={"Retry-After": "5"})

    async def _verified(self, values: list[str]) -> Principal:
        if len(values) != 1:
            raise TokenUnreadable("There is more than one Authorization header")
        if len(values[0]) > LONGEST:
            raise TokenUnreadable(f"The token is longer than {LONGEST} characters")
        parts = BEARER.fullmatch(values[0])
        if parts is None:
            raise TokenUnreadable("The Authorization header is not of the form Bearer TOKEN")
        token = parts[1]
        for verifier in self._verifiers or ():
            if verifier.takes(token):
                return await verifier.verify(token)
        raise TokenRefused("it is not a kind of token that this server accepts")
