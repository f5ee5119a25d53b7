"""What the demo account has beside its mail."""

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.mail.sending_ips import ips_used_by, pool_of_ip
from mailgun_mcp.simulator.model.account import Administration
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.worlds.demo import SHOP, STAGING, demo_account
from mailgun_mcp.simulator.worlds.demo_administration import LABS, LABS_DOMAIN, POOL_ID, POOL_IP


def test_it_has_a_little_of_everything() -> None:
    whole: Administration = demo_account(ManualClock()).administration
    for kept in (
        whole.access.keys,
        whole.access.users,
        whole.access.allowlist,
        whole.ips.pools,
        whole.ips.dynamic,
        whole.ips.history,
        whole.subaccounts,
        whole.thresholds.alerts,
        whole.thresholds.limits,
        whole.sending_limit.sent,
    ):
        assert kept
    assert {child.status for child in whole.subaccounts.values()} == {"open", "disabled"}


def test_domains_send_from_what_their_pools_hold() -> None:
    account: Account = demo_account(ManualClock())
    ips = account.administration.ips
    assert ips_used_by(account.domains[SHOP]) == ips.pools[POOL_ID].ips
    sending = account.domains[STAGING].administration.sending
    assert sending.ips == ips.dynamic[sending.dynamic_pool or ""]
    assert pool_of_ip(ips, POOL_IP) == "transactional"


def test_its_mail_left_from_the_ips_of_its_domain() -> None:
    shop = demo_account(ManualClock()).domains[SHOP]
    left = {event.record["envelope"]["sending-ip"] for event in shop.events if event.record["event"] == "delivered"}
    assert left == {POOL_IP}


def test_a_lent_pool_shows_below() -> None:
    labs = demo_account(ManualClock()).administration.subaccounts[LABS].account
    assert list(labs.domains) == [LABS_DOMAIN]
    assert labs.administration.ips.pools[POOL_ID].inherited
    assert labs.administration.parent is not None
