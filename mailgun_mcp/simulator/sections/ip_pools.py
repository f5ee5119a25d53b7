"""Dedicated IP pools. Their IPs are in no other pool. Pools are linked to domains and delegated to subaccounts."""

from typing import Any

from mailgun_mcp.simulator.mail.sending_ips import (
    SendingSource,
    assign_source,
    delegated_accounts,
    get_free_ip,
    get_pool,
    ips_of,
    linked_domains,
    parse_source,
    revoke_pool,
    update_pool_users,
)
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import SHARED_IP, Pool
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.replies.token_paging import key_page
from mailgun_mcp.simulator.sections.registry import handles

INHERITED = "IP pool {} is inherited from the parent account and cannot be modified"


@handles("list_ip_pools", fidelity="stateful", note="with their linked domains")
def list_ip_pools(account: Account) -> Reply:
    return success("success", ip_pools=[_to_json(account, pool) for pool in ips_of(account).pools.values()])


@handles("create_ip_pool", fidelity="stateful", note="only IPs that are in no other pool")
def create_ip_pool(account: Account, request: SimulatedRequest) -> Reply:
    addresses = [get_free_ip(account, address) for address in dict.fromkeys(request.get("ip", []))]
    pool = Pool(account.hex_id(), request["name"], request["description"], addresses)
    ips_of(account).pools[pool.id] = pool
    return success("success", pool_id=pool.id)


@handles("get_ip_pool", fidelity="stateful", note="by id")
def get_ip_pool(account: Account, request: SimulatedRequest) -> Reply:
    pool = get_pool(account, request["pool_id"])
    return success("success", details=_to_json(account, pool))


@handles("delete_ip_pool", fidelity="stateful", note="its domains move to the replacement")
def delete_ip_pool(account: Account, request: SimulatedRequest) -> Reply:
    pool = _own(account, request)
    given = [request["replacement_ip"]] if "replacement_ip" in request.arguments else None
    chosen = parse_source(account, given, request.get("replacement_pool_id"))
    if chosen is None and pool.ips:
        raise ApiError(400, "Either replacement 'ip' or 'pool_id' must be specified for an IP pool that contains IPs")
    if chosen and chosen.pool_id == pool.id:
        raise ApiError(400, "An IP pool cannot replace itself")
    for domain in linked_domains(account, pool.id):
        assign_source(domain, chosen or SendingSource([SHARED_IP]))
    for child in delegated_accounts(account, pool):
        revoke_pool(child, pool.id)
    del ips_of(account).pools[pool.id]
    return _started(account)


@handles("update_ip_pool", fidelity="stateful", note="name, IPs, linked domains")
def update_ip_pool(account: Account, request: SimulatedRequest) -> Reply:
    pool = _own(account, request)
    before = _state(account, pool)
    gone, new = request.get("remove_ip", []), request.get("add_ip", [])
    for address in gone:
        _check_holds(pool, address)
    remaining = [address for address in pool.ips if address not in gone]
    new = [get_free_ip(account, address) for address in dict.fromkeys(new) if address not in remaining]
    joining, leaving = _domains(account, request, "link_domain"), _domains(account, request, "unlink_domain")
    pool.name, pool.description = request.get("name", pool.name), request.get("description", pool.description)
    pool.ips = [*remaining, *new]
    _link(pool, joining, leaving)
    update_pool_users(account, pool)
    if _state(account, pool) == before:
        raise ApiError(400, "No changes were requested")
    return _started(account)


@handles("list_ip_pool_domains", fidelity="stateful", note="the linked domains, paged")
def list_ip_pool_domains(account: Account, request: SimulatedRequest) -> Reply:
    pool = get_pool(account, request["pool_id"])
    names = {domain.name: {"id": domain.id, "name": domain.name} for domain in linked_domains(account, pool.id)}
    page = key_page(names, request.url, request.get("page"), request.get("limit"))
    return Reply({"domains": page.items, "paging": {name: page.paging[name] for name in ("first", "next")}})


@handles("add_ip_to_pool", fidelity="stateful", note="linked domains send from it")
def add_ip_to_pool(account: Account, request: SimulatedRequest) -> Reply:
    return _add(account, request, [request["ip"]])


@handles("add_ips_to_pool", fidelity="stateful", note="several at once")
def add_ips_to_pool(account: Account, request: SimulatedRequest) -> Reply:
    return _add(account, request, list(dict.fromkeys(request["ips"])))


@handles("remove_ip_from_pool", fidelity="stateful", note="linked domains no longer send from it")
def remove_ip_from_pool(account: Account, request: SimulatedRequest) -> Reply:
    pool = _own(account, request)
    _check_holds(pool, request["ip"])
    pool.ips.remove(request["ip"])
    update_pool_users(account, pool)
    return success("started")


def _add(account: Account, request: SimulatedRequest, addresses: list[str]) -> Reply:
    pool = _own(account, request)
    pool.ips += [get_free_ip(account, address) for address in addresses]
    update_pool_users(account, pool)
    return success("started")


def _own(account: Account, request: SimulatedRequest) -> Pool:
    pool = get_pool(account, request["pool_id"])
    if pool.inherited:
        raise ApiError(403, INHERITED.format(pool.id))
    return pool


def _check_holds(pool: Pool, address: str) -> None:
    if address not in pool.ips:
        raise ApiError(400, f"IP {address} does not belong to the IP pool")


def _domains(account: Account, request: SimulatedRequest, name: str) -> list[Domain]:
    """Return the domains listed in the argument `name`, by name or id."""
    by_name = {key: domain for domain in account.domains.values() for key in (domain.name, domain.id)}
    texts = [text.lower() for text in request.get(name, [])]
    missing = next((text for text in texts if text not in by_name), None)
    if missing is not None:
        raise ApiError(404, f"Domain not found: {missing}")
    return [by_name[text] for text in texts]


def _link(pool: Pool, joining: list[Domain], leaving: list[Domain]) -> None:
    for domain in joining:
        assign_source(domain, SendingSource(pool.ips, pool.id))
    for domain in leaving:
        if domain.administration.sending.pool_id == pool.id:
            assign_source(domain, SendingSource([SHARED_IP]))


def _state(account: Account, pool: Pool) -> tuple[Any, ...]:
    return pool.name, pool.description, sorted(pool.ips), [domain.name for domain in linked_domains(account, pool.id)]


def _to_json(account: Account, pool: Pool) -> dict[str, Any]:
    domains = [domain.name for domain in linked_domains(account, pool.id)]
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
    return success("started", reference_id=account.hex_id())
