"""Dynamic IP pools. Domains move between three pools according to their bounce and complaint rates."""

import re
from collections.abc import Iterator
from typing import Any

from mailgun_mcp.simulator.analytics.rates import bounce_rate, complaint_rate, count_outcomes, counted_events
from mailgun_mcp.simulator.mail.sending_ips import assign_source, get_dedicated_ip, ips_of, parse_source
from mailgun_mcp.simulator.model.account import NOT_CLOSED, Account
from mailgun_mcp.simulator.model.clock import DAY, iso_date, parse_mail_date
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import GOOD, NEW, POOR, Ips, PoolMove
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.replies.token_paging import asked, place_page
from mailgun_mcp.simulator.sections.registry import handles

FIELDS = {"good_reputation": GOOD, "poor_reputation": POOR, "new_senders": NEW}
MEASURED = 30 * DAY
"""The period that a health check covers, in seconds."""
POOR_BOUNCES, POOR_COMPLAINTS, NEW_BELOW = 0.05, 0.001, 1_000
PAGE = 100
SYSTEM, USER = "system", "user"


@handles("list_dynamic_pools", fidelity="stateful", note="the three pools and their IPs")
def list_dynamic_pools(account: Account) -> Reply:
    return Reply(_pools(account))


@handles("replace_dynamic_pools", fidelity="stateful", note="all three at once")
def replace_dynamic_pools(account: Account, request: SimulatedRequest) -> Reply:
    ips_by_pool = {pool: list(dict.fromkeys(request[field])) for field, pool in FIELDS.items()}
    _check_pools(account, ips_by_pool)
    ips_of(account).dynamic = ips_by_pool
    _move_domains(account)
    return Reply(_pools(account))


@handles("delete_all_dynamic_pools", fidelity="stateful", note="domains get other IPs or another pool")
def delete_all_dynamic_pools(account: Account) -> Reply:
    if any(enrolled for _, enrolled in _enrolled(account)):
        raise ApiError(400, "All domains must be removed from dynamic IP pools first")
    ips_of(account).dynamic = {}
    return success("success")


@handles("add_ip_to_dynamic_pool", fidelity="stateful", note="enrolled domains send from it")
def add_ip_to_dynamic_pool(account: Account, request: SimulatedRequest) -> Reply:
    return _change(account, request["pool_name"], [request["ip"]], [])


@handles("update_dynamic_pool", fidelity="stateful", note="its IPs")
def update_dynamic_pool(account: Account, request: SimulatedRequest) -> Reply:
    return _change(account, request["pool_name"], request.get("add_ip", []), request.get("remove_ip", []))


@handles(
    "enroll_domain_in_dynamic_pools",
    fidelity="stateful",
    note="the domain starts in the pool that its rates qualify for",
)
def enroll_domain_in_dynamic_pools(account: Account, request: SimulatedRequest) -> Reply:
    _check_configured(account)
    parse_source(account, [request["replacement_ip"]], None)
    if request.domain.administration.sending.dynamic_pool:
        raise ApiError(400, f"Domain {request.domain.name} is already enrolled in dynamic IP pools")
    _enroll(account, request.domain)
    return success("success")


@handles("enroll_all_domains_in_dynamic_pools", fidelity="stateful", note="done at once")
def enroll_all_domains_in_dynamic_pools(account: Account, request: SimulatedRequest) -> Reply:
    _check_configured(account)
    for holder in request.accounts(account, NOT_CLOSED):
        for domain in holder.domains.values():
            if domain.type == "custom" and not domain.administration.sending.dynamic_pool:
                _enroll(account, domain)
    return success("started")


@handles("remove_domain_from_dynamic_pools", fidelity="stateful", note="it gets other IPs or another pool")
def remove_domain_from_dynamic_pools(account: Account, request: SimulatedRequest) -> Reply:
    sending = request.domain.administration.sending
    if not sending.dynamic_pool:
        raise ApiError(400, f"Domain {request.domain.name} is not enrolled in dynamic IP pools")
    chosen = parse_source(account, request.get("replacement_ip"), request.get("replacement_pool_id"))
    _record(account, request.domain, "", "Removed from dynamic IP pools", USER)
    if chosen:
        assign_source(request.domain, chosen)
    return success("success")


@handles("list_dynamic_pool_eligible_domains", fidelity="computed", note="domains that can be enrolled")
def list_dynamic_pool_eligible_domains(account: Account, request: SimulatedRequest) -> Reply:
    try:
        pattern = re.compile(request.get("domain", ""))
    except re.error as error:
        raise ApiError(400, f"'domain' parameter is not a valid regular expression: {error}") from error
    subaccount_id = request.get("subaccount_id")
    items = [
        {"id": domain.id, "account_id": holder.id, "name": domain.name}
        for holder, domain in _domains(account)
        if not domain.administration.sending.dynamic_pool and pattern.search(domain.name)
        if subaccount_id in (None, holder.id)
    ]
    return Reply({"items": items})


@handles("list_dynamic_pool_domains", fidelity="stateful", note="enrolled domains with their pool")
def list_dynamic_pool_domains(account: Account, request: SimulatedRequest) -> Reply:
    filters = {name: request.get(name) for name in ("account_ids", "pool", "sort_by", "sort_order")}
    query = asked(request.get("page"), request.get("limit", PAGE), filters)
    enrolments = [_enrolment(holder, domain) for holder, domain in _domains(account) if _is_enrolled(domain)]
    matching = [item for item in enrolments if _within(item, query.filters)]
    matching.sort(key=lambda item: item["name"])
    if query.filters["sort_by"] in ("bounce_rate", "complaint_rate"):
        matching.sort(key=lambda item: float(item[query.filters["sort_by"]]))
    if query.filters["sort_order"] == "descending":
        matching.reverse()
    items, paging = place_page(matching, request.url, query)
    return Reply({"items": items, "total_items": len(matching), "paging": paging})


@handles("preview_dynamic_pool_assignment", fidelity="computed", note="the pool that a domain's rates qualify for")
def preview_dynamic_pool_assignment(account: Account, request: SimulatedRequest) -> Reply:
    return Reply(_health(account, request.domain))


@handles("list_dynamic_pool_domain_history", fidelity="stateful", note="the moves of one domain")
def list_dynamic_pool_domain_history(account: Account, request: SimulatedRequest) -> Reply:
    moves = [move for move in ips_of(account).history if move.domain_id == request.domain.id]
    if not moves:
        raise ApiError(404, f"No history found for domain {request.domain.name}")
    return Reply(_move(account, moves[-1]))


@handles("override_dynamic_pool_assignment", fidelity="stateful", note="fixes a domain to a pool")
def override_dynamic_pool_assignment(account: Account, request: SimulatedRequest) -> Reply:
    sending = _enrolled_sending(request)
    if sending.dynamic_pool != request["pool"]:
        _record(account, request.domain, request["pool"], "Override", USER)
    _assign(account, request.domain, request["pool"])
    sending.override = True
    return success("success")


@handles("remove_dynamic_pool_override", fidelity="stateful", note="rates decide again")
def remove_dynamic_pool_override(account: Account, request: SimulatedRequest) -> Reply:
    sending = _enrolled_sending(request)
    if not sending.override:
        raise ApiError(404, f"No override found for domain {request.domain.name}")
    sending.override = False
    pool = _health(account, request.domain)["pool"]
    if sending.dynamic_pool != pool:
        _record(account, request.domain, pool, "Override removed", USER)
    _assign(account, request.domain, pool)
    return success("success")


@handles("list_dynamic_pool_history", fidelity="stateful", note="the moves of all domains")
def list_dynamic_pool_history(account: Account, request: SimulatedRequest) -> Reply:
    names = ("include_subaccounts", "domain", "before", "after", "moved_to", "moved_from")
    query = asked(request.get("page"), request.get("limit", PAGE), {name: request.get(name) for name in names})
    below = {
        domain.id
        for child in account.with_subaccounts(NOT_CLOSED)
        if child is not account
        for domain in child.domains.values()
    }
    hidden = set() if query.filters["include_subaccounts"] else below
    moves = [
        move
        for move in reversed(ips_of(account).history)
        if move.domain_id not in hidden and _asked_for(move, query.filters)
    ]
    items, paging = place_page([_move(account, move) for move in moves], request.url, query)
    return Reply({"items": items, "total_items": len(moves), "paging": paging})


def _domains(account: Account) -> Iterator[tuple[Account, Domain]]:
    return ((holder, domain) for holder in account.with_subaccounts(NOT_CLOSED) for domain in holder.domains.values())


def _is_enrolled(domain: Domain) -> bool:
    return domain.administration.sending.dynamic_pool is not None


def _enrolled(account: Account) -> list[tuple[Domain, bool]]:
    return [(domain, _is_enrolled(domain)) for _, domain in _domains(account)]


def _enrolled_sending(request: SimulatedRequest) -> Any:
    if not _is_enrolled(request.domain):
        raise ApiError(404, f"Domain {request.domain.name} is not enrolled in dynamic IP pools")
    return request.domain.administration.sending


def _check_configured(account: Account) -> None:
    if not ips_of(account).dynamic:
        raise ApiError(400, "Dynamic IP pools are not configured for this account")


def _check_pools(account: Account, ips_by_pool: dict[str, list[str]]) -> None:
    """Raise ApiError if an IP is not the account's or is in another pool, or if a pool has no warmed-up IP."""
    ips, now = ips_of(account), account.clock.now()
    everything = [address for addresses in ips_by_pool.values() for address in addresses]
    if len(set(everything)) < len(everything):
        raise ApiError(400, "An IP cannot be assigned to multiple dynamic IP pools")
    for address in everything:
        get_dedicated_ip(account, address)
        if any(address in pool.ips for pool in ips.pools.values()):
            raise ApiError(400, f"IP {address} already belongs to an IP pool")
    for pool, addresses in ips_by_pool.items():
        if not any(not ips.ips[address].warming(now) for address in addresses):
            raise ApiError(400, f"Dynamic IP pool {pool} must contain at least 1 IP that is not warming up")


def _change(account: Account, pool: str, added: list[str], removed: list[str]) -> Reply:
    _check_configured(account)
    present = ips_of(account).dynamic[pool]
    missing = next((address for address in removed if address not in present), None)
    if missing is not None:
        raise ApiError(400, f"IP {missing} does not belong to dynamic IP pool {pool}")
    remaining = [address for address in present if address not in removed]
    ips_by_pool = {
        **ips_of(account).dynamic,
        pool: [*remaining, *(ip for ip in dict.fromkeys(added) if ip not in remaining)],
    }
    _check_pools(account, ips_by_pool)
    ips_of(account).dynamic = ips_by_pool
    _move_domains(account)
    return success("success")


def _move_domains(account: Account) -> None:
    """Make the enrolled domains send from the current IPs of their pools."""
    for _, domain in _domains(account):
        pool = domain.administration.sending.dynamic_pool
        if pool:
            domain.administration.sending.ips = list(ips_of(account).dynamic[pool])


def _enroll(account: Account, domain: Domain) -> None:
    pool = _health(account, domain)["pool"]
    _record(account, domain, pool, "Enrolled in dynamic IP pools", USER)
    domain.administration.sending.registered_at = account.clock.now()
    domain.administration.sending.pool_id = None
    _assign(account, domain, pool)


def _assign(account: Account, domain: Domain, pool: str) -> None:
    sending = domain.administration.sending
    sending.dynamic_pool, sending.ips = pool, list(ips_of(account).dynamic[pool])


def _record(account: Account, domain: Domain, pool: str, reason: str, who: str) -> None:
    counts = count_outcomes(counted_events(domain, account.clock.now() - MEASURED))
    ips_of(account).history.append(
        PoolMove(
            id=account.hex_id(),
            at=account.clock.now(),
            domain_id=domain.id,
            domain=domain.name,
            moved_from=domain.administration.sending.dynamic_pool or "",
            moved_to=pool,
            reason=reason,
            initiated_by=who,
            bounce_rate=bounce_rate(counts),
            complaint_rate=complaint_rate(counts),
            processed=counts.accepted,
        )
    )


def _health(account: Account, domain: Domain) -> dict[str, Any]:
    counts = count_outcomes(counted_events(domain, account.clock.now() - MEASURED))
    bounces, complaints = bounce_rate(counts), complaint_rate(counts)
    bands = {
        "bounce_rate": (bounces, POOR if bounces > POOR_BOUNCES else GOOD),
        "complaint_rate": (complaints, POOR if complaints > POOR_COMPLAINTS else GOOD),
        "processed_count": (counts.accepted, NEW if counts.accepted < NEW_BELOW else GOOD),
    }
    reached = {band for _, band in bands.values()}
    pool = next(band for band in (NEW, POOR, GOOD) if band in reached)
    return {"pool": pool, "results": {name: {"value": value, "band": band} for name, (value, band) in bands.items()}}


def _pools(account: Account) -> dict[str, Any]:
    ips: Ips = ips_of(account)
    named = {field: list(ips.dynamic.get(pool, [])) for field, pool in FIELDS.items()}
    pools = [
        {
            "id": f"{account.id[:-1]}{number}",
            "account_id": account.id,
            "name": name,
            "enabled": True,
            "ips": list(addresses),
        }
        for number, (name, addresses) in enumerate(ips.dynamic.items(), 1)
    ]
    return {**named, "pools": pools}


def _enrolment(holder: Account, domain: Domain) -> dict[str, Any]:
    sending = domain.administration.sending
    counts = count_outcomes(counted_events(domain, holder.clock.now() - MEASURED))
    return {
        "id": domain.id,
        "account_id": holder.id,
        "account_name": _name(holder),
        "name": domain.name,
        "registered_at": iso_date(sending.registered_at),
        "pool": sending.dynamic_pool,
        "override": sending.override,
        "bounce_rate": bounce_rate(counts),
        "complaint_rate": complaint_rate(counts),
        "processed_count": counts.accepted,
    }


def _within(item: dict[str, Any], filters: dict[str, Any]) -> bool:
    accounts, pools = filters["account_ids"], filters["pool"]
    return (not accounts or item["account_id"] in accounts) and (not pools or item["pool"] in pools)


def _asked_for(move: PoolMove, filters: dict[str, Any]) -> bool:
    exact = {"domain": move.domain, "moved_to": move.moved_to, "moved_from": move.moved_from}
    if any(filters[name] and filters[name] != value for name, value in exact.items()):
        return False
    after, before = (parse_mail_date(filters[name]) if filters[name] else None for name in ("after", "before"))
    return (after is None or move.at >= after) and (before is None or move.at < before)


def _name(account: Account) -> str:
    return str(account.administration.access.settings.get("name", ""))


def _move(account: Account, move: PoolMove) -> dict[str, Any]:
    holder = next((holder for holder, domain in _domains(account) if domain.id == move.domain_id), account)
    return {
        "id": move.id,
        "owning_account_id": account.id,
        "account_id": holder.id,
        "account_name": _name(holder),
        "domain_id": move.domain_id,
        "domain_name": move.domain,
        "new_band": move.moved_to,
        "prev_band": move.moved_from,
        "reason": move.reason,
        "bounce_rate": move.bounce_rate,
        "complaint_rate": move.complaint_rate,
        "processed_count": move.processed,
        "initiated_by": move.initiated_by,
        "timestamp": iso_date(move.at),
    }
