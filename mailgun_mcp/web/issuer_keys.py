"""The public keys of the authorization server. They are cached, and fetched again when a token names an unknown key."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio

from mailgun_mcp.output.logs import logger
from mailgun_mcp.web.authentication import TokenRefused, TokensUnavailable
from mailgun_mcp.web.issuer_http import IssuerHttp

if TYPE_CHECKING:
    from jwt import PyJWK

FRESH = 600.0
"""Seconds for which keys are used without asking again."""
AGAIN = 30.0
"""Minimum seconds between two requests, so that made-up key ids in tokens do not cause a request each."""
STALE = 86_400.0
"""Seconds for which keys are used while the authorization server does not answer."""
KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""First letters of an algorithm -> the type of its keys."""


def metadata_urls(issuer: str) -> list[str]:
    """Return the possible URLs of the issuer's metadata: according to OpenID Connect, and to RFC 8414."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return [
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}/.well-known/oauth-authorization-server{path}",
    ]


class IssuerKeys:
    """The keys that the issuer signs with. Without `url`, the issuer's metadata says where they are."""

    def __init__(self, http: IssuerHttp, issuer: str, url: str | None, clock: Callable[[], float]) -> None:
        self._http = http
        self._issuer = issuer
        self._url = url
        self._clock = clock
        self._keys: list[dict[str, Any]] = []
        self._fetched: float | None = None
        self._tried: float | None = None
        self._lock = anyio.Lock()

    async def find(self, key_id: str | None, algorithm: str) -> "PyJWK":
        """Return the key that a token was signed with. Raises TokenRefused, TokensUnavailable."""
        if self._age() > FRESH:
            await self._refresh()
        matching = self._matching(key_id, algorithm)
        if not matching and self._may_ask():
            await self._refresh()
            matching = self._matching(key_id, algorithm)
        if self._fetched is None or self._age() > STALE:
            raise TokensUnavailable("the keys of the authorization server could not be fetched")
        if len(matching) != 1:
            raise TokenRefused("it is not signed with a key of the authorization server, or does not say with which")
        return _loaded(matching[0], algorithm)

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    def _may_ask(self) -> bool:
        return self._tried is None or self._clock() - self._tried >= AGAIN

    def _matching(self, key_id: str | None, algorithm: str) -> list[dict[str, Any]]:
        return [
            key
            for key in self._keys
            if (key_id is None or key.get("kid") == key_id)
            and key.get("kty") == KEY_TYPES[algorithm[:2]]
            and key.get("alg") in (None, algorithm)
            and key.get("use") in (None, "sig")
        ]

    async def _refresh(self) -> None:
        """Fetch the keys. If that fails, keep the old ones, and wait before the next attempt."""
        async with self._lock:
            if not self._may_ask():
                return
            self._tried = self._clock()
            try:
                keys = (await self._http.get(await self._keys_url())).get("keys")
                if not isinstance(keys, list):
                    raise TokensUnavailable("the keys of the authorization server are not a JWK set")
            except TokensUnavailable as error:
                logger().warning("keys of the authorization server were not fetched", reason=str(error))
                return
            self._keys = [key for key in keys if isinstance(key, dict)]
            self._fetched = self._clock()

    async def _keys_url(self) -> str:
        if self._url is None:
            self._url = await self._discovered()
        return self._url

    async def _discovered(self) -> str:
        """Return the URL of the keys from the issuer's metadata, which must name this issuer."""
        fault: TokensUnavailable | None = None
        for url in metadata_urls(self._issuer):
            try:
                metadata = await self._http.get(url)
            except TokensUnavailable as error:
                fault = fault or error
                continue
            keys_url = metadata.get("jwks_uri")
            if metadata.get("issuer") == self._issuer and isinstance(keys_url, str):
                return keys_url
            fault = TokensUnavailable(f"{url} is not the metadata of {self._issuer}, or names no keys")
        raise fault or TokensUnavailable("the authorization server has no metadata")


def _loaded(key: dict[str, Any], algorithm: str) -> "PyJWK":
    from jwt import PyJWK
    from jwt.exceptions import PyJWTError

    try:
        return PyJWK(key, algorithm)
    except (PyJWTError, ValueError, TypeError, KeyError) as error:
        raise TokenRefused(f"its key cannot be used: {type(error).__name__}") from error
