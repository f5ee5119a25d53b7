"""Delivery: the recipient's name decides the outcome, suppressed mail is not tried, blocks refuse it."""

import pytest

from mailgun_mcp.simulator.mail.delivery import accept, add_bounce, add_complaint, deliver_due
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, HOUR, MINUTE, ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.provider_blocks import ProviderBlock
from mailgun_mcp.simulator.model.suppressions import AllowlistEntry, Unsubscribe


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def account(clock: ManualClock) -> Account:
    return Account(clock)


@pytest.fixture
def domain(account: Account, clock: ManualClock) -> Domain:
    account.domains["d.example"] = Domain("1", "d.example", clock.now(), "active")
    return account.domains["d.example"]


def message(account: Account, *recipients: str, **more: object) -> StoredMessage:
    details = {"sender": "a@d.example", "recipients": list(recipients), "headers": {}, **more}
    return StoredMessage(account.opaque_id(), account.hex_id(), "d.example", account.clock.now(), **details)  # type: ignore[arg-type]  # each test passes its own fields


def send(account: Account, domain: Domain, *recipients: str, **more: object) -> None:
    accept(account, domain, message(account, *recipients, **more))
    assert isinstance(account.clock, ManualClock)
    account.clock.advance(1.0)


def events(domain: Domain) -> list[str]:
    return [event.record["event"] for event in domain.events]


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("ann@x.example", ["accepted", "delivered"]),
        ("bounce@x.example", ["accepted", "failed"]),
        ("Open.me@x.example", ["accepted", "delivered", "opened"]),
        ("click@x.example", ["accepted", "delivered", "opened", "clicked"]),
        ("complain@x.example", ["accepted", "delivered", "complained"]),
        ("unsubscribe@x.example", ["accepted", "delivered", "unsubscribed"]),
    ],
)
def test_the_recipient_decides_the_outcome(
    account: Account, domain: Domain, recipient: str, expected: list[str]
) -> None:
    accept(account, domain, message(account, recipient))
    assert events(domain) == expected


def test_outcomes_fill_the_suppression_lists(account: Account, domain: Domain) -> None:
    accept(account, domain, message(account, "bounce@x.example", "complain@x.example", "unsubscribe@x.example"))
    assert list(domain.bounces) == ["bounce@x.example"]
    assert list(domain.complaints) == ["complain@x.example"]
    assert list(domain.unsubscribes) == ["unsubscribe@x.example"]


@pytest.mark.parametrize(
    ("suppression", "code"), [("bounces", 605), ("complaints", 607), ("unsubscribes", 606), ("template", 610)]
)
def test_mail_that_is_not_tried_fails_with_its_reason(
    account: Account, domain: Domain, suppression: str, code: int
) -> None:
    fault = ""
    if suppression == "bounces":
        add_bounce(domain, "Ann@x.example", 0.0, "550", "gone")
    elif suppression == "complaints":
        add_complaint(domain, "ann@x.example", 0.0)
    elif suppression == "unsubscribes":
        domain.unsubscribes["ann@x.example"] = Unsubscribe("ann@x.example", 0.0, "1")
    else:
        fault = "Template 'x' not found"
    accept(account, domain, message(account, "ann@x.example", fault=fault))
    failed = domain.events[-1].record
    assert (failed["event"], failed["delivery-status"]["code"]) == ("failed", code)


def test_an_unsubscribe_from_one_tag_stops_only_mail_with_that_tag(account: Account, domain: Domain) -> None:
    domain.unsubscribes["ann@x.example"] = Unsubscribe("ann@x.example", 0.0, "1", ["news"])
    send(account, domain, "ann@x.example", tags=["news"])
    send(account, domain, "ann@x.example", tags=["orders"])
    assert events(domain) == ["accepted", "failed", "accepted", "delivered"]


@pytest.mark.parametrize("value", ["bounce@x.example", "x.example"])
def test_the_allowlist_keeps_an_address_off_the_bounce_list(account: Account, domain: Domain, value: str) -> None:
    domain.allowlist[value] = AllowlistEntry(value, 0.0)
    accept(account, domain, message(account, "bounce@x.example"))
    assert domain.bounces == {}


def test_a_block_refuses_mail_from_its_ip_to_its_hosts(account: Account, domain: Domain) -> None:
    domain.blocks.append(ProviderBlock(["outlook.com"], 554, "blocked", sending_ip="192.0.2.10"))
    for recipient, ip in (("a@outlook.com", ""), ("a@x.example", ""), ("a@outlook.com", "192.0.2.99")):
        send(account, domain, recipient, sending_ip=ip)
    assert events(domain) == ["accepted", "failed", "accepted", "delivered", "accepted", "delivered"]
    assert domain.bounces == {}


def test_scheduled_mail_is_delivered_when_its_time_has_come(
    account: Account, domain: Domain, clock: ManualClock
) -> None:
    at = clock.now() + HOUR
    accept(account, domain, message(account, "ann@x.example", deliver_at=at))
    deliver_due(account)
    assert events(domain) == ["accepted"]
    clock.advance(2 * HOUR)
    deliver_due(account)
    assert (events(domain), domain.events[-1].at) == (["accepted", "delivered"], at)


def test_test_mail_is_only_accepted(account: Account, domain: Domain) -> None:
    accept(account, domain, message(account, "ann@x.example", test_mode=True))
    assert events(domain) == ["accepted"]


def test_repeated_complaints_are_counted(domain: Domain) -> None:
    for at in (1.0, 2.0):
        add_complaint(domain, "Ann@x.example", at)
    assert domain.complaints["ann@x.example"].count == 2


def attempts(domain: Domain, start: float) -> list[tuple[str, int, float]]:
    return [
        (event.record["event"], event.record["delivery-status"]["attempt-no"], round((event.at - start) / MINUTE))
        for event in domain.events
        if event.record["event"] != "accepted"
    ]


def test_deferred_mail_is_tried_again_and_delivered(account: Account, domain: Domain, clock: ManualClock) -> None:
    start = clock.now()
    accept(account, domain, message(account, "defer@x.example"))
    clock.advance(15 * MINUTE)
    deliver_due(account)
    assert attempts(domain, start) == [("failed", 1, 0), ("failed", 2, 10)]
    clock.advance(DAY)
    deliver_due(account)
    assert attempts(domain, start)[2:] == [("delivered", 3, 25)]
    assert domain.deferred == []


def test_mail_that_is_always_deferred_fails_as_too_old(account: Account, domain: Domain, clock: ManualClock) -> None:
    start = clock.now()
    accept(account, domain, message(account, "defer-always@x.example"))
    clock.advance(DAY)
    deliver_due(account)
    assert [minutes for _, _, minutes in attempts(domain, start)] == [0, 10, 25, 55, 115, 235, 475, 480]
    last = domain.events[-1].record
    assert (last["severity"], last["reason"], last["delivery-status"]["code"]) == ("permanent", "old", 602)
    assert (last["delivery-status"]["message"], last["delivery-status"]["attempt-no"]) == ("Too old", 8)
    assert (domain.deferred, domain.bounces) == ([], {})


def test_each_recipient_gets_an_unsubscribe_link_of_their_own(account: Account, domain: Domain) -> None:
    accept(account, domain, message(account, "ann@x.example", "bob@x.example", text="%unsubscribe_url%"))
    texts = {copy.recipients[0]: copy.text for copy in domain.messages.values()}
    assert set(texts) == {"ann@x.example", "bob@x.example"}
    assert len(set(texts.values())) == 2


def test_mail_without_unsubscribe_links_is_stored_once(account: Account, domain: Domain) -> None:
    accept(account, domain, message(account, "ann@x.example", "bob@x.example", text="Hi"))
    assert [copy.recipients for copy in domain.messages.values()] == [["ann@x.example", "bob@x.example"]]
