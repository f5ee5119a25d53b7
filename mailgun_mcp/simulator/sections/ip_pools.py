"""Dedicated IP pools: made of IPs that no other pool has, linked to domains, lent to subaccounts."""

from typing import Any

from mailgun_mcp.simulator.mail.addressing import (
    Source,
    assign,
    found_pool,
    free,
    ips_of,
    linked,
    sharers,
    source,
    spread,
    take_back,
)
from mailgun_mcp.simulator.model.account import Account, Domain
from mailgun_mcp.simulator.model.ips import SHARED_IP, Pool
from mailgun_mcp.simulator.replies.call import Call, Handler
from mailgun_mcp.simulator.replies.reply import Refusal, Reply, said
from mailgun_mcp.simulator.replies.token_paging import key_page

INHERITED = "IP pool {} is inherited from the parent account and cannot be modified"


def list_ip_pools(account: Account, _: Call) -> Reply:
    return said("success", ip_pools=[_shown(account, pool) for pool in ips_of(account).pools.values()])


def create_ip_pool(account: Account, call: Call) -> Reply:
    addresses = [free(account, address) for address in dict.fromkeys(call.get("ip", []))]
    pool = Pool(account.hex_id(), call["name"], call["description"], addresses)
    ips_of(account).pools[pool.id] = pool
    return said("success", pool_id=pool.id)


def get_ip_pool(account: Account, call: Call) -> Reply:
    pool = found_pool(account, call["pool_id"])
    return said("success", details=_shown(account, pool))


def delete_ip_pool(account: Account, call: Call) -> Reply:
    pool = _own(account, call)
    given = [call["replacement_ip"]] if "replacement_ip" in call.arguments else None
    chosen = source(account, given, call.get("replacement_pool_id"))
    if chosen is None and pool.ips:
        raise Refusal(400, "Either replacement 'ip' or 'pool_id' must be specified for an IP pool that contains IPs")
    if chosen and chosen.pool_id == pool.id:
        raise Refusal(400, "An IP pool cannot replace itself")
    for domain in linked(account, pool.id):
        assign(domain, chosen or Source([SHARED_IP]))
    for child in sharers(account, pool):
        take_back(child, pool.id)
    del ips_of(account).pools[pool.id]
    return _started(account)


def update_ip_pool(account: Account, call: Call) -> Reply:
    pool = _own(account, call)
    before = _state(account, pool)
    gone, new = call.get("remove_ip", []), call.get("add_ip", [])
    for address in gone:
        _check_holds(pool, address)
    kept = [address for address in pool.ips if address not in gone]
    new = [free(account, address) for address in dict.fromkeys(new) if address not in kept]
    joining, leaving = _domains(account, call, "link_domain"), _domains(account, call, "unlink_domain")
    pool.name, pool.description = call.get("name", pool.name), call.get("description", pool.description)
    pool.ips = [*kept, *new]
    _link(pool, joining, leaving)
    spread(account, pool)
    if _state(account, pool) == before:
        raise Refusal(400, "No changes were requested")
    return _started(account)


def list_ip_pool_domains(account: Account, call: Call) -> Reply:
    pool = found_pool(account, call["pool_id"])
    names = {domain.name: {"id": domain.id, "name": domain.name} for domain in linked(account, pool.id)}
    page = key_page(names, call.url, call.get("page"), call.get("limit"))
    return Reply({"domains": page.items, "paging": {name: page.paging[name] for name in ("first", "next")}})


def add_ip_to_pool(account: Account, call: Call) -> Reply:
    return _add(account, call, [call["ip"]])


def add_ips_to_pool(account: Account, call: Call) -> Reply:
    return _add(account, call, list(dict.fromkeys(call["ips"])))


def remove_ip_from_pool(account: Account, call: Call) -> Reply:
    pool = _own(account, call)
    _check_holds(pool, call["ip"])
    pool.ips.remove(call["ip"])
    spread(account, pool)
    return said("started")


def _add(account: Account, call: Call, addresses: list[str]) -> Reply:
    pool = _own(account, call)
    pool.ips += [free(account, address) for address in addresses]
    spread(account, pool)
    return said("started")


def _own(account: Account, call: Call) -> Pool:
    pool = found_pool(account, call["pool_id"])
    if pool.inherited:
        raise Refusal(403, INHERITED.format(pool.id))
    return pool


def _check_holds(pool: Pool, address: str) -> None:
    if address not in pool.ips:
        raise Refusal(400, f"IP {address} does not belong to the IP pool")


def _domains(account: Account, call: Call, name: str) -> list[Domain]:
    """Return the domains that an argument names, by name or id."""
    known = {key: domain for domain in account.domains.values() for key in (domain.name, domain.id)}
    wanted = [text.lower() for text in call.get(name, [])]
    missing = next((text for text in wanted if text not in known), None)
    if missing is not None:
        raise Refusal(404, f"Domain not found: {missing}")
    return [known[text] for text in wanted]


def _link(pool: Pool, joining: list[Domain], leaving: list[Domain]) -> None:
    for domain in joining:
        assign(domain, Source(pool.ips, pool.id))
    for domain in leaving:
        if domain.administration.sending.pool_id == pool.id:
            assign(domain, Source([SHARED_IP]))


def _state(account: Account, pool: Pool) -> tuple[Any, ...]:
    return pool.name, pool.description, sorted(pool.ips), [domain.name for domain in linked(account, pool.id)]


def _shown(account: Account, pool: Pool) -> dict[str, Any]:
    domains = [domain.name for domain in linked(account, pool.id)]
    return {
        "pool_id": pool.id,
        "name": pool.name,
        "description": pool.description,
        "ips": list(pool.ips),
        "is_linked": bool(domains),
        "is_inherited": pool.inherited,
        "linked_domains": domains,
    }


def _started(account: Account) -> Reply:
    return said("started", reference_id=account.hex_id())


HANDLERS: dict[str, Handler] = {
    "list_ip_pools": list_ip_pools,
    "create_ip_pool": create_ip_pool,
    "get_ip_pool": get_ip_pool,
    "delete_ip_pool": delete_ip_pool,
    "update_ip_pool": update_ip_pool,
    "list_ip_pool_domains": list_ip_pool_domains,
    "add_ip_to_pool": add_ip_to_pool,
    "remove_ip_from_pool": remove_ip_from_pool,
    "add_ips_to_pool": add_ips_to_pool,
}
