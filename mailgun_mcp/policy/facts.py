"""What a policy rule may look at. Everything is given: no clock, no I/O."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import getaddresses
from typing import Any
from unicodedata import normalize
from urllib.parse import urlsplit

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments

WORD = re.compile(r"""[^\s<>()\[\],;:"]+""")
URL = re.compile(r"""[a-z][a-z0-9+.-]{0,30}://[^\s"'<>]+""", re.IGNORECASE)

SUBSCRIBING = frozenset(
    {
        *("add_mailing_list_member", "bulk_add_mailing_list_members"),
        *("import_mailing_list_members", "update_mailing_list_member"),
    }
)
"""Tools that put addresses on a mailing list."""
UNREAD_FILE = "(a file)"
"""Stands among the destinations for the addresses in a file, which no rule reads."""


@dataclass(frozen=True, slots=True)
class Context:
    """Who calls, in which account, and what happened before; the same for every rule of one call."""

    account: str = "default"
    region: str | None = None
    subaccount: str | None = None
    principal: str = "local"
    """Who is responsible: the authenticated principal, or `local` on stdio."""
    client: str = ""
    """The MCP client's own name; it is what the client says, not proof."""
    now: datetime = field(default_factory=lambda: datetime.fromtimestamp(0, UTC))
    untrusted_age: float | None = None
    """Seconds since this principal was shown text that a third party wrote; None for never."""
    recipients_last_hour: int = 0
    duplicate_age: float | None = None
    """Seconds since the same request was last sent; None for never."""
    spent_this_month: float = 0.0
    list_members: dict[str, int] = field(default_factory=dict)
    """Members of each mailing list that the call addresses."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One call, as rules see it."""

    operation: Operation
    arguments: Arguments
    context: Context
    digest: str = ""
    """Of the exact request."""
    domains: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    """Bare addresses in lower case; a mailing list stands as its own address."""
    recipient_count: int = 0
    """With the members of mailing lists counted."""
    senders: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    """Where data would be sent: addresses and host names of route forwards, webhooks, archives and new list members."""

    @property
    def price(self) -> float | None:
        """What the call costs, where it is known."""
        return self.operation.price.amount if self.operation.price else None


def gather(operation: Operation, arguments: Arguments, context: Context, digest: str = "") -> Facts:
    """Return the facts of a call."""
    recipients = tuple(dict.fromkeys(_recipients(operation, arguments)))
    members = context.list_members
    return Facts(
        operation=operation,
        arguments=arguments,
        context=context,
        digest=digest,
        domains=tuple(dict.fromkeys(_domains(operation, arguments))),
        recipients=recipients,
        recipient_count=sum(members.get(address, 1) for address in recipients),
        senders=tuple(dict.fromkeys(_senders(arguments))) if operation.risk == "send" else (),
        destinations=tuple(dict.fromkeys(_destinations(operation, arguments))),
    )


def _domains(operation: Operation, arguments: Arguments) -> Iterator[str]:
    """The account's domains; whose bounce or membership it is does not make a domain."""
    for argument in operation.arguments:
        if argument.format == "hostname":
            yield from map(_folded, _texts(arguments.get(argument.name)))
    if operation.toolset == "lists":
        of_list = ("list_address",) if "/members" in operation.path else ("list_address", "address")
        for name in of_list:
            for address in _addresses(arguments.get(name)):
                yield address.rpartition("@")[2]


def _recipients(operation: Operation, arguments: Arguments) -> Iterator[str]:
    """Every address that a send names; the keys of recipient variables are addresses as well."""
    if operation.risk != "send":
        return
    for name in ("to", "cc", "bcc", "email"):
        yield from _addresses(arguments.get(name))
    variables = arguments.get("recipient_variables")
    if isinstance(variables, dict):
        yield from _addresses(list(variables))


def _senders(arguments: Arguments) -> Iterator[str]:
    """Who the mail says it is from; a header can say it as well."""
    yield from _addresses(arguments.get("from"))
    headers = arguments.get("headers")
    if isinstance(headers, dict):
        for name, value in headers.items():
            if str(name).lower() in ("from", "sender"):
                yield from _addresses(value)


def _destinations(operation: Operation, arguments: Arguments) -> Iterator[str]:
    """Hosts of URL arguments, and what a route's actions forward to or notify."""
    for argument in operation.arguments:
        if argument.format == "uri":
            for value in _texts(arguments.get(argument.name)):
                yield from _hosts(value)
    if operation.toolset == "routes":
        for action in _texts(arguments.get("action")):
            yield from _route_targets(action)
    if operation.name in SUBSCRIBING:
        yield from _addresses(_subscribed(arguments))
        if operation.name == "import_mailing_list_members":
            yield UNREAD_FILE


def _subscribed(arguments: Arguments) -> list[str]:
    """Return the addresses that a call puts on a mailing list: from then on they get what is sent to the list."""
    members = arguments.get("members")
    listed = members if isinstance(members, list) else []
    texts = [arguments.get("address"), *(item.get("address") if isinstance(item, dict) else item for item in listed)]
    return [text for text in texts if isinstance(text, str)]


def _route_targets(action: str) -> Iterator[str]:
    """Whatever in the action looks like a URL or an address, however it is quoted and joined."""
    urls = URL.findall(action)
    addresses = _with_at_sign(URL.sub(" ", action).replace("'", " "))
    for url in urls:
        yield from _hosts(url)
    yield from map(_folded, addresses)
    inside = action.partition("(")[2].rpartition(")")[0].strip(" \"'")
    if inside and not urls and not addresses:
        yield _folded(inside)


def _hosts(url: str) -> Iterator[str]:
    """The host of `url`; two where readers differ on it, as for `https://a.example\\@b.example`."""
    for reading in dict.fromkeys((url, url.replace("\\", "/"))):
        try:
            host = urlsplit(reading.strip()).hostname
        except ValueError:
            host = None
        yield _folded(host or reading)


def _addresses(value: Any) -> Iterator[str]:
    """Every address that any reader could find in the texts of `value`, or the text itself where there is none.

    Readers differ on what is malformed (`a@x.example <b@y.example>`), and Mailgun's reading is not known: too many
    addresses ask or refuse too often, too few would pass the send firewall.
    """
    for text in _texts(value):
        plain = _folded(text)
        found = [*_with_at_sign(plain), *_parsed(plain)]
        yield from (_folded(address) for address in found) if found else [plain] if plain else []


def _parsed(text: str) -> list[str]:
    """Return the addresses as a mail program reads them, or `text` itself where it nests too deep for that."""
    try:
        return [address for _, address in getaddresses([text]) if "@" in address]
    except RecursionError:
        return [text]


def _with_at_sign(text: str) -> list[str]:
    """Return the words of `text` that hold an @ inside. One pattern for all of it takes a day for a megabyte."""
    return [word for word in WORD.findall(text) if "@" in word[1:-1]]


def _folded(text: str) -> str:
    """Return `text` as it is compared: full-width letters and the like are the plain ones to a mail server."""
    return (text if text.isascii() else normalize("NFKC", text)).strip().lower().rstrip(".")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
