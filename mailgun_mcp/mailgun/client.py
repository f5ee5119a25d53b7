"""Sends requests to Mailgun: authentication, time-outs, retries, rate limit, and no redirects.

Uses a transport directly. What an HTTP library's client adds (cookies, redirects, auth flows) is not needed here, and
costs half the time of each call.
"""

import random
import re
import time
from asyncio import timeout
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from threading import Lock
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import anyio

from mailgun_mcp.errors import MailgunError, NoAnswerError, NotSentError, UnreachableError, UnreadableError
from mailgun_mcp.mailgun.endpoint import Endpoint
from mailgun_mcp.mailgun.exchange import (
    Answer,
    ExchangeError,
    InvalidRequestError,
    Message,
    NotConnectedError,
    Notify,
    OversizedError,
    Transport,
)
from mailgun_mcp.mailgun.explain import IN_ENVIRONMENT, LOOK_FIRST, Advice, explain
from mailgun_mcp.mailgun.limiter import RateLimiter
from mailgun_mcp.mailgun.response import Response
from mailgun_mcp.settings import environment_value

if TYPE_CHECKING:
    import ssl

    import httpx

MAX_ATTEMPTS = 4
MAX_WAIT = 60.0
"""Seconds after the first attempt in which the last one may start. Longer waits are left to the caller."""
MAX_CONNECTIONS = 100
FULL = "PoolTimeout"
"""How both transports call it that no connection became free."""
IDLE = 30.0
"""How long an idle connection is kept for the next call, in seconds."""
MAX_CONTENT = 32 * 1024 * 1024
"""Largest answer in bytes. The raw form of the largest mail, 25 MB, fits; anything larger is refused."""
TARGET = re.compile(r"/[\x21-\x7e]{0,65535}")
"""Path and query as HTTP sends them."""
UPLOAD_RATE = 100_000
"""Slowest upload, in bytes per second, that does not time out."""
WITHHELD = b"[API key withheld]"
SHORTEST_SECRET = 12
"""Shortest key, in characters, that is removed from answers. Mailgun's are longer; the simulator's is a common word."""
KEPT_HEADERS = frozenset(
    {b"content-type", b"date", b"retry-after", b"x-ratelimit-reset", b"x-mailgun-request-id", b"x-request-id"}
)

Watch = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Entered around each attempt, with its method and number. The function that it returns gets the answer's status."""


class Sendable(Protocol):
    """What the client needs of a request; `request.build.Request` is one."""

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

    `connect` creates an httpx transport at the first request; without it, requests go over the network.
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
        advice: Advice = IN_ENVIRONMENT,
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
        # Waiting for a free connection, connecting and TLS together must end before the call's deadline. Otherwise a
        # request that was never sent could be taken for one that was.
        self._patience = timeout / 4
        self._limiter = RateLimiter(*rate_limit, time.monotonic, sleep)
        self._connect = connect
        self._advice = advice
        self._transport: Transport | None = None
        self._setting_up = Lock()
        self._clock = clock
        self._sleep = sleep
        self.watches: list[Watch] = []

    def fingerprint(self, of: Callable[[str], str]) -> str:
        """Return the fingerprint of the API key, computed by `of`. The key itself is not handed out."""
        return of(self._key)

    @property
    def connections(self) -> dict[str, int]:
        """Number of connections in use, and of idle ones. Empty if that is unknown."""
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

    def _ready(self) -> Transport:
        if self._transport is None:
            with self._setting_up:
                self._transport = self._transport or self._open()
        return self._transport

    async def send(self, request: Sendable, *, repeatable: bool, notify: Notify = _quiet) -> Response:
        """Return Mailgun's answer to the request, if it is a success.

        With `repeatable`, a 429, 502, 503, 504 or broken connection is tried again, up to
        MAX_ATTEMPTS in all and MAX_WAIT after the first; `notify` receives a message about each wait.
        Without it, nothing is sent twice. Raises MailgunError for everything else.
        """
        message = self._message(request)
        until = self._clock() + MAX_WAIT
        attempt = 0
        earlier: MailgunError | None = None
        """The latest attempt that may have taken effect."""
        while True:
            attempt += 1
            await self._limiter.acquire()
            try:
                response = await self._watched(message, attempt, repeatable)
                if 200 <= response.status < 300:
                    return response
                raise explain(
                    response,
                    self.endpoint,
                    now=self._clock(),
                    repeatable=repeatable,
                    reached=earlier is not None,
                    advice=self._advice,
                )
            except MailgunError as error:
                wait = _wait(error, attempt)
                last = attempt == MAX_ATTEMPTS or self._clock() + wait > until
                if last or not repeatable or not error.transient:
                    if earlier is not None and not error.reached:
                        # A failed last attempt does not undo what an earlier one may have done.
                        raise earlier from error
                    raise
                earlier = error if error.reached else earlier
                reason = str(error)
            await notify(f"{reason}; trying again in {wait:.1f} s")
            await self._sleep(wait)

    def _message(self, request: Sendable) -> Message:
        if not TARGET.fullmatch(request.target):
            raise _unsendable("its URL is too long or not valid")
        own = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
        # A call can ask for the answer in another form.
        asks = any(name == b"Accept" for name, _ in own)
        headers = [*(pair for pair in self._headers if not asks or pair[0] != b"Accept"), *own]
        base = self.endpoint.base(request.host)
        return Message(request.method, base, request.target, headers, request.content, self._patience)

    async def _watched(self, message: Message, attempt: int, repeatable: bool) -> Response:
        if not self.watches:
            return await self._exchange(message, attempt, repeatable)
        with ExitStack() as stack:
            answered = [stack.enter_context(watch(message.method, attempt)) for watch in self.watches]
            response = await self._exchange(message, attempt, repeatable)
            for tell in answered:
                tell(response.status)
            return response

    async def _exchange(self, message: Message, attempt: int, repeatable: bool) -> Response:
        seconds = self._timeout + len(message.content) / UPLOAD_RATE
        transport = self._ready()
        try:
            async with timeout(seconds):
                answer = await transport.exchange(message, MAX_CONTENT)
        except NotConnectedError as error:
            raise self._unreachable(error.kind) from error
        except InvalidRequestError as error:
            raise _unsendable("a header is not valid") from error
        except OversizedError as error:
            raise _oversized(error.status) from error
        except (ExchangeError, TimeoutError) as error:
            raise _no_answer(error, seconds, repeatable) from error
        return Response(answer.status, _kept_headers(answer), self._without_key(answer.content), attempt)

    def _without_key(self, content: bytes) -> bytes:
        for secret in self._secrets:
            content = content.replace(secret, WITHHELD)
        return content

    def _open(self) -> Transport:
        try:
            if self._connect is not None:
                return _through(self._connect())
            proxy = proxy_of(self.endpoint)
            if proxy:
                return _through(_proxied(proxy))
            from mailgun_mcp.mailgun.transport import Connections

            # Without TLS no certificates are loaded, which saves 30 ms.
            return Connections(_tls() if self.endpoint.secure else None, most=MAX_CONNECTIONS, idle=IDLE)
        except (ImportError, OSError, ValueError) as error:
            raise _not_set_up(error) from error

    def _unreachable(self, kind: str) -> MailgunError:
        if kind == FULL:
            return UnreachableError(
                f"all {MAX_CONNECTIONS} connections of this server to {self.endpoint.url} are in use; nothing was sent",
                "Try again in a few seconds.",
            )
        return UnreachableError(
            f"{self.endpoint.url} could not be reached ({kind}); nothing was sent",
            "Check the network and proxy; `mailgun-mcp doctor` finds out more.",
        )


def _through(transport: "httpx.AsyncBaseTransport") -> Transport:
    from mailgun_mcp.mailgun.httpx_transport import HttpxTransport

    return HttpxTransport(transport)


def _proxied(proxy: str) -> "httpx.AsyncBaseTransport":
    import httpx

    limits = httpx.Limits(
        max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS, keepalive_expiry=IDLE
    )
    try:
        return httpx.AsyncHTTPTransport(proxy=proxy, limits=limits, retries=0)
    except httpx.InvalidURL as error:
        raise _not_set_up(error) from error


def _tls() -> "ssl.SSLContext":
    """Return the TLS settings, with the certificates that the environment names, or else those that browsers trust."""
    import ssl

    if file := environment_value("SSL_CERT_FILE"):
        return ssl.create_default_context(cafile=file)
    if directory := environment_value("SSL_CERT_DIR"):
        return ssl.create_default_context(capath=directory)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _kept_headers(answer: Answer) -> dict[str, str]:
    names = ((name.lower(), value) for name, value in answer.headers)
    return {name.decode("ascii"): value.decode("latin-1") for name, value in names if name in KEPT_HEADERS}


def _not_set_up(error: Exception) -> MailgunError:
    return NotSentError(
        f"No connection could be set up ({_name(error)}); nothing was sent",
        "Check the proxy and certificate settings (HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE).",
    )


def _oversized(status: int) -> MailgunError:
    return UnreadableError(
        f"Mailgun's answer (HTTP {status}) is larger than {MAX_CONTENT // 1024 // 1024} MB and was not read completely",
        "Ask for less: a smaller limit, a narrower filter.",
        status=status,
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
    """Return all forms of the key that an answer could contain: plain, in a URL, and inside any base64."""
    raw = key.encode()
    writings = {raw, quote(key, safe="").encode()}
    for shift in range(3):
        # The characters at both ends depend on the bytes beside the key.
        encoded = b64encode(b"\0" * shift + raw)[(8 * shift + 5) // 6 : 8 * (shift + len(raw)) // 6]
        writings |= {encoded, encoded.translate(bytes.maketrans(b"+/", b"-_"))}
    return [writing for writing in writings if len(writing) >= SHORTEST_SECRET]


def _name(error: Exception) -> str:
    return error.kind if isinstance(error, ExchangeError) else type(error).__name__


def _is_timeout(error: Exception) -> bool:
    return isinstance(error, TimeoutError) or "Timeout" in _name(error)


def _wait(error: MailgunError, attempt: int) -> float:
    backoff = _backoff(attempt)
    return backoff if error.wait is None else error.wait + backoff / 4


def _backoff(attempt: int) -> float:
    """Return seconds: half a second, doubled each time, with jitter so that clients do not all return at once."""
    return float(0.5 * 2 ** (attempt - 1) * (0.5 + random.random() / 2))  # noqa: S311 - not a secret


def proxy_of(endpoint: Endpoint) -> str | None:
    """Return the proxy that the environment names, found as httpx's own client would.

    None for plain http, which is loopback only: a proxy would see the key.
    """
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies() if endpoint.secure else {}
    if not proxies or proxy_bypass(urlsplit(endpoint.url).hostname or ""):
        return None
    proxy = proxies.get("https") or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"
