"""HTTP to the authorization server: over TLS, only to public addresses, without redirects, and with small answers.

Somebody who can set a wrong URL, or controls a DNS name, must not reach machines inside the network with it.
"""

import ipaddress
import json
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import anyio

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.text.host_names import LOOPBACK
from mailgun_mcp.web.authentication import TokensUnavailable

if TYPE_CHECKING:
    import httpx

ERROR_CODE = re.compile(r"[a-z_]{1,60}")
TIMEOUT = 5.0
"""Seconds for one request."""
LARGEST = 512 * 1024
"""Maximum size of an answer in bytes."""
LATER = frozenset({408, 425, 429})
"""Statuses that refuse nothing: the same request can succeed later."""
TUNNELS = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32"))
"""IPv6 ranges that lead to an IPv4 address, which may be a private one."""
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Function that returns the addresses of a host."""


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host according to the system's resolver."""
    addresses = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in addresses))


def is_public(address: str) -> bool:
    """Return whether the address is a public one on the Internet."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if any(parsed in network for network in TUNNELS):
            return False
    return parsed.is_global and not parsed.is_multicast


class IssuerRefused(TokensUnavailable):
    """The authorization server answered, and refused the request."""


class IssuerHttp:
    """Makes requests to the authorization server. `loopback` also allows plain HTTP to this machine, for tests."""

    def __init__(
        self,
        *,
        loopback: bool = False,
        resolve: Resolve = resolve,
        transport: "httpx.AsyncBaseTransport | None" = None,
    ) -> None:
        self._loopback = loopback
        self._resolve = resolve
        self._transport = transport

    def check(self, name: str, url: str) -> str:
        """Return the URL of the setting `name`. Raises SettingsError if the URL must not be used."""
        if not self.may_use(url):
            raise SettingsError(f"{name}: {url!r} must be an https:// URL without user name and fragment")
        # Only a server with an authorization server loads httpx, at its start. Others never need it, and it takes 3 MB.
        import httpx  # noqa: F401

        return url

    async def get(self, url: str) -> dict[str, Any]:
        """Return the JSON object at the URL. Raises TokensUnavailable."""
        return await self._request("GET", url)

    async def post(self, url: str, form: Mapping[str, str], login: tuple[str, str] | None) -> dict[str, Any]:
        """Send a form, and return the JSON object in the answer. Raises TokensUnavailable.

        `login` is this server's client id and secret. None for a public client.
        """
        options = {} if login is None else {"auth": login}
        return await self._request("POST", url, data=dict(form), **options)

    def may_use(self, url: str) -> bool:
        """Return whether requests may go to the URL, and browsers may be sent to it."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return False
        if not host or "@" in parts.netloc or parts.fragment or not url.isascii() or not url.isprintable():
            return False
        return parts.scheme == "https" or (self._loopback and parts.scheme == "http" and host in LOOPBACK)

    async def _request(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        if not self.may_use(url):
            raise TokensUnavailable(f"{url[:200]} is not an https:// URL")
        import httpx

        try:
            with anyio.fail_after(TIMEOUT):
                return await self._exchange(method, url, **options)
        except TimeoutError as error:
            raise TokensUnavailable(f"{url} did not answer within {TIMEOUT:g} seconds") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            raise TokensUnavailable(f"{url} could not be reached: {type(error).__name__}") from error

    async def _exchange(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """Connect to the address that was checked: a second DNS lookup could return another one."""
        import httpx

        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = await self._address(host, port)
        netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        headers = {"Host": parts.netloc, "Accept": "application/json"}
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, transport=self._transport) as client,
            client.stream(
                method,
                urlunsplit(parts._replace(netloc=netloc)),
                headers=headers,
                extensions={"sni_hostname": host},
                follow_redirects=False,
                **options,
            ) as answer,
        ):
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    raise TokensUnavailable(f"{url} answered with more than {LARGEST:,} bytes")
        if answer.status_code != 200:
            refused = 400 <= answer.status_code < 500 and answer.status_code not in LATER
            kind = IssuerRefused if refused else TokensUnavailable
            raise kind(f"{url} answered with HTTP {answer.status_code}{_error_code(bytes(body))}")
        return _object(url, bytes(body))

    async def _address(self, host: str, port: int) -> str:
        addresses = await self._resolve(host, port)
        allowed = host in LOOPBACK if self._loopback else False
        if not addresses or not (allowed or all(map(is_public, addresses))):
            raise TokensUnavailable(f"{host} is at an address that is not public")
        return addresses[0]


def _error_code(body: bytes) -> str:
    """Return the error of an OAuth answer, such as ` (invalid_client)`, or nothing."""
    try:
        code = json.loads(body)["error"]
    except (ValueError, RecursionError, TypeError, LookupError):
        return ""
    return f" ({code})" if isinstance(code, str) and ERROR_CODE.fullmatch(code) else ""


def _object(url: str, body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise TokensUnavailable(f"{url} did not answer with a JSON object")
    return value
