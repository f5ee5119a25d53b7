"""The risk of a new route by whom it forwards mail to: many addresses, or an address that can be a mailing list. Pure.

A send to an address of the account counts as one recipient. A route could turn it into mail to thousands.
"""

from collections.abc import Collection, Iterable

from mailgun_mcp.catalogue.operation import Operation, Raise
from mailgun_mcp.catalogue.raised_risk import raised
from mailgun_mcp.text.addresses import AT_SIGNS

MOST_TARGETS = 10
"""Most destinations of a route that is a plain write, like the recipients of a send that nobody is asked about."""


def destructive(reason: str) -> Raise:
    """Return a reason for which a call is destructive."""
    return Raise({}, None, "destructive", reason)


MANY = destructive(f"each mail that it matches goes to more than {MOST_TARGETS} addresses")
OWN_ADDRESS = destructive(
    "it forwards to an address of this account, behind which a mailing list can be, now or later",
)
UNKNOWN_DOMAINS = destructive(
    "it may forward to a mailing list: the API key may not read which domains are the account's",
)


def with_many_targets(operation: Operation, destinations: Collection[str]) -> Operation:
    """Return the operation, as destructive if it is a route to many destinations."""
    many = operation.toolset == "routes" and len(destinations) > MOST_TARGETS
    return raised(operation, (MANY,)) if many else operation


def forwarded_to(operation: Operation, destinations: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses that a route forwards to."""
    return tuple(text for text in destinations if AT_SIGNS.search(text)) if operation.toolset == "routes" else ()


def of_own_targets(addresses: Iterable[str], domains: Collection[str] | None) -> tuple[Raise, ...]:
    """Return why a route is destructive that forwards to `addresses`, if one is in one of the account's `domains`.

    `domains` is None if they cannot be read.
    """
    if domains is None:
        return (UNKNOWN_DOMAINS,)
    return (OWN_ADDRESS,) if any(address.rpartition("@")[2] in domains for address in addresses) else ()
