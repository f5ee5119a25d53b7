"""The lines of a form that say how many people get mail, and which of them are outside the account's domains."""

from collections import Counter

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.bounded_text import OTHERS, join_bounded, shorten
from mailgun_mcp.policy.facts import Context, Facts
from mailgun_mcp.text.sizes import count_of

PEOPLE = 800
"""Longest list of recipients outside the account's domains, in characters."""


def recipient_lines(facts: Facts, account_domains: tuple[str, ...]) -> list[str]:
    """Return the number of recipients, and everyone who is outside the account's domains."""
    if not facts.recipients:
        return []
    context = facts.context
    lists = {name: size for name in facts.recipients if (size := context.list_members.get(name)) is not None}
    count = max(facts.recipient_count, len(facts.recipients))
    least = "at least " if context.unknown_lists else ""
    copies = " Each cc and bcc gets a copy of every message." if facts.addressed.copied else ""
    return [
        f"Mail goes to {least}{count_of(count, 'recipient')}.{copies}",
        *_list_lines(context, lists),
        *_outside(facts, lists, account_domains),
    ]


def own_domains(operation: Operation, arguments: Arguments) -> list[str]:
    """Return the domain in the path of the call. It belongs to the account, or Mailgun refuses the call."""
    names = [item.name for item in operation.arguments if item.location == "path" and item.format == "hostname"]
    return [str(arguments[name]).strip().lower() for name in names if arguments.get(name)]


def is_inside(address: str, own: list[str]) -> bool:
    """Return whether an address or host belongs to one of the domains."""
    domain = address.rpartition("@")[2]
    return any(domain == name or domain.endswith(f".{name}") for name in own)


def named(addresses: list[str]) -> str:
    """Return every address and host or, if there are too many, how many each domain has."""
    full = ", ".join(map(shorten, addresses))
    if len(full) <= PEOPLE:
        return f": {full}"
    domains = Counter(address.rpartition("@")[2] for address in addresses)
    # One stranger among a thousand customers has their own domain, so the smallest groups come first.
    counted = [
        f"{shorten(domain)} ({number:,})" for domain, number in sorted(domains.items(), key=lambda item: item[1])
    ]
    return f", by domain: {join_bounded(counted, PEOPLE, 'domains')}"


def _list_lines(context: Context, lists: dict[str, int]) -> list[str]:
    """Return the mailing lists with their sizes, and what is unknown about them."""
    sizes = [f"{shorten(name)} ({count_of(size, 'member')})" for name, size in lists.items()]
    unread = [name for name, size in lists.items() if size and name not in context.list_addresses]
    doubts = [f"{shorten(name)} ({shorten(reason)})" for name, reason in context.unknown_lists.items()]
    lines = []
    if sizes:
        note = " Their addresses were not read." if unread else ""
        lines.append(f"Mailing lists: {join_bounded(sizes, OTHERS, 'mailing lists')}.{note}")
    if doubts:
        lines.append(f"It is not known how many people get mail through {join_bounded(doubts, OTHERS, 'more')}.")
    return lines


def _outside(facts: Facts, lists: dict[str, int], account_domains: tuple[str, ...]) -> list[str]:
    """Return who is outside, including those members of mailing lists that were read."""
    people = [name for name in facts.recipients if name not in lists]
    people += (one for name in lists for one in facts.context.list_addresses.get(name, ()))
    people = list(dict.fromkeys(people))
    own = list(account_domains) or own_domains(facts.operation, facts.arguments)
    if not people:
        return []
    if not own:
        return [f"Recipients{named(people)}"]
    domains = "the account's domains" if account_domains else join_bounded(own, OTHERS, "domains")
    outside = [name for name in people if not is_inside(name, own)]
    if outside:
        return [f"{len(outside):,} outside {domains}{named(outside)}"]
    inside = list(dict.fromkeys(name.rpartition("@")[2] for name in people))
    return [f"Nobody is outside {domains}: all are at {join_bounded(inside, OTHERS, 'domains')}"]
