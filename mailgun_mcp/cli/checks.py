"""The checks of `doctor`. Each returns its result and what to do about it; a result may be unknown."""

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
from mailgun_mcp.errors import reason_of
from mailgun_mcp.settings import Settings, SettingsError

if TYPE_CHECKING:
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.errors import MailgunError
    from mailgun_mcp.mailgun.client import Client
    from mailgun_mcp.mailgun.endpoint import Endpoint
    from mailgun_mcp.mailgun.response import Response

OLDEST_PYTHON = (3, 11)
PATIENCE = 10.0
"""Maximum time for a check in seconds, even if the time-out of calls is longer."""
MAX_SKEW = 60
KEY_SHAPE = re.compile(r"key-[0-9a-f]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}")
PROBES = {
    "domains": ("list_domains", {"limit": 1}),
    "API keys": ("list_api_keys", {}),
    "subaccounts": ("list_subaccounts", {"limit": 1}),
    "IPs": ("list_ips", {}),
    "IP allowlist": ("list_ip_allowlist", {}),
}
"""What a read is about -> tool and arguments. The reads need different roles of a key."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check."""

    name: str
    state: Literal["ok", "warning", "failure"]
    text: str
    step: str = ""
    """What to do; empty if nothing needs to be done."""


def package() -> CheckResult:
    """Check the version, and that no other distribution installed files into the same package."""
    from mailgun_mcp.cli.foreign_package import foreign_owners, sentence

    owners = foreign_owners()
    if owners:
        return CheckResult("mailgun-mcp", "failure", __version__, "; ".join(map(sentence, owners)))
    return CheckResult("mailgun-mcp", "ok", __version__)


def python() -> CheckResult:
    """Check the interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return CheckResult("python", "failure", version, "Install with Python 3.11 or newer.")
    return CheckResult("python", "ok", f"{version}, {sys.executable}")


def key(settings: Settings, source: str | None = None) -> CheckResult:
    """Check that there is an API key and that it looks usable. `source` is where an account of the file has it."""
    if settings.simulator:
        return CheckResult("key", "ok", "the simulator does not need one")
    try:
        text = settings.key()
    except SettingsError as error:
        return CheckResult("key", "failure", str(error), "Create a key in Mailgun's control panel, under API security.")
    if text.startswith("pubkey-"):
        return CheckResult(
            "key", "failure", "this is a public validation key, which the API refuses", "Use a private API key."
        )
    if settings.api_key_file and (readers := _readers(Path(settings.api_key_file).expanduser())):
        step = f"Run `chmod 600 {settings.api_key_file}`."
        return CheckResult("key", "warning", f"{settings.api_key_file} can be read by {readers}", step)
    source = source or settings.api_key_file or "MAILGUN_API_KEY"
    if not KEY_SHAPE.fullmatch(text):
        return CheckResult(
            "key",
            "warning",
            f"the key from {source} does not look like a Mailgun key",
            "Check that it was copied completely.",
        )
    return CheckResult("key", "ok", f"from {source}")


def _readers(path: Path) -> str:
    mode = path.stat().st_mode
    if sys.platform == "win32" or not mode & (stat.S_IRGRP | stat.S_IROTH):
        return ""
    return "everyone on this computer" if mode & stat.S_IROTH else "its group"


def region(settings: Settings, endpoint: "Endpoint") -> CheckResult:
    """Report the region or address that calls go to."""
    if settings.simulator:
        return CheckResult("region", "ok", "the simulator, inside this process")
    if endpoint.region is None:
        return CheckResult("region", "ok", f"{endpoint.url}, which is not one of Mailgun's regions")
    chosen = "" if settings.region or settings.hostname or settings.url else ", by default"
    return CheckResult("region", "ok", f"{endpoint.region.upper()}{chosen}: {endpoint.url}")


def network(endpoint: "Endpoint", timeout: float) -> CheckResult:
    """Check DNS, TCP and TLS to the API, or to the proxy in front of it."""
    from mailgun_mcp.mailgun.client import proxy_of

    proxy = proxy_of(endpoint)
    try:
        host, port = _address(proxy or endpoint.url)
    except ValueError:
        return CheckResult("network", "failure", "the proxy's address is not a URL", "Check HTTPS_PROXY and ALL_PROXY.")
    target = f"{'the proxy ' if proxy else ''}{host}"
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        step = "Check the spelling, the name server and the internet connection."
        return CheckResult("network", "failure", f"DNS: {target} was not found ({reason_of(error)})", step)
    try:
        connection = socket.create_connection((host, port), timeout)
    except OSError as error:
        step = "Check the firewall and the proxy (HTTPS_PROXY)."
        return CheckResult("network", "failure", f"TCP: no connection to {target}:{port} ({reason_of(error)})", step)
    with connection:
        return _encryption(connection, host) if endpoint.secure and not proxy else _connected(target, port)


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(url)
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _connected(target: str, port: int) -> CheckResult:
    return CheckResult("network", "ok", f"DNS and TCP to {target}:{port}")


def _encryption(connection: socket.socket, host: str) -> CheckResult:
    import ssl

    import httpx

    try:
        with httpx.create_ssl_context().wrap_socket(connection, server_hostname=host) as encrypted:
            return CheckResult("network", "ok", f"DNS, TCP and TLS to {host} ({encrypted.version()})")
    except ssl.SSLCertVerificationError as error:
        step = "If a proxy in your network decrypts traffic, set SSL_CERT_FILE to its certificate."
        return CheckResult(
            "network", "failure", f"TLS: the certificate of {host} is refused ({error.verify_message})", step
        )
    except (OSError, ValueError) as error:
        step = "Check the proxy, the firewall and SSL_CERT_FILE."
        return CheckResult("network", "failure", f"TLS: no encrypted connection to {host} ({reason_of(error)})", step)


class KeyProbe:
    """Finds out what the key is allowed to do by sending reads with the real client. It never writes."""

    def __init__(self, catalogue: "Catalogue", client: "Client", subaccount: str | None) -> None:
        self.client = client
        self._catalogue = catalogue
        self._subaccount = subaccount

    async def read(self, tool: str, arguments: dict[str, Any]) -> "Response | MailgunError":
        """Return the response, or the error."""
        from mailgun_mcp.errors import MailgunError
        from mailgun_mcp.request.build import build
        from mailgun_mcp.request.files import Files

        request = build(self._catalogue.find(tool), arguments, Files(), subaccount=self._subaccount)
        try:
            return await self.client.send(request, repeatable=False)
        except MailgunError as fault:
            return fault

    async def probe(self) -> "dict[str, Response | MailgunError]":
        """Return the results of PROBES, or only the first result if it fails in a way that affects all of them."""
        answers: dict[str, Response | MailgunError] = {}
        for name, (tool, arguments) in PROBES.items():
            answers[name] = await self.read(tool, arguments)
            if name == "domains" and isinstance(answers[name], Exception) and answers[name].status != 403:
                break
        return answers


def login(answer: "Response | MailgunError", endpoint: "Endpoint", elsewhere: bool | None) -> CheckResult:
    """Check whether the key works. `elsewhere` is whether the other region accepts it, or None if it was not tried."""
    from mailgun_mcp.errors import MailgunError

    if not isinstance(answer, MailgunError):
        return _logged_in(answer, endpoint)
    if answer.status == 403:
        return CheckResult(
            "login",
            "warning",
            "the key is valid, but may not list domains (HTTP 403)",
            "The permissions below list what it may read.",
        )
    other = (endpoint.other_region or "").upper()
    if answer.status != 401:
        return CheckResult("login", "failure", str(answer), answer.next_step)
    if elsewhere:
        step = f"Set {_region_setting(other.lower())}."
        return CheckResult("login", "failure", f"{answer}; the {other} region accepts this key", step)
    tried = f"; the {other} region was tried too and does not accept it either" if elsewhere is False else ""
    step = "Check the key. A domain's sending key is refused here too, because it can only send."
    return CheckResult("login", "failure", f"{answer}{tried}", step)


def _region_setting(region: str) -> str:
    return f'MAILGUN_API_REGION={region}, or region = "{region}" of an account in mailgun-mcp.toml'


def _logged_in(answer: "Response", endpoint: "Endpoint") -> CheckResult:
    from mailgun_mcp.mailgun.response import parse_json

    try:
        body = parse_json(answer.content)
    except ValueError:
        body = None
    if not isinstance(body, dict) or "items" not in body:
        step = "Check the base URL (MAILGUN_API_URL, MAILGUN_API_HOSTNAME)."
        return CheckResult(
            "login", "failure", f"{endpoint.url} answered, but the response is not from Mailgun's API", step
        )
    total = body.get("total_count")
    if total == 0 and endpoint.other_region:
        other = endpoint.other_region
        step = f"To see domains of the {other.upper()} region, set {_region_setting(other)}."
        return CheckResult("login", "ok", "the key works; it sees no domains", step)
    return CheckResult(
        "login", "ok", f"the key works; it sees {total} domains" if isinstance(total, int) else "the key works"
    )


def permissions(answers: "dict[str, Response | MailgunError]") -> CheckResult:
    """Report which of the probed reads the key allows."""
    groups: dict[str, list[str]] = {"allowed": [], "forbidden": [], "unknown": []}
    for name, answer in answers.items():
        state = _permission(answer)
        detail = f" ({_short(answer)})" if state == "unknown" else ""
        groups[state].append(name + detail)
    text = "; ".join(f"{state}: {', '.join(names)}" for state, names in groups.items() if names)
    step = "Run doctor again to check what is unknown." if groups["unknown"] else ""
    return CheckResult("permissions", "warning" if groups["unknown"] else "ok", f"to read, {text}", step)


def _permission(answer: "Response | MailgunError") -> Literal["allowed", "forbidden", "unknown"]:
    from mailgun_mcp.errors import MailgunError

    if not isinstance(answer, MailgunError):
        return "allowed"
    return "forbidden" if answer.status in (401, 403) else "unknown"


def _short(answer: Any) -> str:
    return f"HTTP {answer.status}" if answer.status else str(answer)


def clock(answers: "Iterable[Response | MailgunError]", now: float) -> CheckResult:
    """Compare this computer's clock with the `Date` of a response."""
    from mailgun_mcp.errors import MailgunError

    dates = [answer.headers.get("date", "") for answer in answers if not isinstance(answer, MailgunError)]
    try:
        theirs = parsedate_to_datetime(next(filter(None, dates))).timestamp()
    except (StopIteration, ValueError):
        return CheckResult("clock", "ok", "not compared: no response contained a date")
    skew = now - theirs
    if abs(skew) <= MAX_SKEW:
        return CheckResult("clock", "ok", f"within {MAX_SKEW} s of Mailgun's")
    step = "Set the clock. Otherwise scheduled mail and time ranges are wrong by the same amount."
    return CheckResult("clock", "warning", f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Mailgun's", step)


def tools(catalogue: "Catalogue") -> CheckResult:
    """Count the tools and their tokens, and name the clients that accept fewer tools."""
    from mailgun_mcp.catalogue.builtin_tools import offered
    from mailgun_mcp.catalogue.tool_costs import estimated_tokens
    from mailgun_mcp.cli.clients import CLIENTS

    listed = [*catalogue.tools(), *offered(catalogue).values()]
    text = f"{len(listed)}, about {estimated_tokens(listed):,} tokens"
    crowded = [
        f"{client.title} ({client.tool_limit})"
        for client in CLIENTS.values()
        if (client.tool_limit or 1e9) < len(listed)
    ]
    if not crowded:
        return CheckResult("tools", "ok", text)
    step = "Choose fewer with --preset, --toolsets or --tools for those clients."
    return CheckResult("tools", "ok", f"{text}; too many for {', '.join(crowded)}", step)


def patient(settings: Settings) -> Settings:
    """Return the settings with a time-out that is short enough for a check."""
    return replace(settings, timeout=min(settings.timeout, PATIENCE))
