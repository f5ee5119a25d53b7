"""Providers that refuse mail: of one domain, or of one IP whatever the domain."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProviderBlock:
    """An incident: mailbox providers that refuse mail of a domain or an IP."""

    hosts: list[str]
    """Domains of the recipients."""
    code: int
    text: str
    sending_ip: str = ""
    """Only mail from this IP; empty means any."""
    unsigned: bool = False
    """Only while the DNS lacks the DKIM record."""
    temporary: bool = False
    """Whether the mail is deferred, and not refused for good."""
