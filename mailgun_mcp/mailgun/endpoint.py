"""Where Mailgun is: regions, host names, base URLs, and which hosts may receive the key."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.host_names import LOOPBACK
from mailgun_mcp.text.suggest import unknown

REGIONS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
HOST_NAME = re.compile(rf"{LABEL}(\.{LABEL})*")
IP_ADDRESS_6 = re.compile(r"[0-9a-f:.]*:[0-9a-f:.]*")


class EndpointError(SettingsError):
    """A region, host name or base URL that cannot be used."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The base URL of the API, without a version."""

    url: str
    region: str | None
    """`us` or `eu`; None for a custom host or URL."""

    @property
    def secure(self) -> bool:
        """Whether the base URL is https."""
        return self.url.startswith("https://")

    @property
    def other_region(self) -> str | None:
        """The other of Mailgun's two regions; None if this endpoint is in neither."""
        return {"us": "eu", "eu": "us"}.get(self.region or "")

    def base(self, host: str | None) -> str:
        """Return the base URL for a request to `host`, one of Mailgun's storage hosts, or None for the API.

        A custom endpoint (a proxy, the simulator) replaces every host.
        """
        return f"https://{host}" if host and self.region else self.url


def resolve(*, region: str | None = None, hostname: str | None = None, url: str | None = None) -> Endpoint:
    """Return the endpoint for a region, host name or base URL; the US region if none is given.

    Raises EndpointError if more than one is given, or the one given is not usable.
    """
    options = [name for name, value in (("region", region), ("hostname", hostname), ("url", url)) if value]
    if len(options) > 1:
        raise EndpointError(f"give one of region, hostname and url, not {' and '.join(options)}")
    if url:
        return _from_url(url)
    if hostname:
        return _from_hostname(hostname)
    name = (region or "us").lower()
    if name not in REGIONS:
        raise EndpointError(unknown("region", name, REGIONS))
    return Endpoint(REGIONS[name], name)


def _from_hostname(hostname: str) -> Endpoint:
    if not HOST_NAME.fullmatch(hostname.lower()) or "." not in hostname:
        raise EndpointError(f"{hostname!r} is not a host name; for a whole base URL set MAILGUN_API_URL")
    return _endpoint(f"https://{hostname.lower()}")


def _from_url(url: str) -> Endpoint:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise EndpointError("the base URL is not a URL") from error
    if parts.username or parts.password or parts.query or parts.fragment:
        raise EndpointError("the base URL must not contain a user name, password, query or fragment")
    if (
        parts.scheme not in ("http", "https")
        or not host
        or not (HOST_NAME.fullmatch(host) or IP_ADDRESS_6.fullmatch(host))
    ):
        raise EndpointError(f"{url!r} is not a URL that starts with https://")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise EndpointError(f"plain http would show the API key to the network: use https://{host}")
    path = parts.path.rstrip("/")
    last = path.rpartition("/")[2]
    if re.fullmatch(r"v\d+", last, re.IGNORECASE):
        raise EndpointError(f"the base URL must not contain a version: leave out {last!r}")
    return _endpoint(f"{parts.scheme}://{parts.netloc.lower()}{path}")


def _endpoint(url: str) -> Endpoint:
    return Endpoint(url, next((name for name, region_url in REGIONS.items() if region_url == url), None))
