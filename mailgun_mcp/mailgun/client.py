"""Sends requests to Mailgun: authentication, time-outs, retries, rate limit, and no redirects.

Works on an httpx transport directly. What httpx's client adds (cookies, redirects, auth
flows) is not wanted here, and costs half of each call.
"""

import random
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

import anyio

from mailgun_mcp.mailgun.endpoint import Endpoint
from mailgun_mcp.mailgun.errors import MailgunFault, Response, explain, wait_seconds
from mailgun_mcp.mailgun.limiter import RateLimiter

if TYPE_CHECKING:
    import httpx

RETRIED = frozenset({429, 502, 503, 504})
MAX_ATTEMPTS = 4
MAX_WAIT = 60.0
"""Seconds. A longer wait is the caller's to decide."""
MAX_CONTENT = 32 * 1024 * 1024
"""Bytes. The raw form of the largest mail, 25 MB, fits; what is larger is refused."""
UPLOAD_RATE = 100_000
"""Bytes a second that the slowest upload may take before the call times out."""
WITHHELD = b"[API key withheld]"

Notify = Callable[[str], Awaitable[None]]


class Sendable(Protocol):
    """What the client needs of a request; `catalogue.request.Request` is one."""

    @property
    def method(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def headers(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def content(self) -> bytes: ...
    @property
    def host(self) -> str | None: ...


async def _quiet(_: str) -> None:
    return None


class Client:
    """One account's connection to Mailgun. Use as an async context manager, or call `aclose`.

    `connect` makes the transport at the first request; without it that is the network.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        key: str,
        *,
        user_agent: str,
        timeout: float = 30.0,
        rate_limit: tuple[int, float] = (500, 10.0),
        connect: "Callable[[], httpx.AsyncBaseTransport] | None" = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.endpoint = endpoint
        self._key = key
        token = b64encode(f"api:{key}".encode())
        self._secrets = [secret for secret in (key.encode(), token) if len(secret) > 4]
        self._headers = [
            (b"Authorization", b"Basic " + token),
            (b"User-Agent", user_agent.encode()),
            (b"Accept", b"application/json"),
        ]
        self._timeout = timeout
        self._limiter = RateLimiter(*rate_limit, time.monotonic, sleep)
        self._connect = connect or self._open
        self._transport: httpx.AsyncBaseTransport | None = None
        self._clock = clock
        self._sleep = sleep

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.aclose()

    async def send(self, request: Sendable, *, repeatable: bool, notify: Notify = _quiet) -> Response:
        """Return Mailgun's answer to the request, a success.

        With `repeatable` a 429, 502, 503, 504 or broken connection is tried again, up to
        MAX_ATTEMPTS in all; `notify` is told of each wait. Without it nothing is sent twice.
        Raises MailgunFault for everything else.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            await self._limiter.acquire()
            last = attempt == MAX_ATTEMPTS or not repeatable
            try:
                response = await self._exchange(request, attempt, repeatable)
            except MailgunFault as fault:
                if last or fault.status is not None:
                    raise
                wait, why = _backoff(attempt), str(fault)
            else:
                if 200 <= response.status < 300:
                    return response
                fault = explain(response, self.endpoint, now=self._clock())
                asked = wait_seconds(response, self._clock()) if response.status in RETRIED else None
                wait, why = _backoff(attempt) if asked is None else asked + _backoff(attempt) / 4, str(fault)
                if last or response.status not in RETRIED or wait > MAX_WAIT:
                    raise fault
            await notify(f"{why}; trying again in {wait:.1f} s")
            await self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _exchange(self, request: Sendable, attempt: int, repeatable: bool) -> Response:
        import httpx

        if self._transport is None:
            self._transport = self._connect()
        url = httpx.URL(self.endpoint.base(request.host) + request.target)
        message = httpx.Request(
            request.method,
            url,
            headers=[*self._headers, *((name.encode(), value.encode()) for name, value in request.headers)],
            content=request.content or None,
            extensions={"timeout": httpx.Timeout(self._timeout).as_dict()},
        )
        try:
            with anyio.fail_after(self._timeout + len(request.content) / UPLOAD_RATE):
                response = await self._transport.handle_async_request(message)
                try:
                    content = await self._read(response)
                finally:
                    await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise self._unreached(error) from error
        except (httpx.TransportError, TimeoutError, httpx.DecodingError) as error:
            raise self._broken(error, repeatable) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, headers, content, attempt)

    async def _read(self, response: "httpx.Response") -> bytes:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > MAX_CONTENT:
                raise MailgunFault(
                    f"Mailgun's answer is larger than {MAX_CONTENT // 1024 // 1024} MB and was not read to its end",
                    "Ask for less: a smaller limit, a narrower filter.",
                    status=response.status_code,
                )
            chunks.append(chunk)
        content = b"".join(chunks)
        for secret in self._secrets:
            content = content.replace(secret, WITHHELD)
        return content

    def _open(self) -> "httpx.AsyncBaseTransport":
        import ssl

        import httpx

        # Without TLS no certificate is read, which saves 30 ms; an https URL would then fail.
        verify = True if self.endpoint.secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return httpx.AsyncHTTPTransport(verify=verify, proxy=_proxy(self.endpoint.url), retries=0)

    def _unreached(self, error: Exception) -> MailgunFault:
        return MailgunFault(
            f"{self.endpoint.url} could not be reached ({_name(error)}); nothing was sent",
            "Check the network and proxy; `mailgun-mcp doctor` tells more.",
        )

    def _broken(self, error: Exception, repeatable: bool) -> MailgunFault:
        what = f"did not answer within {self._timeout:g} s" if _is_timeout(error) else f"broke off ({_name(error)})"
        if repeatable:
            return MailgunFault(f"Mailgun {what}", "It may be called again; MAILGUN_TIMEOUT sets how long to wait.")
        return MailgunFault(
            f"Mailgun {what}: whether the call took effect is unknown",
            "Do not repeat it blindly: look first whether it took effect (events, logs or the matching list).",
            unknown=True,
        )


def _name(error: Exception) -> str:
    return type(error).__name__


def _is_timeout(error: Exception) -> bool:
    return isinstance(error, TimeoutError) or "Timeout" in _name(error)


def _backoff(attempt: int) -> float:
    """Seconds: half a second doubled each time, with jitter so that many clients do not come back as one."""
    return float(0.5 * 2 ** (attempt - 1) * (0.5 + random.random() / 2))  # noqa: S311 - not a secret


def _proxy(url: str) -> str | None:
    """Return the proxy that the environment names for `url`, as httpx's own client would find it."""
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    proxies = getproxies()
    if not proxies or proxy_bypass(parts.hostname or ""):
        return None
    return proxies.get(parts.scheme) or proxies.get("all")
