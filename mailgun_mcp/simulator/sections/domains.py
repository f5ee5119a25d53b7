"""Domains. They are created unverified, and become active when they are verified."""

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.http.tracking_hosts import tracking_host
from mailgun_mcp.simulator.mail.dkim import BITS, SELECTOR, add_first_key, signing_records, verify_keys
from mailgun_mcp.simulator.mail.sending_ips import SHARED, assign_source, assignable_ips, ips_of, parse_source
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.replies.paging import skip_page
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

DEFAULTS: Record = {
    "spam_action": "disabled",
    "wildcard": False,
    "require_tls": False,
    "skip_verification": False,
    "use_automatic_sender_security": False,
    "encrypt_incoming_message": False,
    "web_prefix": "email",
    "web_scheme": "http",
    "tracking_host": "mailgun.org",
}
NEEDED = frozenset({"spf", "dkim"})
"""The DNS records that a domain needs to be verified."""
SETTINGS = frozenset({*DEFAULTS, "message_ttl", "archive_to", "mailfrom_host"})


@handles("list_domains", fidelity="stateful", note="filters, sorting and skip/limit over the account's domains")
def list_domains(account: Account, request: SimulatedRequest) -> Reply:
    domains = [domain for domain in account.domains.values() if _listed(domain, request)]
    domains.sort(key=lambda domain: (-domain.created_at, domain.name))
    if request.get("sort"):
        domains.sort(key=lambda domain: domain.name, reverse=request["sort"] == "name:desc")
    page = skip_page(domains, request.get("skip"), request.get("limit"))
    return Reply({"total_count": len(domains), "items": [domain_to_json(domain) for domain in page]})


@handles(
    "create_domain", fidelity="stateful", note="created unverified, with a DKIM key, DNS records, and IPs or a pool"
)
def create_domain(account: Account, request: SimulatedRequest) -> Reply:
    name = request["domain"].lower().removesuffix(".")
    _check_password(request.get("smtp_password"))
    if name in account.domains:
        raise ApiError(409, f"Domain {name} already exists")
    domain = Domain(account.hex_id(), name, account.clock.now(), settings=_settings(request))
    domain.administration.postmaster_password = request.get("smtp_password") or ""
    _equip(account, domain, request)
    account.domains[name] = domain
    return success("Domain DNS records have been created", **with_dns(domain))


@handles("get_domain", fidelity="stateful", note="with DNS records, valid once verified")
def get_domain(request: SimulatedRequest) -> Reply:
    answer = with_dns(request.domain) if request.get("with_dns") else {"domain": domain_to_json(request.domain)}
    if request.get("extended"):
        name = request.domain.name
        hosts = {"dkim_host": signing_records(request.domain)[0]["name"], "mailfrom_host": name}
        answer["domain"] = {**hosts, **answer["domain"]}
    return Reply(answer)


@handles("update_domain", fidelity="stateful", note="settings are stored; spam action and TLS options have no effect")
def update_domain(request: SimulatedRequest) -> Reply:
    _check_password(request.get("smtp_password"))
    request.domain.settings.update(_settings(request))
    if request.get("smtp_password"):
        request.domain.administration.postmaster_password = request["smtp_password"]
    return success("Domain has been updated", **with_dns(request.domain))


@handles(
    "verify_domain",
    fidelity="stateful",
    note="checks the simulated DNS, where `simulator dns` removes records",
)
def verify_domain(account: Account, request: SimulatedRequest) -> Reply:
    if request.domain.state in ("unverified", "active") and request.domain.type != "sandbox":
        # A verified domain stays verified: a lost record is shown, but does not stop its mail.
        if not NEEDED & request.domain.absent_records:
            request.domain.state = "active"
        request.domain.dns_checked_at = account.clock.now()
        verify_keys(request.domain)
    return success("Domain DNS records have been updated", **with_dns(request.domain))


@handles("delete_domain", fidelity="stateful", note="deleted at once, with its mail")
def delete_domain(account: Account, request: SimulatedRequest) -> Reply:
    if request.domain.type == "sandbox":
        raise ApiError(400, "Sandbox domains cannot be deleted")
    if request.domain.state == "disabled":
        raise ApiError(400, "Disabled domains cannot be deleted")
    del account.domains[request.domain.name]
    return success("Domain will be deleted in the background")


def domain_to_json(domain: Domain) -> Record:
    """Return the domain in the form that lists use."""
    return {
        "id": domain.id,
        "name": domain.name,
        "state": domain.state,
        "type": domain.type,
        "created_at": mail_date(domain.created_at, "GMT"),
        "is_disabled": domain.state == "disabled",
        "smtp_login": f"postmaster@{domain.name}",
        **DEFAULTS,
        **domain.settings,
    }


def with_dns(domain: Domain) -> Record:
    """Return the domain with its DNS records. They are valid once the domain has been verified."""
    active = domain.state == "active" or domain.dns_checked_at is not None
    return {
        "domain": domain_to_json(domain),
        "receiving_dns_records": [
            _mx(host, active and "mx" not in domain.absent_records) for host in ("mxa.mailgun.org", "mxb.mailgun.org")
        ],
        "sending_dns_records": _sending(domain, active),
    }


def _listed(domain: Domain, request: SimulatedRequest) -> bool:
    state, search, authority = request.get("state"), request.get("search", "").lower(), request.get("authority")
    if state:
        return domain.state == state and search in domain.name
    return search in domain.name and (not authority or domain.name == authority.lower())


def _settings(request: SimulatedRequest) -> Record:
    return {name: value for name, value in request.arguments.items() if name in SETTINGS}


def _check_password(password: str | None) -> None:
    if password is not None and len(password) < 5:
        raise ApiError(400, "Password is too short. It must be between 5 and 32 characters.")
    if password is not None and len(password) > 32:
        raise ApiError(400, "Password is too long. It must be between 5 and 32 characters.")


def _equip(account: Account, domain: Domain, request: SimulatedRequest) -> None:
    """Set up a new domain's first DKIM key, and the IPs or the pool that it sends from."""
    fallback = assignable_ips(ips_of(account)) or [SHARED]
    chosen = parse_source(
        account, None if request.get("pool_id") else request.get("ips") or fallback, request.get("pool_id")
    )
    if chosen:
        assign_source(domain, chosen)
    add_first_key(domain, request.get("dkim_selector", SELECTOR), int(request.get("dkim_key_size", BITS)))


def _sending(domain: Domain, active: bool) -> list[Record]:
    return [
        _dns("TXT", domain.name, "v=spf1 include:mailgun.org ~all", active and "spf" not in domain.absent_records),
        *signing_records(domain),
        _dns("CNAME", tracking_host(domain), "mailgun.org", active and "tracking" not in domain.absent_records),
    ]


def _dns(kind: str, name: str, value: str, active: bool) -> Record:
    return {
        "record_type": kind,
        "name": name,
        "value": value,
        "valid": "valid" if active else "unknown",
        "is_active": active,
        "cached": [value] if active else [],
    }


def _mx(host: str, active: bool) -> Record:
    cached = [f"10 {host}"] if active else []
    valid = "valid" if active else "unknown"
    return {"record_type": "MX", "value": host, "priority": "10", "valid": valid, "is_active": active, "cached": cached}
