"""DKIM keys. They are generated or imported, and become active once their record is in the DNS.

A domain always has an active key."""

import re
from typing import Any

from mailgun_mcp.simulator.http.body import File
from mailgun_mcp.simulator.mail.der import public_key_of
from mailgun_mcp.simulator.mail.dkim import (
    AUTOMATIC,
    BITS,
    authority,
    automatic_record,
    is_automatic,
    key_record,
    keys_of,
    new_key,
    signing_records,
)
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.signing import DomainKey
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.replies.token_paging import key_page
from mailgun_mcp.simulator.sections.registry import handles

MAX_KEYS = 5
SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
MISSING = "domain key not found"


@handles("list_account_domain_keys", fidelity="stateful", note="by domain and selector, paged")
def list_account_domain_keys(account: Account, request: SimulatedRequest) -> Reply:
    filters: dict[str, str] = {
        wire: request[name]
        for name, wire in {"domain": "signing_domain", "selector": "selector"}.items()
        if name in request.arguments
    }
    keys = {
        f"{domain.name} {item['selector']}": item
        for domain in account.domains.values()
        if filters.get("signing_domain", domain.name).lower() == domain.name
        for item in _items(account, domain)
        if filters.get("selector", item["selector"]) == item["selector"]
    }
    page = key_page(keys, request.url, request.get("page"), request.get("limit"), filters)
    return Reply({"items": page.items, "paging": page.paging})


@handles("list_domain_keys", fidelity="stateful", note="all keys of a domain")
def list_domain_keys(account: Account, request: SimulatedRequest) -> Reply:
    return Reply({"items": _items(account, authority(account, request.domain))})


@handles("create_domain_key", fidelity="stateful", note="creates a deterministic key, or uses the one in the request")
def create_domain_key(account: Account, request: SimulatedRequest) -> Reply:
    domain = _signing_domain(account, request)
    keys = keys_of(domain)
    _check_selector(request["selector"])
    if request["selector"] in keys or (is_automatic(domain) and request["selector"] in AUTOMATIC):
        raise ApiError(400, "failed to create domain key: duplicate key")
    if len(keys) >= MAX_KEYS:
        raise ApiError(400, f"failed to create domain key: a domain can have at most {MAX_KEYS} keys")
    key = new_key(account, domain, request["selector"], int(request.get("bits", BITS)))
    if "pem" in request.arguments:
        key.public = _imported(request["pem"])
    keys[key.selector] = key
    return Reply(_item(domain, key.selector, key_record(domain, key)))


@handles("delete_domain_key", fidelity="stateful", note="refuses the active key")
def delete_domain_key(account: Account, request: SimulatedRequest) -> Reply:
    domain = account.domains.get(request["domain"].lower())
    key = keys_of(domain).get(request["selector"]) if domain else None
    if domain is None or key is None:
        raise ApiError(404, MISSING)
    _check_other_active(domain, key, "delete")
    del keys_of(domain)[key.selector]
    return success("success")


@handles(
    "activate_domain_key",
    fidelity="stateful",
    note="needs valid DNS records; they are valid once the domain is verified",
)
def activate_domain_key(request: SimulatedRequest) -> Reply:
    key = _get_key(request)
    if not key.verified:
        raise ApiError(400, "cannot activate domain key: dns record is not valid")
    key.active = True
    return _switched(request, key)


@handles("deactivate_domain_key", fidelity="stateful", note="refused unless another key is active")
def deactivate_domain_key(request: SimulatedRequest) -> Reply:
    key = _get_key(request)
    _check_other_active(request.domain, key, "deactivate")
    key.active = False
    return _switched(request, key)


@handles("update_dkim_authority", fidelity="stateful", note="the domain itself or its parent")
def update_dkim_authority(account: Account, request: SimulatedRequest) -> Reply:
    signing = request.domain.administration.signing
    new_authority = None if request["self"] else _root(account, request.domain)
    changed, signing.authority = signing.authority != new_authority, new_authority
    records = signing_records(authority(account, request.domain))
    text = "Domain DKIM authority has been changed" if changed else "Domain DKIM authority is unchanged"
    return success(text, changed=changed, sending_dns_records=records)


@handles("update_dkim_selector", fidelity="stateful", note="renames the key's record")
def update_dkim_selector(request: SimulatedRequest) -> Reply:
    keys, selector = keys_of(request.domain), request["dkim_selector"]
    _check_selector(selector)
    if selector in keys:
        raise ApiError(400, f"DKIM selector {selector} is already in use")
    key = next(key for key in keys.values() if key.active)
    del keys[key.selector]
    keys[selector] = DomainKey(selector, key.public, key.created_at, active=True)
    return success("DKIM selector changed")


def _signing_domain(account: Account, request: SimulatedRequest) -> Domain:
    domain = account.domains.get(request["domain"].lower())
    if domain is None:
        raise ApiError(404, f"Domain not found: {request['domain']}")
    return domain


def _get_key(request: SimulatedRequest) -> DomainKey:
    key = keys_of(request.domain).get(request["selector"])
    if key is None:
        raise ApiError(404, MISSING)
    return key


def _check_selector(selector: str) -> None:
    if not SELECTOR.fullmatch(selector):
        raise ApiError(400, f"Invalid value '{selector}' for parameter 'selector'")


def _check_other_active(domain: Domain, key: DomainKey, verb: str) -> None:
    if key.active and not any(other.active for other in keys_of(domain).values() if other is not key):
        raise ApiError(400, f"cannot {verb} domain key: must have at least one active domain key")


def _imported(pem: File) -> str:
    try:
        return public_key_of(pem.data.decode("ascii", "replace"))
    except ValueError as error:
        raise ApiError(400, "failed to parse private key: key must be PKCS1 format") from error


def _root(account: Account, domain: Domain) -> str:
    """Return the name of the closest parent domain in the account."""
    labels = domain.name.split(".")
    for start in range(1, len(labels) - 1):
        above = account.domains.get(".".join(labels[start:]))
        if above is not None:
            return authority(account, above).name
    raise ApiError(400, f"Domain {domain.name} has no root domain in this account")


def _items(account: Account, domain: Domain) -> list[dict[str, Any]]:
    items = [_item(domain, key.selector, key_record(domain, key)) for key in keys_of(domain).values()]
    if is_automatic(domain):
        active = domain.administration.signing.rotation.active_selector(account.clock.now())
        items += [_item(domain, name, automatic_record(domain, name, name == active)) for name in AUTOMATIC]
    return items


def _item(domain: Domain, selector: str, record: dict[str, Any]) -> dict[str, Any]:
    return {"signing_domain": domain.name, "selector": selector, "dns_record": record}


def _switched(request: SimulatedRequest, key: DomainKey) -> Reply:
    text = "domain key activated" if key.active else "domain key deactivated"
    return success(text, authority=request.domain.name, selector=key.selector, active=key.active)
