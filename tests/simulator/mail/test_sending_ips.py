"""Which IPs a domain may send from, and what pools lend to domains and subaccounts."""

import pytest

from mailgun_mcp.simulator.mail.sending_ips import (
    SendingSource,
    assign_source,
    assignable_ips,
    delegate_pool,
    get_account_ip,
    get_dedicated_ip,
    get_free_ip,
    get_pool,
    ips_of,
    ips_used_by,
    linked_domains,
    parse_source,
    pool_of_ip,
    revoke_pool,
    update_pool_users,
)
from mailgun_mcp.simulator.model.account import Account, Administration, Subaccount
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import GOOD, SHARED_IP, Ip, Pool
from mailgun_mcp.simulator.replies.reply import ApiError

POOLED, FREE, DYNAMIC = "203.0.113.11", "203.0.113.12", "203.0.113.21"


@pytest.fixture
def account() -> Account:
    account = Account(ManualClock())
    ips = ips_of(account)
    ips.ips.update({address: Ip(address) for address in (POOLED, FREE, DYNAMIC)})
    ips.pools["pool"] = Pool("pool", "orders", ips=[POOLED])
    ips.pools["empty"] = Pool("empty", "empty")
    ips.dynamic[GOOD] = [DYNAMIC]
    account.domains["d.example"] = Domain("1", "d.example", 0.0, "active")
    return account


@pytest.fixture
def child(account: Account) -> Account:
    child = Account(account.clock, "child", administration=Administration(parent=account))
    child.domains["c.example"] = Domain("2", "c.example", 0.0, "active")
    account.administration.subaccounts["child"] = Subaccount("child", "Child", child, 0.0, 0.0)
    return child


def test_an_ip_is_in_at_most_one_pool(account: Account) -> None:
    ips = ips_of(account)
    assert [pool_of_ip(ips, address) for address in (POOLED, FREE, DYNAMIC)] == ["orders", None, GOOD]
    assert assignable_ips(ips) == [FREE]
    assert get_free_ip(account, FREE) == FREE
    with pytest.raises(ApiError, match="already belongs to an IP pool"):
        get_free_ip(account, POOLED)


def test_unknown_and_shared_ips_are_refused(account: Account) -> None:
    assert get_account_ip(account, SHARED_IP).dedicated is False
    with pytest.raises(ApiError, match="IP not found"):
        get_account_ip(account, "203.0.113.99")
    with pytest.raises(ApiError, match="is not a dedicated IP"):
        get_dedicated_ip(account, SHARED_IP)
    with pytest.raises(ApiError, match="IP pool not found"):
        get_pool(account, "none")


def test_a_request_names_a_pool_the_shared_ip_or_free_ips(account: Account) -> None:
    assert parse_source(account, None, None) is None
    assert parse_source(account, None, "pool") == SendingSource([POOLED], "pool")
    assert parse_source(account, ["shared"], None) == SendingSource([SHARED_IP])
    assert parse_source(account, [FREE], None) == SendingSource([FREE])
    with pytest.raises(ApiError, match="contains no IPs"):
        parse_source(account, None, "empty")


def test_linked_domains_follow_their_pool(account: Account) -> None:
    domain, pool = account.domains["d.example"], get_pool(account, "pool")
    assert ips_used_by(domain) == [SHARED_IP]
    assign_source(domain, SendingSource([POOLED], "pool"))
    assert linked_domains(account, "pool") == [domain]
    pool.ips.append(FREE)
    update_pool_users(account, pool)
    assert ips_used_by(domain) == [POOLED, FREE]


def test_a_delegated_pool_follows_its_owner_and_can_be_revoked(account: Account, child: Account) -> None:
    pool, domain = get_pool(account, "pool"), child.domains["c.example"]
    pool.delegated_to.add("child")
    delegate_pool(account, child, pool)
    assign_source(domain, SendingSource([POOLED], "pool"))
    pool.ips[:] = [FREE]
    update_pool_users(account, pool)
    assert (ips_used_by(domain), set(ips_of(child).ips)) == ([FREE], {SHARED_IP, FREE})
    revoke_pool(child, "pool")
    assert (ips_used_by(domain), set(ips_of(child).ips)) == ([SHARED_IP], {SHARED_IP})
    revoke_pool(child, "pool")
