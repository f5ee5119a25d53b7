"""The texts in an argument, and the addresses in them, in the form in which rules compare them. Pure."""

from collections.abc import Iterator
from typing import Any
from unicodedata import normalize

from mailgun_mcp.text.addresses import ParsedAddresses, find_addresses, routed_on


def texts(value: Any) -> Iterator[str]:
    """Yield the texts of an argument: the value itself, or the items of lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts(item)


def folded(text: str) -> str:
    """Return `text` as it is compared. To a mail server, full-width letters and the like equal the plain ones."""
    return (text if text.isascii() else normalize("NFKC", text)).strip().lower().rstrip(".")


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
