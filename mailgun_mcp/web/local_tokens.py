"""The tokens that the server itself knows: that of the user who runs it, and the named ones that they made."""

from collections.abc import Callable
from hmac import compare_digest

from mailgun_mcp.identity.principal import Principal, local_user
from mailgun_mcp.identity.tokens import PREFIX, Tokens
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.web.authentication import TokenRefused


class StartToken:
    """The token in the state directory. Who can read it is the user who runs the server, or was given it by them."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._user = local_user()

    def takes(self, token: str) -> bool:
        """Return whether it is that token. It takes as long wherever it differs."""
        return compare_digest(token.encode(), self._token.encode())

    async def verify(self, token: str) -> Principal:  # noqa: ARG002 - `takes` compared it
        """Return the user who runs the server."""
        return self._user


class StaticTokens:
    """The tokens of `mailgun-mcp tokens`. Each is looked up for each request, so that a revoked one ends at once."""

    def __init__(self, tokens: Tokens, clock: Callable[[], float]) -> None:
        self._tokens = tokens
        self._clock = clock

    def takes(self, token: str) -> bool:
        """Return whether it begins like one of ours."""
        return token.startswith(PREFIX)

    async def verify(self, token: str) -> Principal:
        """Return the principal of the token. Raises TokenRefused, StateError."""
        found = await in_thread(self._tokens.find, token, self._clock())
        if found is None:
            raise TokenRefused("it is unknown, revoked or expired")
        return found.principal
