"""The addresses in an argument, in the form in which rules compare them, and what is ambiguous about them. Pure."""

from collections.abc import Iterator
from typing import Any

from mailgun_mcp.text.addresses import ParsedAddresses, find_addresses, routed_on
from mailgun_mcp.text.leaves import texts


def addresses_in(name: str, value: Any, faults: list[str]) -> Iterator[str]:
    """Yield every address that any reader could find in the texts of `value`; a text without one is yielded itself."""
    for text in texts(value):
        yield from noting_faults(name, find_addresses(text), faults)


def noting_faults(name: str, parsed: ParsedAddresses, faults: list[str]) -> list[str]:
    """Return the addresses, and add what is ambiguous about them to `faults`, with the argument's name."""
    faults.extend(f"{name}: {fault}" for fault in parsed.faults)
    routed = filter(routed_on, parsed.addresses)
    faults.extend(f"{name}: {address[:80]!r} may be passed on to another domain" for address in routed)
    return parsed.addresses
