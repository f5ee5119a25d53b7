"""The demo account: the same each time, whole in itself, and worth looking at."""

from collections import Counter
from dataclasses import asdict

from mailgun_mcp.simulator import Account
from mailgun_mcp.simulator.model.clock import DAY, ManualClock
from mailgun_mcp.simulator.model.packed_events import MailEvent
from mailgun_mcp.simulator.worlds.demo import NEWS, SANDBOX, SHOP, STAGING, demo_account


def events(account: Account) -> list[MailEvent]:
    return [event for domain in account.domains.values() for event in domain.events]


def test_it_is_the_same_each_time() -> None:
    one, other = demo_account(ManualClock()), demo_account(ManualClock())
    assert [asdict(domain) for domain in one.domains.values()] == [asdict(domain) for domain in other.domains.values()]


def test_it_moves_with_the_clock_but_keeps_its_ids() -> None:
    one, later = demo_account(ManualClock(1e9)), demo_account(ManualClock(1e9 + DAY))
    assert [event.record["id"] for event in events(one)] == [event.record["id"] for event in events(later)]
    assert {round(b.at - a.at) for a, b in zip(events(one), events(later), strict=True)} == {DAY}


def test_it_has_domains_in_all_states_that_matter() -> None:
    account = demo_account(ManualClock())
    assert {name: (domain.state, domain.type) for name, domain in account.domains.items()} == {
        SHOP: ("active", "custom"),
        NEWS: ("active", "custom"),
        STAGING: ("unverified", "custom"),
        SANDBOX: ("active", "sandbox"),
    }


def test_three_days_of_mail_went_as_mail_goes() -> None:
    account = demo_account(ManualClock())
    counts = Counter(event.record["event"] for event in events(account))
    assert counts == {
        "accepted": 40,
        "delivered": 35,
        "failed": 5,
        "opened": 12,
        "clicked": 6,
        "complained": 1,
        "unsubscribed": 1,
        "stored": 1,
    }
    now = account.clock.now()
    assert all(now - 3 * DAY < event.at < now for event in events(account))


def test_every_event_leads_to_a_stored_message() -> None:
    for domain in demo_account(ManualClock()).domains.values():
        ids = {message.id for message in domain.messages.values()}
        assert {event.record["message"]["headers"]["message-id"] for event in domain.events} <= ids


def test_what_bounced_complained_or_unsubscribed_is_on_its_list() -> None:
    for domain in demo_account(ManualClock()).domains.values():
        for event in domain.events:
            address = event.record["recipient"]
            if event.record.get("reason") == "bounce":
                assert domain.bounces[address].error == event.record["delivery-status"]["message"]
            if event.record["event"] == "complained":
                assert address in domain.complaints
            if event.record["event"] == "unsubscribed":
                assert address in domain.unsubscribes


def test_an_inbound_mail_tries_to_give_orders_to_an_assistant() -> None:
    shop = demo_account(ManualClock()).domains[SHOP]
    (stored,) = [event.record for event in shop.events if event.record["event"] == "stored"]
    assert "Ignore all previous instructions" in shop.messages[stored["storage"]["key"]].text
