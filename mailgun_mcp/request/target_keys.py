"""The texts by which a call names what it changes. The policy, the copy for undo and Mailgun must read the same name.

Otherwise a text with two readings could be changed under one name and copied under the other.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.resource import KEYED_BY_ADDRESS
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.formats import email
from mailgun_mcp.text.addresses import bare_address, find_addresses, unquoted


def key_faults(operation: Operation, arguments: Arguments) -> Iterator[tuple[str, str, str]]:
    """Yield argument, text and fault of each text that names what the call changes, if no format already checks it."""
    formatted = {argument.name for argument in operation.arguments if argument.format}
    for effect in operation.affects:
        check = CHECKS.get(effect.resource)
        for path in (effect.key, effect.renamed):
            if check is None or path is None or path in formatted:
                continue
            for value in values_at(arguments, path):
                if isinstance(value, str) and (fault := check(value)):
                    yield path.partition("/")[0], value, fault


def values_at(value: Any, path: str) -> Iterator[Any]:
    """Yield the values at the path `a/*/b` in a JSON value."""
    head, _, rest = path.partition("/")
    values = value if head == "*" else [value.get(head)] if isinstance(value, dict) else []
    for item in values if isinstance(values, list) else []:
        if item is not None:
            yield from values_at(item, rest) if rest else (item,)


def canonical_network(text: str) -> str | None:
    """Return an IP address or range in its shortest form, or None for any other text."""
    from ipaddress import ip_network

    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _mailbox(value: str) -> str | None:
    address = bare_address(value)
    fault, parsed = email(address), find_addresses(value)
    local_parts = [one.rpartition("@")[0] for one in parsed.addresses]
    if fault is None and (parsed.faults or local_parts != [unquoted(address.rpartition("@")[0])]):
        fault = "is not an unambiguous mail address"
    return fault and f"{fault}: write address@example.com or Name <address@example.com>"


def _address_or_domain(value: str) -> str | None:
    return _mailbox(value) if "@" in value else _padded(value)


def _network(value: str) -> str | None:
    return None if canonical_network(value) else "is not an IP address or range such as 192.0.2.0/24"


def _padded(value: str) -> str | None:
    return "has a space before or after it" if value != value.strip() else None


CHECKS: Mapping[str, Callable[[str], str | None]] = {
    **dict.fromkeys(KEYED_BY_ADDRESS, _mailbox),
    "allowlist_entry": _address_or_domain,
    "ip_allowlist_entry": _network,
    "account_webhook": _padded,
}
"""Resource -> the check of its key. Other keys are sent unchanged, and Mailgun compares them unchanged."""
