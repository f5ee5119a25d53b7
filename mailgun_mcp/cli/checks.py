"""The checks of `doctor`. Each says what it found and what to do; what it could not learn it calls unknown."""

import json
import re
import socket
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from mailgun_mcp import __version__
from mailgun_mcp.settings import Settings, SettingsError

if TYPE_CHECKING:
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.errors import MailgunError
    from mailgun_mcp.mailgun.client import Client
    from mailgun_mcp.mailgun.endpoint import Endpoint
    from mailgun_mcp.mailgun.response import Response

OLDEST_PYTHON = (3, 11)
PATIENCE = 10.0
"""Seconds to wait for a check at most, however long calls may take."""
MAX_SKEW = 60
KEY_SHAPE = re.compile(r"key-[0-9a-f]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}")
PROBES = {
    "domains": ("list_domains", {"limit": 1}),
    "API keys": ("list_api_keys", {}),
    "subaccounts": ("list_subaccounts", {"limit": 1}),
    "IPs": ("list_ips", {}),
    "IP allowlist": ("list_ip_allowlist", {}),
}
"""Reads that different roles of keys are let do."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found."""

    name: str
    state: Literal["ok", "warning", "failure"]
    text: str
    step: str = ""
    """What to do; empty when there is nothing."""


def package() -> Check:
    """Check the version, and that no other distribution installed files into the same package."""
    from mailgun_mcp.cli.foreign_package import foreign_owners, sentence

    owners = foreign_owners()
    if owners:
        return Check("mailgun-mcp", "failure", __version__, "; ".join(map(sentence, owners)))
    return Check("mailgun-mcp", "ok", __version__)


def python() -> Check:
    """Check the interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check("python", "failure", version, "Install with Python 3.11 or newer.")
    return Check("python", "ok", f"{version}, {sys.executable}")


def key(settings: Settings) -> Check:
    """Check that there is a key, and that it looks like one that a server can use."""
    if settings.simulator:
        return Check("key", "ok", "the simulator needs none")
    try:
        text = settings.key()
    except SettingsError as error:
        return Check("key", "failure", str(error), "Keys are made in Mailgun's control panel, under API security.")
    if text.startswith("pubkey-"):
        return Check("key", "failure", "a public validation key, which the API refuses", "Use a private API key.")
    if settings.api_key_file and (readers := _readers(Path(settings.api_key_file).expanduser())):
        step = f"Run `chmod 600 {settings.api_key_file}`."
        return Check("key", "warning", f"{settings.api_key_file} can be read by {readers}", step)
    source = settings.api_key_file or "MAILGUN_API_KEY"
    if not KEY_SHAPE.fullmatch(text):
        return Check(
            "key", "warning", f"the one of {source} does not look like Mailgun's", "See that it was copied whole."
        )
    return Check("key", "ok", f"from {source}")


def _readers(path: Path) -> str:
    mode = path.stat().st_mode
    if sys.platform == "win32" or not mode & (stat.S_IRGRP | stat.S_IROTH):
        return ""
    return "everyone on this computer" if mode & stat.S_IROTH else "its group"


def region(settings: Settings, endpoint: "Endpoint") -> Check:
    """Tell where calls go."""
    if settings.simulator:
        return Check("region", "ok", "the simulator, inside this process")
    if endpoint.region is None:
        return Check("region", "ok", f"{endpoint.url}, which is none of Mailgun's own regions")
    chosen = "" if settings.region or settings.hostname or settings.url else ", by default"
    return Check("region", "ok", f"{endpoint.region.upper()}{chosen}: {endpoint.url}")


def network(endpoint: "Endpoint", timeout: float) -> Check:
    """Check name, connection and encryption on the way to the API, or to the proxy before it."""
    from mailgun_mcp.mailgun.client import proxy_of

    proxy = proxy_of(endpoint)
    try:
        host, port = _address(proxy or endpoint.url)
    except ValueError:
        return Check("network", "failure", "the proxy's address is not a URL", "Check HTTPS_PROXY and ALL_PROXY.")
    place = f"{'the proxy ' if proxy else ''}{host}"
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        step = "Check the spelling, the name server and the connection to the internet."
        return Check("network", "failure", f"DNS: {place} was not found ({error})", step)
    try:
        connection = socket.create_connection((host, port), timeout)
    except OSError as error:
        step = "Check firewall and proxy (HTTPS_PROXY)."
        return Check("network", "failure", f"TCP: no connection to {place}:{port} ({error})", step)
    with connection:
        return _encryption(connection, host) if endpoint.secure and not proxy else _connected(place, port)


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(url)
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _connected(place: str, port: int) -> Check:
    return Check("network", "ok", f"DNS and TCP to {place}:{port}")


def _encryption(connection: socket.socket, host: str) -> Check:
    import ssl

    import httpx

    try:
        with httpx.create_ssl_context().wrap_socket(connection, server_hostname=host) as encrypted:
            return Check("network", "ok", f"DNS, TCP and TLS to {host} ({encrypted.version()})")
    except ssl.SSLCertVerificationError as error:
        step = "If a proxy of your network opens encrypted traffic, name its certificate with SSL_CERT_FILE."
        return Check("network", "failure", f"TLS: the certificate of {host} is refused ({error.verify_message})", step)
    except (OSError, ValueError) as error:
        step = "Something between here and Mailgun breaks the encryption: check proxy, firewall and SSL_CERT_FILE."
        return Check("network", "failure", f"TLS: no encrypted connection to {host} ({error})", step)


class Account:
    """Reads through the real client to learn what the key may do. Sends nothing that changes anything."""

    def __init__(self, catalogue: "Catalogue", client: "Client", subaccount: str | None) -> None:
        self.client = client
        self._catalogue = catalogue
        self._subaccount = subaccount

    async def read(self, tool: str, arguments: dict[str, Any]) -> "Response | MailgunError":
        """Return the answer, or the fault instead of it."""
        from mailgun_mcp.errors import MailgunError
        from mailgun_mcp.request.build import build
        from mailgun_mcp.request.files import Files

        request = build(self._catalogue.find(tool), arguments, Files(), subaccount=self._subaccount)
        try:
            return await self.client.send(request, repeatable=False)
        except MailgunError as fault:
            return fault

    async def probe(self) -> "dict[str, Response | MailgunError]":
        """Return what each of PROBES came to; of the first alone when that shows that the others are in vain."""
        answers: dict[str, Response | MailgunError] = {}
        for name, (tool, arguments) in PROBES.items():
            answers[name] = await self.read(tool, arguments)
            if name == "domains" and isinstance(answers[name], Exception) and answers[name].status != 403:
                break
        return answers


def login(answer: "Response | MailgunError", endpoint: "Endpoint", elsewhere: bool | None) -> Check:
    """Say whether the key works. `elsewhere`: whether the other region takes it, None when it was not asked."""
    from mailgun_mcp.errors import MailgunError

    if not isinstance(answer, MailgunError):
        return _logged_in(answer, endpoint)
    if answer.status == 403:
        return Check(
            "login", "warning", "the key is known, but may not list domains (HTTP 403)", "See below what it may read."
        )
    other = (endpoint.other_region or "").upper()
    if answer.status != 401:
        return Check("login", "failure", str(answer), answer.next_step)
    if elsewhere:
        step = f"Set MAILGUN_API_REGION={other.lower()}."
        return Check("login", "failure", f"{answer}; the {other} region takes this key", step)
    tried = f"; the {other} region was tried too, and does not take it either" if elsewhere is False else ""
    step = "Check the key. A domain's sending key is refused here too: it may only send."
    return Check("login", "failure", f"{answer}{tried}", step)


def _logged_in(answer: "Response", endpoint: "Endpoint") -> Check:
    from mailgun_mcp.mailgun.response import parse_json

    try:
        body = parse_json(answer.content)
    except ValueError:
        body = None
    if not isinstance(body, dict) or "items" not in body:
        step = "Check the base URL (MAILGUN_API_URL, MAILGUN_API_HOSTNAME)."
        return Check("login", "failure", f"{endpoint.url} answered, but not as Mailgun does", step)
    total = body.get("total_count")
    if total == 0 and endpoint.other_region:
        step = f"Domains of the {endpoint.other_region.upper()} region show with MAILGUN_API_REGION={endpoint.other_region}."
        return Check("login", "ok", "the key works; it sees no domains", step)
    return Check(
        "login", "ok", f"the key works; it sees {total} domains" if isinstance(total, int) else "the key works"
    )


def permissions(answers: "dict[str, Response | MailgunError]") -> Check:
    """Say what the key may read, of what was tried."""
    groups: dict[str, list[str]] = {"allowed": [], "forbidden": [], "unknown": []}
    for name, answer in answers.items():
        state = _permission(answer)
        detail = f" ({_short(answer)})" if state == "unknown" else ""
        groups[state].append(name + detail)
    text = "; ".join(f"{state}: {', '.join(names)}" for state, names in groups.items() if names)
    step = "Try again for what is unknown." if groups["unknown"] else ""
    return Check("permissions", "warning" if groups["unknown"] else "ok", f"to read, {text}", step)


def _permission(answer: "Response | MailgunError") -> Literal["allowed", "forbidden", "unknown"]:
    from mailgun_mcp.errors import MailgunError

    if not isinstance(answer, MailgunError):
        return "allowed"
    return "forbidden" if answer.status in (401, 403) else "unknown"


def _short(answer: Any) -> str:
    return f"HTTP {answer.status}" if answer.status else str(answer)


def clock(answers: "Iterable[Response | MailgunError]", now: float) -> Check:
    """Compare this computer's clock with the `Date` of an answer."""
    from mailgun_mcp.errors import MailgunError

    dates = [answer.headers.get("date", "") for answer in answers if not isinstance(answer, MailgunError)]
    try:
        theirs = parsedate_to_datetime(next(filter(None, dates))).timestamp()
    except (StopIteration, ValueError):
        return Check("clock", "ok", "not compared: no answer told the time")
    skew = now - theirs
    if abs(skew) <= MAX_SKEW:
        return Check("clock", "ok", f"within {MAX_SKEW} s of Mailgun's")
    step = "Set the clock: scheduled mail and time ranges would be off by as much."
    return Check("clock", "warning", f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Mailgun's", step)


def tools(catalogue: "Catalogue") -> Check:
    """Count the tools, what they cost a model to read, and the clients that do not take as many."""
    from mailgun_mcp.catalogue.builtin_tools import offered
    from mailgun_mcp.cli.clients import CLIENTS

    listed = [*catalogue.tools(), *offered(catalogue).values()]
    tokens = sum(map(_size, listed)) // 4
    text = f"{len(listed)}, about {tokens:,} tokens"
    crowded = [
        f"{client.title} ({client.tool_limit})"
        for client in CLIENTS.values()
        if (client.tool_limit or 1e9) < len(listed)
    ]
    if not crowded:
        return Check("tools", "ok", text)
    step = "Choose with --toolsets or --tools for those clients."
    return Check("tools", "ok", f"{text}; more than these take: {', '.join(crowded)}", step)


def _size(tool: dict[str, Any]) -> int:
    read = {name: tool[name] for name in ("name", "description", "inputSchema")}
    return len(json.dumps(read, ensure_ascii=False, separators=(",", ":")).encode())


def patient(settings: Settings) -> Settings:
    """Return the settings with a time-out that suits a check."""
    return replace(settings, timeout=min(settings.timeout, PATIENCE))
