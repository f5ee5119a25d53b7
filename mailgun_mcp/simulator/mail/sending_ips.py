"""The IPs that domains may send from: the owner of an IP, its pool, and the domains that use it."""

from collections.abc import Iterator
from dataclasses import dataclass

from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import SHARED_IP, Ip, Ips, Pool
from mailgun_mcp.simulator.replies.reply import ApiError

SHARED = "shared"


@dataclass(frozen=True, slots=True)
class SendingSource:
    """What a domain sends from: a pool, or individual IPs."""

    ips: list[str]
    pool_id: str | None = None


def ips_of(account: Account) -> Ips:
    return account.administration.ips


def get_account_ip(account: Account, address: str) -> Ip:
    """Return an IP of the account. Raises ApiError when the account does not have it."""
    ip = ips_of(account).ips.get(address)
    if ip is None:
        raise ApiError(404, f"IP not found: {address}")
    return ip


def get_dedicated_ip(account: Account, address: str) -> Ip:
    """Return a dedicated IP of the account. Raises ApiError when the account does not have it."""
    ip = ips_of(account).ips.get(address)
    if ip is None or not ip.dedicated:
        raise ApiError(400, f"IP {address} is not a dedicated IP of this account")
    return ip


def get_free_ip(account: Account, address: str) -> str:
    """Return the address if it is a dedicated IP that is in no pool. Raises ApiError otherwise."""
    get_dedicated_ip(account, address)
    if pool_of_ip(ips_of(account), address) is not None:
        raise ApiError(400, f"IP {address} already belongs to an IP pool")
    return address


def pool_of_ip(ips: Ips, address: str) -> str | None:
    """Return the name of the pool, dedicated or dynamic, that the address is in."""
    for pool in ips.pools.values():
        if address in pool.ips:
            return pool.name
    return next((name for name, addresses in ips.dynamic.items() if address in addresses), None)


def assignable_ips(ips: Ips) -> list[str]:
    """Return the dedicated IPs that are in no pool."""
    return [ip.address for ip in ips.ips.values() if ip.dedicated and pool_of_ip(ips, ip.address) is None]


def get_pool(account: Account, pool_id: str) -> Pool:
    """Return a pool of the account. Raises ApiError when the account does not have it."""
    pool = ips_of(account).pools.get(pool_id)
    if pool is None:
        raise ApiError(404, f"IP pool not found: {pool_id}")
    return pool


def parse_source(account: Account, ips: list[str] | None, pool_id: str | None) -> SendingSource | None:
    """Return the sending source that a request names, or None. Raises ApiError when it cannot be used."""
    if pool_id:
        pool = get_pool(account, pool_id)
        if not pool.ips:
            raise ApiError(400, f"IP pool {pool_id} contains no IPs")
        return SendingSource(list(pool.ips), pool_id)
    if not ips:
        return None
    if ips == [SHARED]:
        return SendingSource([SHARED_IP])
    return SendingSource([get_free_ip(account, address) for address in ips])


def ips_used_by(domain: Domain) -> list[str]:
    """Return the IPs that the domain sends from."""
    return domain.administration.sending.ips or [SHARED_IP]


def assign_source(domain: Domain, chosen: SendingSource) -> None:
    """Make the domain send only from `chosen`."""
    sending = domain.administration.sending
    sending.ips, sending.pool_id, sending.dynamic_pool, sending.override = list(chosen.ips), chosen.pool_id, None, False


def linked_domains(account: Account, pool_id: str) -> list[Domain]:
    """Return the account's domains that are linked to the pool, by name."""
    domains = [domain for domain in account.domains.values() if domain.administration.sending.pool_id == pool_id]
    return sorted(domains, key=lambda domain: domain.name)


def delegated_accounts(account: Account, pool: Pool) -> Iterator[Account]:
    """Yield the subaccounts that the pool is delegated to."""
    for subaccount_id in sorted(pool.delegated_to):
        yield account.administration.subaccounts[subaccount_id].account


def update_pool_users(account: Account, pool: Pool) -> None:
    """Apply the pool's current IPs to its domains and to the subaccounts that it is delegated to."""
    for domain in linked_domains(account, pool.id):
        domain.administration.sending.ips = list(pool.ips)
    for child in delegated_accounts(account, pool):
        delegate_pool(account, child, pool)


def delegate_pool(account: Account, child: Account, pool: Pool) -> None:
    """Give a subaccount the pool with its current IPs."""
    child_ips = ips_of(child)
    previous = child_ips.pools.get(pool.id)
    for address in set(previous.ips) - set(pool.ips) if previous else ():
        child_ips.ips.pop(address, None)
    child_ips.pools[pool.id] = Pool(pool.id, pool.name, pool.description, list(pool.ips), inherited=True)
    for address in pool.ips:
        child_ips.ips[address] = ips_of(account).ips[address]
    update_pool_users(child, child_ips.pools[pool.id])


def revoke_pool(child: Account, pool_id: str, chosen: SendingSource | None = None) -> None:
    """Withdraw a pool from a subaccount. Its domains then send from `chosen`, or from the shared IP."""
    pool = ips_of(child).pools.pop(pool_id, None)
    if pool is None:
        return
    for domain in linked_domains(child, pool_id):
        assign_source(domain, chosen or SendingSource([SHARED_IP]))
    for address in pool.ips:
        ips_of(child).ips.pop(address, None)
