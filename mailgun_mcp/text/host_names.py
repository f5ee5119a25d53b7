"""Host names and IP addresses in the one form in which they are compared. Pure.

A name that readers could take for different hosts has no such form. Neither has a spelling of an IP address that only
some readers recognise.
"""

import re

from mailgun_mcp.text.characters import first_invisible

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that are this machine."""
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names where a server listens
"""Host that means every address of this machine -> the loopback address to connect to."""
DOTS = "\u3002\uff0e\uff61\u2024\ufe52"
"""Characters that some readers take for a dot."""
LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
A_LABEL = "xn--"
NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
"""A last label with which URL readers take the whole name for an IPv4 address: `0xcb007105`, `203.0.28933`."""


def canonical_host(host: str) -> str | None:
    """Return the host name in A-label form, or None if readers could take it for different hosts."""
    if first_invisible(host) or any(dot in host for dot in DOTS):
        return None
    name = host.strip().rstrip(".").lower()
    if not name.isascii() or A_LABEL in name:
        a_labels = _a_labels(name)
        if a_labels is None:
            return None
        name = a_labels
    labels = name.split(".")
    if NUMBER.fullmatch(labels[-1]):
        return canonical_ip(name)
    return name if name and all(map(LABEL.fullmatch, labels)) else None


def canonical_ip(text: str) -> str | None:
    """Return the IP address in its shortest form, and an IPv4-mapped IPv6 address as IPv4; None for any other text."""
    from ipaddress import IPv6Address, ip_address

    try:
        address = ip_address(text.strip().lower().removeprefix("ipv6:"))
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.scope_id is not None:
        return None
    return str(address.ipv4_mapped or address)


def canonical_label(label: str) -> str:
    """Return a label of a glob as it is compared. If it has a wildcard, it is only put in lower case."""
    if label.isascii():
        return label.lower()
    return _idna_2008(label) or _idna_2003(label) or label.lower()


def _a_labels(name: str) -> str | None:
    """Return the A-labels of a name if both versions of IDNA agree on them. Only the older has symbols and emoji."""
    if name.isascii():
        return name if all(map(_is_read_back, name.split("."))) else None
    older, newer = _idna_2003(name), _idna_2008(name)
    return older if newer in (older, None) else None


def _is_read_back(label: str) -> bool:
    """Return whether a label is plain, or an A-label that stays the same when it is decoded and encoded again."""
    if not label.startswith(A_LABEL):
        return True
    import idna

    try:
        return bool(idna.decode(label))
    except UnicodeError:
        pass
    try:
        return bool(label.encode().decode("idna"))
    except UnicodeError:
        return False


def _idna_2003(name: str) -> str | None:
    try:
        return name.encode("idna").decode().lower()
    except UnicodeError:
        return None


def _idna_2008(name: str) -> str | None:
    import idna

    try:
        return idna.encode(name, uts46=True).decode().lower()
    except UnicodeError:
        return None
