"""What a policy rule may look at. Everything is given: no clock, no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import getaddresses
from typing import Any
from urllib.parse import urlsplit

from mailgun_mcp.catalogue.operation import Arguments, Operation



@dataclass(frozen=True, slots=True)
class Context:
    """Who calls, in which account, and what happened before; the same for every rule of one call."""

    account: str = "default"
    region: str | None = None
    subaccount: str | None = None
    caller: str = "local"
    """Who is responsible: the authenticated principal, or `local` on stdio."""
    client: str = ""
    """The MCP client's own name; it is what the client says, not proof."""
    now: datetime = field(default_factory=lambda: datetime.fromtimestamp(0, UTC))
    untrusted_age: float | None = None
    """Seconds since this caller was shown text that a third party wrote; None for never."""
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
    """Where data would be sent: addresses and host names of route forwards, webhooks and archives."""


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
        senders=tuple(_addresses(arguments.get("from"))) if operation.risk == "send" else (),
        destinations=tuple(dict.fromkeys(_destinations(operation, arguments))),
    )


def _domains(operation: Operation, arguments: Arguments) -> Iterator[str]:
    for argument in operation.arguments:
        if argument.format == "hostname":
            yield from (value.lower().rstrip(".") for value in _texts(arguments.get(argument.name)))
        elif argument.place == "path" and argument.format == "email":
            yield from (value.rpartition("@")[2].lower() for value in _texts(arguments.get(argument.name)))


def _recipients(operation: Operation, arguments: Arguments) -> Iterator[str]:
    """Every address that a send names; the keys of recipient variables are addresses as well."""
    if operation.risk != "send":
        return
    for name in ("to", "cc", "bcc", "email"):
        yield from _addresses(arguments.get(name))
    variables = arguments.get("recipient_variables")
    if isinstance(variables, dict):
        yield from _addresses(list(variables))


def _destinations(operation: Operation, arguments: Arguments) -> Iterator[str]:
    """Hosts of URL arguments, and what a route's actions forward to or notify."""
    for argument in operation.arguments:
        if argument.format == "uri":
            yield from (urlsplit(value).hostname or value for value in _texts(arguments.get(argument.name)))
    if operation.toolset == "routes":
        for action in _texts(arguments.get("action")):
            yield from _route_targets(action)


def _route_targets(action: str) -> Iterator[str]:
    _, _, inside = action.partition("(")
    for target in inside.rpartition(")")[0].replace("notify=", "").split(","):
        bare = target.strip().strip("\"'")
        if "://" in bare:
            yield urlsplit(bare).hostname or bare
        elif bare:
            yield bare.lower()


def _addresses(value: Any) -> Iterator[str]:
    for _, address in getaddresses(list(_texts(value))):
        if address:
            yield address.lower()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
