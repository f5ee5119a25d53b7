"""Where a call would send data: the hosts of its URLs, and the addresses of route actions and new list members. Pure."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.policy.address_changes import SUBSCRIBING, subscribed
from mailgun_mcp.policy.call_addresses import addresses_in
from mailgun_mcp.text.addresses import AT_SIGNS, folded
from mailgun_mcp.text.host_names import canonical_host, canonical_ip
from mailgun_mcp.text.leaves import texts

URL = re.compile(r"""[a-z][a-z0-9+.-]{0,30}://[^\s"'<>]+""", re.IGNORECASE)
AUTHORITY = re.compile(r"[^:]*:[/\\]*([^/\\]*)")
"""The part of a URL before its path, whatever a reader takes for its end."""
HOST_ENDS = re.compile("[@?#]")
"""What can end a host, or what is before it."""
ROUTE_SIGNS = re.compile(r"[\s=,()\"']+")
ROUTE_WORDS = frozenset({"forward", "store", "stop", "notify", "and"})
"""Words in route actions that are neither addresses nor URLs."""
BETWEEN_TARGETS = re.compile("[,;]")
"""A route action can have several targets in one text. A URL can contain the same characters."""
UNREAD_FILE = "(the addresses in a file)"
"""Represents, among the destinations, the addresses in a file that no rule reads."""


def destinations_of(operation: Operation, arguments: Arguments, faults: list[str]) -> Iterator[str]:
    """Yield the hosts of URL arguments, and what a route's actions forward to or notify."""
    for argument in operation.arguments:
        if argument.format == "uri":
            for value in texts(arguments.get(argument.name)):
                yield from _hosts(argument.name, value, faults)
    if operation.toolset == "routes":
        for action in texts(arguments.get("action")):
            yield from _route_targets(action, faults)
    if operation.name in SUBSCRIBING:
        yield from addresses_in("members", subscribed(arguments), faults)
        if operation.name == "import_mailing_list_members":
            yield UNREAD_FILE


def _route_targets(action: str, faults: list[str]) -> Iterator[str]:
    """Yield whatever in the action looks like a URL or an address, however it is quoted and joined."""
    after_urls: list[str] = []
    for url in URL.findall(action):
        first, *others = BETWEEN_TARGETS.split(url)
        yield from _hosts("action", first, faults)
        authority = AUTHORITY.match(url)
        if authority and BETWEEN_TARGETS.search(authority[1]):
            # To another reader, the characters are part of the host.
            yield from _hosts("action", url, faults)
        for other in others:
            if "://" in other:
                yield from _hosts("action", other, faults)
            else:
                after_urls.append(other)
    rest = URL.sub(" ", action)
    # The quotes are part of the route language.
    plain = re.sub("[\"'()]", " ", rest)
    yield from addresses_in("action", [word for word in (*plain.split(), *after_urls) if AT_SIGNS.search(word)], faults)
    for word in ROUTE_SIGNS.split(URL.sub(" ", action.partition("(")[2])):
        if word and word.lower() not in ROUTE_WORDS and not AT_SIGNS.search(word):
            faults.append(f"action: {word[:80]!r} is neither an address nor a URL")
            yield folded(word)


def _has_two_hosts(url: str) -> bool:
    """Return whether readers disagree where the host is, as in `https://a.example#@b.example` or `https://a@b@c`."""
    authority = AUTHORITY.match(url)
    if authority is None:
        return False
    first = HOST_ENDS.search(authority[1])
    return first is not None and authority[1].rfind("@") > first.start()


def _hosts(name: str, url: str, faults: list[str]) -> Iterator[str]:
    """Yield the host of `url`; two hosts if readers disagree, as on `https://a.example\\@b.example`."""
    if _has_two_hosts(url):
        faults.append(f"{name}: the host of {url[:80]!r} is not clear")
    for reading in dict.fromkeys((url, url.replace("\\", "/"))):
        try:
            host = urlsplit(reading.strip()).hostname
        except ValueError:
            host = None
        canonical = canonical_ip(host) if host and ":" in host else canonical_host(host) if host else None
        if canonical is None and (host or reading.strip()):
            faults.append(f"{name}: the host {(host or reading)[:80]!r} is not clear")
        yield canonical or folded(host or reading)
