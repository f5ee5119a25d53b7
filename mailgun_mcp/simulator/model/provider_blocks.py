"""Mailbox providers that refuse the mail of one domain, or of one IP for every domain."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProviderBlock:
    """An incident in which mailbox providers refuse the mail of a domain or an IP."""

    hosts: list[str]
    """The recipient domains of the providers."""
    code: int
    text: str
    sending_ip: str = ""
    """Only mail from this IP is refused; empty means any IP."""
    unsigned: bool = False
    """Whether mail is refused only while the DNS lacks the DKIM record."""
    temporary: bool = False
    """Whether the mail is deferred instead of permanently refused."""
