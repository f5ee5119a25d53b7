"""The DKIM keys of a domain, and the DNS records that they need."""

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.mail.der import public_key
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.signing import DomainKey

SELECTOR = "pic"
BITS = 1024
AUTOMATIC = ("pdk1", "pdk2")


def keys_of(domain: Domain) -> dict[str, DomainKey]:
    """Return the domain's keys by selector. The first key is created on the first read."""
    keys = domain.administration.signing.keys
    if not keys:
        add_first_key(domain, SELECTOR, BITS)
    return keys


def add_first_key(domain: Domain, selector: str, bits: int) -> None:
    """Give a new domain its first key."""
    verified = domain.state == "active"
    key = DomainKey(selector, _public(domain, selector, bits), domain.created_at, active=True, verified=verified)
    domain.administration.signing.keys[selector] = key


def new_key(account: Account, domain: Domain, selector: str, bits: int) -> DomainKey:
    """Return a new key that is neither active nor verified."""
    return DomainKey(selector, _public(domain, f"{selector} {account.next_serial()}", bits), account.clock.now())


def verify_keys(domain: Domain) -> None:
    """Set for each of the domain's keys whether the DNS has its record."""
    for key in keys_of(domain).values():
        key.verified = "dkim" not in domain.absent_records


def authority(account: Account, domain: Domain) -> Domain:
    """Return the domain whose keys sign for `domain`: itself, or its DKIM authority."""
    return account.domains.get(domain.administration.signing.authority or "", domain)


def key_record(domain: Domain, key: DomainKey) -> Record:
    """Return the DNS record of a key."""
    value = f"k=rsa; p={key.public}"
    return {
        "record_type": "TXT",
        "name": f"{key.selector}._domainkey.{domain.name}",
        "value": value,
        "valid": "valid" if key.verified else "unknown",
        "is_active": key.active,
        "cached": [value] if key.verified else [],
    }


def is_automatic(domain: Domain) -> bool:
    """Return whether Mailgun manages the domain's keys behind CNAMEs."""
    return bool(domain.settings.get("use_automatic_sender_security")) or domain.administration.signing.rotation.enabled


def automatic_record(domain: Domain, selector: str, active: bool) -> Record:
    """Return the CNAME record of one of the two keys that Mailgun manages."""
    value = automatic_value(domain, selector)
    verified = domain.state == "active" and "dkim" not in domain.absent_records
    return {
        "record_type": "CNAME",
        "name": f"{selector}._domainkey.{domain.name}",
        "value": value,
        "valid": "valid" if verified else "unknown",
        "is_active": active,
        "cached": [value] if verified else [],
    }


def automatic_value(domain: Domain, selector: str) -> str:
    """Return the target of the CNAME of a key that Mailgun manages."""
    return f"{selector}._domainkey.{domain.id[:7]}.service.mailgun.com"


def signing_records(domain: Domain) -> list[Record]:
    """Return the DNS records that the domain needs for its mail to be signed."""
    if is_automatic(domain):
        return [automatic_record(domain, selector, active=domain.state == "active") for selector in AUTOMATIC]
    return [key_record(domain, key) for key in keys_of(domain).values() if key.active]


def _public(domain: Domain, purpose: str, bits: int) -> str:
    return public_key(f"{domain.name} {purpose}", bits)
