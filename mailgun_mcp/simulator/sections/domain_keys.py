"""DKIM keys: made or imported, active once their record is in the DNS; one of a domain always is."""

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
from mailgun_mcp.simulator.model.account import Account, Domain
from mailgun_mcp.simulator.model.signing import DomainKey
from mailgun_mcp.simulator.replies.call import Call, Handler
from mailgun_mcp.simulator.replies.reply import Refusal, Reply, said
from mailgun_mcp.simulator.replies.token_paging import key_page

MAX_KEYS = 5
SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
MISSING = "domain key not found"


def list_account_domain_keys(account: Account, call: Call) -> Reply:
    filters: dict[str, str] = {name: call[name] for name in ("signing_domain", "selector") if name in call.arguments}
    found = {
        f"{domain.name} {item['selector']}": item
        for domain in account.domains.values()
        if filters.get("signing_domain", domain.name).lower() == domain.name
        for item in _items(account, domain)
        if filters.get("selector", item["selector"]) == item["selector"]
    }
    page = key_page(found, call.url, call.get("page"), call.get("limit"), filters)
    return Reply({"items": page.items, "paging": page.paging})


def list_domain_keys(account: Account, call: Call) -> Reply:
    return Reply({"items": _items(account, authority(account, call.domain))})


def create_domain_key(account: Account, call: Call) -> Reply:
    domain = _signing_domain(account, call)
    keys = keys_of(domain)
    _check_selector(call["selector"])
    if call["selector"] in keys or (is_automatic(domain) and call["selector"] in AUTOMATIC):
        raise Refusal(400, "failed to create domain key: duplicate key")
    if len(keys) >= MAX_KEYS:
        raise Refusal(400, f"failed to create domain key: a domain can have at most {MAX_KEYS} keys")
    key = new_key(account, domain, call["selector"], int(call.get("bits", BITS)))
    if "pem" in call.arguments:
        key.public = _imported(call["pem"])
    keys[key.selector] = key
    return Reply(_item(domain, key.selector, key_record(domain, key)))


def delete_domain_key(account: Account, call: Call) -> Reply:
    domain = account.domains.get(call["signing_domain"].lower())
    key = keys_of(domain).get(call["selector"]) if domain else None
    if domain is None or key is None:
        raise Refusal(404, MISSING)
    _check_other_active(domain, key, "delete")
    del keys_of(domain)[key.selector]
    return said("success")


def activate_domain_key(_: Account, call: Call) -> Reply:
    key = _found(call)
    if not key.verified:
        raise Refusal(400, "cannot activate domain key: dns record is not valid")
    key.active = True
    return _switched(call, key)


def deactivate_domain_key(_: Account, call: Call) -> Reply:
    key = _found(call)
    _check_other_active(call.domain, key, "deactivate")
    key.active = False
    return _switched(call, key)


def update_dkim_authority(account: Account, call: Call) -> Reply:
    signing = call.domain.administration.signing
    wanted = None if call["self"] else _root(account, call.domain)
    changed, signing.authority = signing.authority != wanted, wanted
    records = signing_records(authority(account, call.domain))
    text = "Domain DKIM authority has been changed" if changed else "Domain DKIM authority is unchanged"
    return said(text, changed=changed, sending_dns_records=records)


def update_dkim_selector(_: Account, call: Call) -> Reply:
    keys, selector = keys_of(call.domain), call["dkim_selector"]
    _check_selector(selector)
    if selector in keys:
        raise Refusal(400, f"DKIM selector {selector} is already in use")
    key = next(key for key in keys.values() if key.active)
    del keys[key.selector]
    keys[selector] = DomainKey(selector, key.public, key.created_at, active=True)
    return said("DKIM selector changed")


def _signing_domain(account: Account, call: Call) -> Domain:
    domain = account.domains.get(call["signing_domain"].lower())
    if domain is None:
        raise Refusal(404, f"Domain not found: {call['signing_domain']}")
    return domain


def _found(call: Call) -> DomainKey:
    key = keys_of(call.domain).get(call["selector"])
    if key is None:
        raise Refusal(404, MISSING)
    return key


def _check_selector(selector: str) -> None:
    if not SELECTOR.fullmatch(selector):
        raise Refusal(400, f"Invalid value '{selector}' for parameter 'selector'")


def _check_other_active(domain: Domain, key: DomainKey, verb: str) -> None:
    if key.active and not any(other.active for other in keys_of(domain).values() if other is not key):
        raise Refusal(400, f"cannot {verb} domain key: must have at least one active domain key")


def _imported(pem: File) -> str:
    try:
        return public_key_of(pem.data.decode("ascii", "replace"))
    except ValueError as error:
        raise Refusal(400, "failed to parse private key: key must be PKCS1 format") from error


def _root(account: Account, domain: Domain) -> str:
    """Return the nearest domain above that the account has."""
    labels = domain.name.split(".")
    for start in range(1, len(labels) - 1):
        above = account.domains.get(".".join(labels[start:]))
        if above is not None:
            return authority(account, above).name
    raise Refusal(400, f"Domain {domain.name} has no root domain in this account")


def _items(account: Account, domain: Domain) -> list[dict[str, Any]]:
    items = [_item(domain, key.selector, key_record(domain, key)) for key in keys_of(domain).values()]
    if is_automatic(domain):
        active = domain.administration.signing.rotation.active_selector(account.clock.now())
        items += [_item(domain, name, automatic_record(domain, name, name == active)) for name in AUTOMATIC]
    return items


def _item(domain: Domain, selector: str, record: dict[str, Any]) -> dict[str, Any]:
    return {"signing_domain": domain.name, "selector": selector, "dns_record": record}


def _switched(call: Call, key: DomainKey) -> Reply:
    text = "domain key activated" if key.active else "domain key deactivated"
    return said(text, authority=call.domain.name, selector=key.selector, active=key.active)


HANDLERS: dict[str, Handler] = {
    "list_account_domain_keys": list_account_domain_keys,
    "create_domain_key": create_domain_key,
    "delete_domain_key": delete_domain_key,
    "activate_domain_key": activate_domain_key,
    "list_domain_keys": list_domain_keys,
    "deactivate_domain_key": deactivate_domain_key,
    "update_dkim_authority": update_dkim_authority,
    "update_dkim_selector": update_dkim_selector,
}
