"""The account's IPs, the domains that send from them, and orders of new IPs."""

import re

from mailgun_mcp.simulator.mail.sending_ips import (
    SendingSource,
    assign_source,
    assignable_ips,
    get_account_ip,
    get_dedicated_ip,
    ips_of,
    ips_used_by,
    parse_source,
)
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import SHARED_IP, Ip
from mailgun_mcp.simulator.replies.paging import skip_page
from mailgun_mcp.simulator.replies.reply import ApiError, Reply, success
from mailgun_mcp.simulator.replies.simulated_request import SimulatedRequest
from mailgun_mcp.simulator.sections.registry import handles

POOL, ALL = "ip_pool", "all"
LINKED = "Domain {} is linked to an IP pool: its IPs cannot be changed"


@handles("list_ips", fidelity="stateful", note="shared and dedicated, with their state")
def list_ips(account: Account, request: SimulatedRequest) -> Reply:
    ips = [ip for ip in ips_of(account).ips.values() if _listed(ip, request)]
    now = account.clock.now()
    return Reply({
        "items": [ip.address for ip in ips],
        "details": [{"ip": ip.address, "is_on_warmup": ip.warming(now)} for ip in ips],
        "assignable_to_pools": assignable_ips(ips_of(account)),
        "total_count": len(ips),
    })  # fmt: skip


@handles("get_ip", fidelity="stateful", note="the reverse DNS name is derived from the address")
def get_ip(account: Account, request: SimulatedRequest) -> Reply:
    ip = get_account_ip(account, request["ip"])
    name = re.sub(r"[.:]+", "-", ip.address)
    return Reply({"ip": ip.address, "dedicated": ip.dedicated, "rdns": f"ip{name}.mailgun.net"})


@handles("list_ip_domains", fidelity="stateful", note="the domains that send from it")
def list_ip_domains(account: Account, request: SimulatedRequest) -> Reply:
    ip = get_account_ip(account, request["ip"])
    words = re.findall(r"\w+", request.get("search", "").lower())
    domains = [
        domain for domain in account.domains.values() if ip.address in ips_used_by(domain) and _matches(domain, words)
    ]
    domains.sort(key=lambda domain: domain.id)
    page = skip_page(domains, max(0, request.get("skip", 0)), max(0, request.get("limit", len(domains))))
    items = [{"domain": domain.name, "ips": ips_used_by(domain)} for domain in page]
    return Reply({"items": items, "total_count": len(domains)})


@handles("assign_ip_to_all_domains", fidelity="stateful", note="done at once")
def assign_ip_to_all_domains(account: Account, request: SimulatedRequest) -> Reply:
    ip = get_account_ip(account, request["ip"])
    for domain in _own(account):
        sending = domain.administration.sending
        sending.ips = [*sending.ips, *([ip.address] if ip.address not in sending.ips else [])]
    return _started(account)


@handles("remove_ip_from_all_domains", fidelity="stateful", note="done at once")
def remove_ip_from_all_domains(account: Account, request: SimulatedRequest) -> Reply:
    ip = get_account_ip(account, request["ip"])
    other = [get_account_ip(account, request["alternative"]).address] if "alternative" in request.arguments else []
    for domain in _own(account):
        sending = domain.administration.sending
        if ip.address in sending.ips:
            remaining = [address for address in sending.ips if address not in (ip.address, *other)]
            sending.ips = [*remaining, *other]
    return _started(account)


@handles("set_ip_band", fidelity="stateful", note="stored")
def set_ip_band(account: Account, request: SimulatedRequest) -> Reply:
    get_dedicated_ip(account, request["addr"]).band = request["ip_band"]
    return success("success")


@handles("get_available_ips", fidelity="stateful", note="how many IPs can still be requested")
def get_available_ips(account: Account) -> Reply:
    return Reply({"allowed": {"dedicated": ips_of(account).allowed, "shared": 0}})


@handles("request_dedicated_ip", fidelity="stateful", note="assigns one of the IPs that can be requested")
def request_dedicated_ip(account: Account) -> Reply:
    ips = ips_of(account)
    if ips.allowed < 1:
        raise ApiError(403, "Billing limits do not allow another dedicated IP")
    ips.allowed -= 1
    address = next(name for name in (f"203.0.113.{last}" for last in range(101, 256)) if name not in ips.ips)
    ips.ips[address] = Ip(address)
    return success("success")


@handles("remove_domain_ip", fidelity="stateful", note="one, all, or the linked pool")
@handles("remove_domain_pool_ip", fidelity="stateful", note="as remove_domain_ip")
def remove_domain_ip(account: Account, request: SimulatedRequest) -> Reply:
    """Remove an IP, all IPs, or the linked pool from a domain."""
    chosen = parse_source(account, _replacement(request), request.get("replacement_pool_id"))
    if request["ip"] == ALL:
        del account.domains[request.domain.name]
    elif request["ip"] == POOL:
        _unlink(request.domain, chosen)
    else:
        _remove(request.domain, request["ip"], chosen)
    return success("success")


def _replacement(request: SimulatedRequest) -> list[str] | None:
    return [request["replacement_ip"]] if "replacement_ip" in request.arguments else None


def _unlink(domain: Domain, chosen: SendingSource | None) -> None:
    if domain.administration.sending.pool_id is None:
        raise ApiError(400, f"Domain {domain.name} is not linked to an IP pool")
    if chosen is None:
        raise ApiError(400, "Either 'ip' or 'pool_id' parameter must be specified")
    assign_source(domain, chosen)


def _remove(domain: Domain, address: str, chosen: SendingSource | None) -> None:
    sending = domain.administration.sending
    if sending.pool_id or sending.dynamic_pool:
        raise ApiError(400, LINKED.format(domain.name))
    if address not in ips_used_by(domain):
        raise ApiError(404, f"IP not found: {address}")
    left = [other for other in sending.ips if other != address]
    if chosen and chosen.pool_id:
        assign_source(domain, chosen)
    else:
        sending.ips = [*left, *(chosen.ips if chosen else [])] or [SHARED_IP]


def _own(account: Account) -> list[Domain]:
    """Return the domains whose IPs are not determined by a pool."""
    sendings = ((domain, domain.administration.sending) for domain in account.domains.values())
    return [domain for domain, sending in sendings if not sending.pool_id and not sending.dynamic_pool]


def _listed(ip: Ip, request: SimulatedRequest) -> bool:
    return all(getattr(ip, name) == request[name] for name in ("dedicated", "enabled") if name in request.arguments)


def _matches(domain: Domain, words: list[str]) -> bool:
    return not words or any(word in domain.name for word in words)


def _started(account: Account) -> Reply:
    return success("started", reference_id=account.hex_id())
