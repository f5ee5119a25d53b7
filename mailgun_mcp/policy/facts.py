"""The facts that policy rules match. Everything is passed in: no clock, no I/O."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.raised_risk import as_called
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.policy.address_changes import count_addresses
from mailgun_mcp.policy.call_addresses import addresses_in, noting_faults
from mailgun_mcp.policy.destinations import destinations_of
from mailgun_mcp.policy.option_headers import forbidden, is_option, with_options_of
from mailgun_mcp.policy.route_reach import with_many_targets
from mailgun_mcp.text.addresses import (
    fills_in,
    folded,
    mime_headers,
    recipients_in_header,
)
from mailgun_mcp.text.host_names import canonical_host
from mailgun_mcp.text.leaves import texts

TEMPLATES = frozenset({"templates", "account_templates"})
REPLY_HEADERS = frozenset(
    {
        *("reply-to", "mail-reply-to", "mail-followup-to"),
        *("disposition-notification-to", "return-receipt-to", "x-confirm-reading-to"),
    }
)
SIGNED_AS = ("secondary_dkim", "secondary_dkim_public")
"""Arguments that name a domain in whose name the mail is signed too: the key's own, and its alias."""
SELECTOR = re.compile("[/,]")
"""What separates the domain of a DKIM key from its selector: in the argument, and in the header."""
BATCH_HEADER = "x-mailgun-recipient-variables"
Headers = list[tuple[str, Any]]
UNREAD_MESSAGE = "the headers of the file were not read"

LONGEST_SESSION = 86_400.0
"""How long text that an earlier process showed counts as shown in this session, in seconds.

A client can restart its server without starting a new conversation, and no protocol says when a conversation ends.
"""


@dataclass(frozen=True, slots=True)
class Context:
    """Who calls, in which account, and what happened before; the same for every rule of one call."""

    account: str = ""
    """The name of the account."""
    region: str | None = None
    subaccount: str | None = None
    principal: str = ""
    """Who calls, as authenticated; empty if nobody is."""
    client: str = ""
    """The MCP client's name, as it calls itself. This proves nothing."""
    now: datetime = field(default_factory=lambda: datetime.fromtimestamp(0, UTC))
    untrusted_age: float | None = None
    """Seconds since the principal was last shown third-party text; None for never, or if the mark was cleared."""
    untrusted_here: bool = False
    """Whether this process showed it. If so, the same conversation may still be going on."""
    recipients_last_hour: int = 0
    principal_recipients_last_hour: int = 0
    """Like `recipients_last_hour`, but of the principal alone."""
    principal_calls_last_hour: int = 0
    """Calls of the principal in the last hour; counted only if the policy limits calls."""
    addresses_last_hour: int = 0
    """Addresses that calls of the last hour put on suppression lists, mailing lists and routes."""
    duplicate_age: float | None = None
    """Seconds since the same request was last sent; None for never."""
    spent_this_month: float = 0.0
    list_members: dict[str, int] = field(default_factory=dict)
    """Number of members of each mailing list that the call addresses, including lists inside it."""
    list_addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses of these members, for lists that were read completely."""
    unknown_lists: dict[str, str] = field(default_factory=dict)
    """Address -> why it is unknown whether it is a mailing list, or how many people the list reaches."""
    unknown_lists_allowed: bool = False
    """Whether the policy allows sends although that is unknown (`unknown_lists: allow`)."""
    account_id: str = ""
    """Identifies the account in stored records, whatever its name; empty for hypothetical calls."""
    account_binding: str = ""
    """What a confirmation is bound to: the account, its endpoint and its key."""
    endpoint: str = ""
    fingerprint: str = ""
    """Fingerprint of the API key."""

    @property
    def counted_for(self) -> str:
        """The account by which sends, costs and marks of third-party text are counted."""
        return self.account_id or self.account

    @property
    def after_untrusted(self) -> bool:
        """Whether third-party text was shown in this session."""
        age = self.untrusted_age
        # Written so that an age that is not a number counts as recent.
        return age is not None and (self.untrusted_here or not age > LONGEST_SESSION)


@dataclass(frozen=True, slots=True)
class Addressed:
    """Whom a send addresses, grouped by how many messages each gets."""

    once: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    """Addresses that, in a batch, get a copy of every message to those of `once`."""

    @property
    def all(self) -> tuple[str, ...]:
        """All addresses, each once."""
        return tuple(dict.fromkeys((*self.once, *self.copied)))

    def messages(self, list_members: Mapping[str, int]) -> int:
        """Return the number of messages: one for each member of a list, plus the copies of a batch."""
        once = sum(list_members.get(address, 1) for address in self.once)
        copied = sum(list_members.get(address, 1) for address in self.copied)
        return max(once, 1) * (1 + copied) if copied else once


@dataclass(frozen=True, slots=True)
class Facts:
    """One call, as rules see it."""

    operation: Operation
    arguments: Arguments
    context: Context
    digest: str = ""
    """Digest of the exact request."""
    domains: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    """Bare addresses in lower case; a mailing list counts as its own address."""
    recipient_count: int = 0
    """Number of recipients, including members of mailing lists and copies in a batch."""
    addressed: Addressed = Addressed()
    senders: tuple[str, ...] = ()
    replies_to: tuple[str, ...] = ()
    """Who gets replies or read receipts, if the mail says so."""
    destinations: tuple[str, ...] = ()
    """Where data would be sent: addresses and host names of route forwards, webhooks, archives and new list members."""
    address_count: int = 0
    """Number of addresses that the call puts on suppression lists, mailing lists or a route."""
    stated: Arguments = field(default_factory=dict)
    """The arguments, including options that mail headers set. Conditions on arguments look at these."""
    faults: tuple[str, ...] = ()
    """Ambiguous addresses and hosts, each with its argument. If there are any, the call is refused."""

    @property
    def people(self) -> tuple[str, ...]:
        """The recipients, and those members of their mailing lists that were read."""
        members = self.context.list_addresses
        return (*self.recipients, *chain.from_iterable(members.values())) if members else self.recipients

    @property
    def unknown_size(self) -> bool:
        """Whether it is unknown how many people get the mail, and the policy cares."""
        return bool(self.context.unknown_lists) and not self.context.unknown_lists_allowed

    @property
    def unread_people(self) -> bool:
        """Whether it is unknown who gets the mail, and the policy cares."""
        context = self.context
        if context.unknown_lists_allowed:
            return False
        unread = (name for name, size in context.list_members.items() if size and name not in context.list_addresses)
        return bool(context.unknown_lists) or any(True for _ in unread)


def gather(
    operation: Operation,
    arguments: Arguments,
    context: Context,
    digest: str = "",
    files: Mapping[str, bytes] | None = None,
) -> Facts:
    """Return the facts of a call. `operation` must have the risk that these arguments give it.

    `files` has the content of the files that the call sends, by argument.
    """
    faults: list[str] = []
    operation = as_called(operation, arguments)
    faults += _unclear_domains(operation, arguments)
    faults += _faults_of_template(operation, arguments)
    message = (files or {}).get("message")
    headers = list(_headers(arguments, message, faults)) if operation.risk == "send" else []
    faults += forbidden(headers)
    addressed = _addressed(operation, arguments, headers, faults)
    if operation.risk == "send" and message is None and _is_in_a_file(arguments.get("message")):
        context = replace(context, unknown_lists={**context.unknown_lists, "message": UNREAD_MESSAGE})
    names = frozenset(argument.name for argument in operation.arguments) if headers else frozenset[str]()
    stated = with_options_of(headers, arguments, names, faults)
    destinations = tuple(dict.fromkeys(destinations_of(operation, stated, faults)))
    return Facts(
        operation=with_many_targets(operation, destinations),
        arguments=arguments,
        stated=stated,
        context=context,
        digest=digest,
        domains=tuple(dict.fromkeys(domains_of(operation, stated))),
        recipients=addressed.all,
        recipient_count=addressed.messages(context.list_members),
        addressed=addressed,
        senders=tuple(dict.fromkeys(_senders(operation, arguments, headers, faults))),
        replies_to=tuple(dict.fromkeys(_replies_to(operation, arguments, headers))),
        destinations=destinations,
        address_count=count_addresses(operation, arguments, files, destinations),
        faults=tuple(dict.fromkeys(faults)),
    )


def domains_of(operation: Operation, arguments: Arguments) -> Iterator[str]:
    """Yield the account's domains that the call names. The address of a bounce or list member does not count."""
    for argument in operation.arguments:
        if argument.format == "hostname":
            for text in texts(arguments.get(argument.name)):
                yield canonical_host(text) or folded(text)
    if operation.risk == "send":
        # A mail that is also signed in the name of another domain can pass for mail of it.
        for text in texts([arguments.get(name) for name in SIGNED_AS]):
            domain = SELECTOR.split(text, maxsplit=1)[0]
            yield canonical_host(domain) or folded(domain)
    if operation.toolset == "lists":
        of_list = ("list_address",) if "/members" in operation.path else ("list_address", "address")
        for name in of_list:
            # Validation reports a fault of an address here: nobody gets mail.
            for address in addresses_in(name, arguments.get(name), []):
                yield address.rpartition("@")[2]


def _unclear_domains(operation: Operation, arguments: Arguments) -> Iterator[str]:
    for argument in operation.arguments:
        if argument.format == "hostname":
            for text in texts(arguments.get(argument.name)):
                if canonical_host(text) is None:
                    yield f"{argument.name}: the domain {text[:80]!r} is not clear"


def with_lists(facts: Facts, context: Context) -> Facts:
    """Return the facts of a call after its mailing lists were read into `context`."""
    return replace(facts, context=context, recipient_count=facts.addressed.messages(context.list_members))


def _addressed(operation: Operation, arguments: Arguments, headers: Headers, faults: list[str]) -> Addressed:
    """Return every address that a send names: in fields, headers, a MIME message, or keys of recipient variables."""
    if operation.risk != "send":
        return Addressed()
    variables = arguments.get("recipient_variables")
    named = [address for name in ("to", "email") for address in _recipients(name, arguments.get(name), faults)]
    if isinstance(variables, dict):
        named += _recipients("recipient_variables", list(variables), faults)
    copied = [address for name in ("cc", "bcc") for address in _recipients(name, arguments.get(name), faults)]
    batch = "recipient_variables" in arguments
    for name, value in headers:
        batch = batch or name.strip().lower() == BATCH_HEADER
        for text in texts(value):
            addresses = noting_faults(f"header {name}", recipients_in_header(name, text), faults)
            if name.strip().lower() == BATCH_HEADER:
                named += addresses
            else:
                copied += (address for address in addresses if address not in named)
    if batch:
        return Addressed(tuple(dict.fromkeys(named)), tuple(dict.fromkeys(copied)))
    return Addressed(tuple(dict.fromkeys((*named, *copied))))


def _headers(arguments: Arguments, message: bytes | None, faults: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the headers of the mail: those of the argument, and those in a MIME message.

    `message` is that message as it is sent, if it is known.
    """
    headers = arguments.get("headers")
    if isinstance(headers, dict):
        yield from ((str(name), value) for name, value in headers.items())
    argument = arguments.get("message")
    text = argument.get("text") if isinstance(argument, dict) else None
    if message is not None:
        text = message.decode("utf-8", "replace")
    elif isinstance(argument, dict) and isinstance(argument.get("base64"), str):
        try:
            text = base64.b64decode("".join(argument["base64"].split())).decode("utf-8", "replace")
        except ValueError:
            faults.append("message: base64 is not valid")
    if isinstance(text, str):
        yield from mime_headers(text)


def _is_in_a_file(message: Any) -> bool:
    """Return whether the mail is given as the path of a file: its headers could name anybody."""
    return isinstance(message, dict) and message.get("path") is not None


def _senders(operation: Operation, arguments: Arguments, headers: Headers, faults: list[str]) -> Iterator[str]:
    """Yield the senders of the mail. A header can set one too, and so can a template for all its mail."""
    if operation.risk == "send":
        yield from addresses_in("from", arguments.get("from"), faults)
    for name, value in headers or _template_headers(operation, arguments):
        if name.strip().lower() in ("from", "sender"):
            yield from addresses_in(f"header {name}", value, faults)


def _replies_to(operation: Operation, arguments: Arguments, headers: Headers) -> Iterator[str]:
    """Yield who gets replies. An ambiguous address does not cause a refusal: this call sends it no mail."""
    for name, value in headers or _template_headers(operation, arguments):
        if name.strip().lower() in REPLY_HEADERS:
            yield from addresses_in(f"header {name}", value, [])


def _faults_of_template(operation: Operation, arguments: Arguments) -> Iterator[str]:
    """Yield a fault for each header of a template that names recipients or sets an option: for all its mail."""
    for name, value in _template_headers(operation, arguments):
        if recipients_in_header(name, str(value)).addresses:
            yield f"headers: {name[:80]!r} of a template names recipients"
        elif is_option(name):
            yield f"headers: {name[:80]!r} of a template would set an option of all its mail"


def _template_headers(operation: Operation, arguments: Arguments) -> Headers:
    """Yield the headers that a template sets for all mail made from it."""
    headers = arguments.get("headers")
    if operation.toolset not in TEMPLATES or not isinstance(headers, dict):
        return []
    return [(str(name), value) for name, value in headers.items()]


def _recipients(name: str, value: Any, faults: list[str]) -> Iterator[str]:
    """Yield the addresses of a recipients field. A variable in it is a fault: it could name anybody."""
    faults.extend(f"{name}: {text[:80]!r} has a variable in an address" for text in texts(value) if fills_in(text))
    yield from addresses_in(name, value, faults)
