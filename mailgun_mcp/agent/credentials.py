"""Checks whether somebody may still do what they began: their credentials may have been revoked or restricted since."""

from collections.abc import Callable

from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.identity.sessions import CREDENTIAL as SESSION
from mailgun_mcp.identity.sessions import Sessions
from mailgun_mcp.identity.tokens import CREDENTIAL as TOKEN
from mailgun_mcp.identity.tokens import Tokens
from mailgun_mcp.store.database import Store

Check = Callable[[Principal], Principal | None]
"""Function that returns the principal with their current permissions, or None if they may no longer call."""


class Credentials:
    """Checks principals again. Other modules add their kinds of credentials with `add`."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._tokens = Tokens(store)
        self._sessions = Sessions(store)
        self._clock = clock
        self._checks: dict[str, Check] = {TOKEN: self._of_token, SESSION: self._of_session}

    def add(self, kind: str, check: Check) -> None:
        """Use `check` for principals whose credential starts with `kind`."""
        self._checks[kind] = check

    def check(self, principal: Principal) -> Principal | None:
        """Return the principal with their current permissions, or None if they may no longer call."""
        if principal.expires is not None and principal.expires <= self._clock():
            return None
        check = self._checks.get(f"{principal.credential.partition(':')[0]}:")
        return principal if check is None else check(principal)

    def _of_token(self, principal: Principal) -> Principal | None:
        token = self._tokens.still_valid(principal.credential.removeprefix(TOKEN), self._clock())
        return None if token is None else token.principal

    def _of_session(self, principal: Principal) -> Principal | None:
        is_open = self._sessions.still_open(principal.credential.removeprefix(SESSION), self._clock())
        return principal if is_open else None
