"""Access tokens of any kind. The authorization server is asked whether they are valid (RFC 7662)."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import anyio

from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.web.authentication import TokenRefused
from mailgun_mcp.web.claims import LAST, Claims
from mailgun_mcp.web.issuer_http import IssuerHttp

LONGEST_CACHED = 60.0
"""Seconds for which a valid token is not checked again. A revoked one still works for up to this long."""
REFUSED_FOR = 10.0
"""Seconds for which an invalid token is not checked again."""
MOST = 10_000
"""Maximum number of cached answers."""
AT_ONCE = 10
"""Maximum number of requests to the authorization server at the same time."""


@dataclass(frozen=True, slots=True)
class _Answer:
    principal: Principal | None
    reason: str
    until: float


class Introspection:
    """Asks the authorization server. While it does not answer, only tokens with a cached answer are let in."""

    def __init__(
        self, http: IssuerHttp, url: str, login: tuple[str, str], claims: Claims, clock: Callable[[], float]
    ) -> None:
        self._http = http
        self._url = url
        self._login = login
        self._claims = claims
        self._clock = clock
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._limit = anyio.CapacityLimiter(AT_ONCE)

    def takes(self, token: str) -> bool:  # noqa: ARG002 - the token can be of any kind
        """Return True: only the authorization server can tell."""
        return True

    async def verify(self, token: str) -> Principal:
        """Return the principal of the token. Raises TokenRefused, TokensUnavailable."""
        name = sha256(token.encode()).hexdigest()
        answer = self._cached(name)
        if answer is None:
            async with self._limit:
                answer = self._cached(name) or await self._ask(token)
            self._answers[name] = answer
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        if answer.principal is None:
            raise TokenRefused(answer.reason)
        return answer.principal

    def _cached(self, name: str) -> _Answer | None:
        answer = self._answers.get(name)
        return answer if answer is not None and self._clock() < answer.until else None

    async def _ask(self, token: str) -> _Answer:
        form = {"token": token, "token_type_hint": "access_token"}
        claims = await self._http.post(self._url, form, self._login)
        now = self._clock()
        try:
            if claims.get("active") is not True:
                raise TokenRefused("the authorization server says that it is not active")
            if claims.get("iss", self._claims.issuer) != self._claims.issuer:
                raise TokenRefused("it is from another issuer")
            if not self._claims.is_for_us(claims.get("aud")):
                raise TokenRefused("it is for another server, or does not say for which")
            if _time(claims.get("nbf"), 0.0) > now:
                raise TokenRefused("it is not valid yet")
            expires = _time(claims.get("exp"), float("inf"))
            if expires <= now:
                raise TokenRefused("it has expired")
            return _Answer(self._claims.principal_of(claims), "", min(expires, now + LONGEST_CACHED))
        except TokenRefused as refusal:
            return _Answer(None, str(refusal), now + REFUSED_FOR)


def _time(value: object, default: float) -> float:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise TokenRefused("its times are not numbers")
    return float(min(value, LAST))
