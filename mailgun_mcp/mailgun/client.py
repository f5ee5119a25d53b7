"""Sends requests to Mailgun: authentication, time-outs, retries, rate limit, and no redirects.

Works on an httpx transport directly. What httpx's client adds (cookies, redirects, auth
flows) is not wanted here, and costs half of each call.
"""

import random
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from threading import Lock
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import anyio

from mailgun_mcp.errors import MailgunError, NoAnswerError, NotSentError, UnreachableError, UnreadableError
from mailgun_mcp.mailgun.endpoint import Endpoint
from mailgun_mcp.mailgun.explain import LOOK_FIRST, explain
from mailgun_mcp.mailgun.limiter import RateLimiter
from mailgun_mcp.mailgun.response import Response

if TYPE_CHECKING:
    import httpx

MAX_ATTEMPTS = 4
MAX_WAIT = 60.0
"""Seconds after the first attempt in which the last may start. A longer wait is the caller's to decide."""
MAX_CONNECTIONS = 100
IDLE = 30.0
"""Seconds that a connection is kept for the next call."""
MAX_CONTENT = 32 * 1024 * 1024
"""Bytes. The raw form of the largest mail, 25 MB, fits; what is larger is refused."""
UPLOAD_RATE = 100_000
"""Bytes a second that the slowest upload may take before the call times out."""
WITHHELD = b"[API key withheld]"
SHORTEST_SECRET = 12
"""Characters. Mailgun's keys are longer; a shorter word (the simulator's key) may stand in any text."""
KEPT_HEADERS = frozenset(
    {b"content-type", b"date", b"retry-after", b"x-ratelimit-reset", b"x-mailgun-request-id", b"x-request-id"}
)

Notify = Callable[[str], Awaitable[None]]
Watch = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Is entered around each try, with its method and number; what that gives is told the status of the answer."""


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
        self._secrets = _writings(key)
        self._headers = [
            (b"Authorization", b"Basic " + b64encode(f"api:{key}".encode())),
            (b"User-Agent", user_agent.encode()),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"gzip"),
        ]
        self._timeout = timeout
        # Waiting for a free connection, connecting and TLS end before the call's deadline even
        # together: what never left is not taken for what may have.
        self._extensions = {"timeout": {"pool": timeout / 4, "connect": timeout / 4}}
        self._limiter = RateLimiter(*rate_limit, time.monotonic, sleep)
        self._connect = connect or self._open
        self._transport: httpx.AsyncBaseTransport | None = None
        self._setting_up = Lock()
        self._clock = clock
        self._sleep = sleep
        self.watches: list[Watch] = []

    def fingerprint(self, of: Callable[[str], str]) -> str:
        """Return the fingerprint that `of` makes of the API key. The key itself is not handed out."""
        return of(self._key)

    @property
    def connections(self) -> dict[str, int]:
        """How many connections are in use, and how many wait for the next call. Empty where that is not known."""
        return dict(getattr(self._transport, "counts", {}))

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.aclose()

    def prepare(self) -> None:
        """Set up what the first request needs. May run in any thread. Errors are left for that request to report."""
        with suppress(MailgunError):
            self._ready()

    def _ready(self) -> "httpx.AsyncBaseTransport":
        with self._setting_up:
            if self._transport is None:
                self._transport = self._connect()
            return self._transport

    async def send(self, request: Sendable, *, repeatable: bool, notify: Notify = _quiet) -> Response:
        """Return Mailgun's answer to the request, a success.

        With `repeatable` a 429, 502, 503, 504 or broken connection is tried again, up to
        MAX_ATTEMPTS in all and MAX_WAIT after the first; `notify` is told of each wait.
        Without it nothing is sent twice. Raises MailgunError for everything else.
        """
        message = self._message(request)
        until = self._clock() + MAX_WAIT
        attempt = 0
        earlier: MailgunError | None = None
        """The last try that may have taken effect."""
        while True:
            attempt += 1
            await self._limiter.acquire()
            try:
                response = await self._watched(message, len(request.content), attempt, repeatable)
                if 200 <= response.status < 300:
                    return response
                raise explain(
                    response, self.endpoint, now=self._clock(), repeatable=repeatable, reached=earlier is not None
                )
            except MailgunError as error:
                wait = _wait(error, attempt)
                last = attempt == MAX_ATTEMPTS or self._clock() + wait > until
                if last or not repeatable or not error.transient:
                    if earlier is not None and not error.reached:
                        # That the last try did not get through does not undo what an earlier one may have done.
                        raise earlier from error
                    raise
                earlier = error if error.reached else earlier
                reason = str(error)
            await notify(f"{reason}; trying again in {wait:.1f} s")
            await self._sleep(wait)

    def _message(self, request: Sendable) -> "httpx.Request":
        import httpx

        try:
            url = httpx.URL(self.endpoint.base(request.host) + request.target)
        except httpx.InvalidURL as error:
            raise _unsendable("its URL is too long, or none") from error
        return httpx.Request(
            request.method,
            url,
            headers=[
                # A call can ask for another form of the answer.
                *(pair for pair in self._headers if pair[0] != b"Accept" or "Accept" not in dict(request.headers)),
                *((name.encode(), value.encode()) for name, value in request.headers),
            ],
            content=request.content or None,
            extensions=self._extensions,
        )

    async def _watched(self, message: "httpx.Request", size: int, attempt: int, repeatable: bool) -> Response:
        if not self.watches:
            return await self._exchange(message, size, attempt, repeatable)
        with ExitStack() as stack:
            answered = [stack.enter_context(watch(message.method, attempt)) for watch in self.watches]
            response = await self._exchange(message, size, attempt, repeatable)
            for tell in answered:
                tell(response.status)
            return response

    async def _exchange(self, message: "httpx.Request", size: int, attempt: int, repeatable: bool) -> Response:
        import httpx

        seconds = self._timeout + size / UPLOAD_RATE
        transport = self._ready()
        try:
            with anyio.fail_after(seconds):
                response = await transport.handle_async_request(message)
                try:
                    content = await self._read(response)
                finally:
                    await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise self._unreachable(error) from error
        except httpx.LocalProtocolError as error:
            raise _unsendable("a header is not valid") from error
        except (httpx.TransportError, TimeoutError, httpx.DecodingError) as error:
            raise _no_answer(error, seconds, repeatable) from error
        headers = {
            name.lower().decode("ascii"): value.decode("latin-1")
            for name, value in response.headers.raw
            if name.lower() in KEPT_HEADERS
        }
        return Response(response.status_code, headers, content, attempt)

    async def _read(self, response: "httpx.Response") -> bytes:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > MAX_CONTENT:
                raise UnreadableError(
                    f"Mailgun's answer (HTTP {response.status_code}) is larger than {MAX_CONTENT // 1024 // 1024} MB "
                    "and was not read to its end",
                    "Ask for less: a smaller limit, a narrower filter.",
                    status=response.status_code,
                )
            chunks.append(chunk)
        content = b"".join(chunks)
        for secret in self._secrets:
            content = content.replace(secret, WITHHELD)
        return content

    def _open(self) -> "httpx.AsyncBaseTransport":
        import httpx

        from mailgun_mcp.mailgun.transport import Connections

        try:
            proxy = proxy_of(self.endpoint)
            if proxy:
                return httpx.AsyncHTTPTransport(
                    proxy=proxy,
                    limits=httpx.Limits(
                        max_connections=MAX_CONNECTIONS,
                        max_keepalive_connections=MAX_CONNECTIONS,
                        keepalive_expiry=IDLE,
                    ),
                    retries=0,
                )
            # Without TLS no certificate is read, which saves 30 ms.
            tls = httpx.create_ssl_context() if self.endpoint.secure else None
            return Connections(tls, most=MAX_CONNECTIONS, idle=IDLE)
        except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
            raise NotSentError(
                f"No connection could be set up ({_name(error)}); nothing was sent",
                "Check the settings of proxy and certificates (HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE).",
            ) from error

    def _unreachable(self, error: Exception) -> MailgunError:
        return UnreachableError(
            f"{self.endpoint.url} could not be reached ({_name(error)}); nothing was sent",
            "Check the network and proxy; `mailgun-mcp doctor` tells more.",
        )


def _no_answer(error: Exception, seconds: float, repeatable: bool) -> MailgunError:
    what = f"did not answer within {seconds:.3g} s" if _is_timeout(error) else f"broke off ({_name(error)})"
    if repeatable:
        step = "It may be called again; MAILGUN_TIMEOUT sets how long to wait."
        return NoAnswerError(f"Mailgun {what}", step, repeatable=True)
    return NoAnswerError(f"Mailgun {what}: whether the call took effect is unknown", LOOK_FIRST, repeatable=False)


def _unsendable(why: str) -> MailgunError:
    return NotSentError(f"The request cannot be sent: {why}; nothing was sent", "Check the arguments.")


def _writings(key: str) -> list[bytes]:
    """Return the writings of the key that an answer could hold: plain, in a URL, and inside any base64."""
    raw = key.encode()
    writings = {raw, quote(key, safe="").encode()}
    for shift in range(3):
        # The characters at both ends depend on what stands beside the key.
        encoded = b64encode(b"\0" * shift + raw)[(8 * shift + 5) // 6 : 8 * (shift + len(raw)) // 6]
        writings |= {encoded, encoded.translate(bytes.maketrans(b"+/", b"-_"))}
    return [writing for writing in writings if len(writing) >= SHORTEST_SECRET]


def _name(error: Exception) -> str:
    return type(error).__name__


def _is_timeout(error: Exception) -> bool:
    return isinstance(error, TimeoutError) or "Timeout" in _name(error)


def _wait(error: MailgunError, attempt: int) -> float:
    backoff = _backoff(attempt)
    return backoff if error.wait is None else error.wait + backoff / 4


def _backoff(attempt: int) -> float:
    """Seconds: half a second doubled each time, with jitter so that many clients do not come back as one."""
    return float(0.5 * 2 ** (attempt - 1) * (0.5 + random.random() / 2))  # noqa: S311 - not a secret


def proxy_of(endpoint: Endpoint) -> str | None:
    """Return the proxy that the environment names, as httpx's own client would find it.

    None for plain http: that is loopback only, and a proxy would see the key.
    """
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies() if endpoint.secure else {}
    if not proxies or proxy_bypass(urlsplit(endpoint.url).hostname or ""):
        return None
    proxy = proxies.get("https") or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"
