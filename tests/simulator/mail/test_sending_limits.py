"""Limits stop mail with the documented status, and say until when."""

import pytest

from mailgun_mcp.simulator.mail.record_events import record_event
from mailgun_mcp.simulator.mail.sending_limits import (
    CONFIRMATION,
    SANDBOX_A_DAY,
    authorized_recipients,
    check_sending,
    choose_ip,
)
from mailgun_mcp.simulator.model.account import Account, Administration
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.ips import Ip, Pool
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.replies.reply import ApiError


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def account(clock: ManualClock) -> Account:
    return Account(clock)


def domain(kind: str = "custom") -> Domain:
    return Domain("1", "d.example", 0.0, "active", kind)  # type: ignore[arg-type]  # a literal of the tests


def status_of(account: Account, sender: Domain, recipients: int = 1) -> int:
    try:
        check_sending(account, sender, recipients)
    except ApiError as refusal:
        return refusal.reply.status_code
    return 200


def test_a_reached_monthly_limit_stops_the_account_and_its_subaccounts(account: Account, clock: ManualClock) -> None:
    child = Account(clock, administration=Administration(parent=account))
    assert status_of(child, domain()) == 200
    account.administration.sending_limit.limit = 1
    account.administration.sending_limit.count(clock.now())
    assert (status_of(account, domain()), status_of(child, domain())) == (403, 403)


def test_a_subaccount_without_the_sending_feature_may_not_send(account: Account) -> None:
    account.administration.features["sending"] = False
    assert status_of(account, domain()) == 403


def test_a_sandbox_sends_a_limited_number_a_day(account: Account, clock: ManualClock) -> None:
    sandbox = domain("sandbox")
    assert status_of(account, sandbox, SANDBOX_A_DAY) == 200
    message = StoredMessage("key", "id", "d.example", clock.now(), "a@d.example", [], {})
    record_event(account, sandbox, "accepted", message, "ann@x.example", clock.now())
    assert status_of(account, sandbox, SANDBOX_A_DAY) == 420
    with pytest.raises(ApiError, match=r"recipient limit exceeded, try again after .* GMT"):
        check_sending(account, sandbox, SANDBOX_A_DAY)


def test_invited_recipients_count_once_they_had_time_to_confirm(account: Account, clock: ManualClock) -> None:
    account.administration.access.invited["Ann@x.example"] = clock.now()
    assert authorized_recipients(account) == set()
    clock.advance(CONFIRMATION)
    assert authorized_recipients(account) == {"ann@x.example"}
    assert account.administration.access.invited == {}


def test_a_message_may_only_ask_for_ips_and_pools_of_the_account(account: Account) -> None:
    ips = account.administration.ips
    ips.ips["203.0.113.11"] = Ip("203.0.113.11")
    ips.pools.update(full=Pool("full", "full", ips=["203.0.113.11"]), empty=Pool("empty", "empty"))
    assert choose_ip(account, "203.0.113.11", None) == "203.0.113.11"
    assert [choose_ip(account, None, pool) for pool in (None, "full", "empty")] == ["", "203.0.113.11", ""]
    with pytest.raises(ApiError, match="can't be used to send the message"):
        choose_ip(account, "203.0.113.99", None)
    with pytest.raises(ApiError, match="IP pool not found"):
        choose_ip(account, None, "none")
