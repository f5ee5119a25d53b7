"""The history of a scenario: believable readers, and incidents that leave their evidence where an expert would look."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.simulator.mail.delivery import TICK, accept
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, HOUR, ManualClock
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.worlds.engagement import REPORTING_PROVIDERS, opener_of, reader_of
from mailgun_mcp.simulator.worlds.scenario import Scenario, shipped_names
from mailgun_mcp.simulator.worlds.scenario_history import scenario_account, sending_times
from tests.support.accounts import scenario_account_at

MAIL, NEWS, BILLING = "mail.example.com", "news.example.org", "billing.example.com"


def account_of(name: str) -> Account:
    return scenario_account_at(name, ManualClock())


def records(account: Account, domain: str, kind: str) -> list[dict[str, Any]]:
    return [event.record for event in account.domains[domain].events if event.record["event"] == kind]


def host(record: dict[str, Any]) -> str:
    return str(record["recipient"].partition("@")[2])


def send(account: Account, domain: str, recipient: str, **more: Any) -> dict[str, Any]:
    sender, at = account.domains[domain], account.clock.now()
    accept(account, sender, StoredMessage(account.opaque_id(), "1", domain, at, f"a@{domain}", [recipient], {}, **more))
    record: dict[str, Any] = sender.events[-1].record
    return record


def test_a_blocklisting_refuses_every_domain_on_the_ip_and_no_other() -> None:
    account = account_of("blocklisting")
    blocked = {
        name: [r for r in records(account, name, "failed") if r["reason"] == "espblock"] for name in account.domains
    }
    assert blocked[MAIL]
    assert blocked[NEWS]
    assert blocked[BILLING] == []
    assert {host(record) for record in blocked[MAIL] + blocked[NEWS]} == {"outlook.com"}
    assert {host(record) for record in records(account, BILLING, "delivered")} > {"outlook.com"}


@pytest.mark.parametrize(("domain", "event"), [(MAIL, "failed"), (NEWS, "failed"), (BILLING, "delivered")])
def test_a_blocklisting_continues_for_new_mail_by_its_ip(domain: str, event: str) -> None:
    assert send(account_of("blocklisting"), domain, "me@outlook.com")["event"] == event


def test_a_blocklisted_domain_delivers_from_another_ip() -> None:
    account = account_of("blocklisting")
    assert send(account, MAIL, "me@outlook.com", sending_ip="203.0.113.40")["event"] == "delivered"


def test_each_provider_refuses_unsigned_mail_in_its_own_words() -> None:
    refused = [
        record for record in records(account_of("broken-dkim"), MAIL, "failed") if record["reason"] == "espblock"
    ]
    texts = {host(record): record["delivery-status"]["message"] for record in refused}
    codes = {host(record): record["delivery-status"]["enhanced-code"] for record in refused}
    assert texts.keys() == {"gmail.com", "yahoo.com"}
    assert "Gmail" in texts["gmail.com"]
    assert "yahoo" in texts["yahoo.com"]
    assert codes == {"gmail.com": "5.7.30", "yahoo.com": "5.7.9"}


def test_a_provider_without_words_of_its_own_refuses_unsigned_mail_as_well() -> None:
    incident = {"kind": "broken_dkim", "domain": MAIL, "providers": ["example.net"]}
    scenario = Scenario.model_validate({"domains": [{"name": MAIL}], "incidents": [incident]})
    refused = send(scenario_account(scenario, ManualClock()), MAIL, "me@example.net")
    assert refused["delivery-status"]["message"] == "5.7.20 No passing DKIM signature found"


def test_complaints_come_only_from_providers_that_report_them() -> None:
    complained = records(account_of("complaint-spike"), NEWS, "complained")
    assert complained
    assert {host(record) for record in complained} <= REPORTING_PROVIDERS


def test_the_complaints_of_a_spike_are_about_one_campaign() -> None:
    complained = records(account_of("complaint-spike"), NEWS, "complained")
    tags = Counter(tag for record in complained for tag in record["tags"])
    assert tags["win-back"] > 0.8 * sum(tags.values())


def test_opens_come_from_many_readers_at_many_times() -> None:
    account = account_of("complaint-spike")
    delivered = {record["recipient"]: record["timestamp"] for record in records(account, NEWS, "delivered")}
    opened = records(account, NEWS, "opened")
    delays = sorted(record["timestamp"] - delivered[record["recipient"]] for record in opened)
    assert len({record["ip"] for record in opened}) > 50
    assert len({record["geolocation"]["city"] for record in opened}) > 4
    assert {record["client-info"]["device-type"] for record in opened} >= {"desktop", "mobile"}
    assert delays[0] >= 15
    assert 0.2 * HOUR < delays[len(delays) // 2] < 2 * HOUR


def test_mail_does_not_pile_up_at_the_present_moment() -> None:
    now = 1_795_000_000.0
    for hour in range(0, 24, 3):
        times = list(sending_times(now + hour * HOUR - 3 * DAY, now + hour * HOUR, 600))
        assert times == sorted(times)
        assert len(set(times)) == 600
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert max(gaps) < 8 * min(gaps)
        assert times[0] > now + hour * HOUR - 3 * DAY - 1


def test_gmail_and_apple_load_the_images_themselves() -> None:
    openers = {
        host: [opener_of(f"r{n}@{host}") for n in range(300)] for host in ("gmail.com", "icloud.com", "x.example")
    }
    bots = {host: Counter(one["client_info"]["bot"] for one in each) for host, each in openers.items()}
    assert bots["gmail.com"] == {"gmail": 300}
    assert 180 < bots["icloud.com"]["apple"] < 240
    assert bots["x.example"] == {"": 300}


@given(st.integers(0, 2**32))
def test_readers_follow_the_weights_of_clients_and_cities(seed: int) -> None:
    readers = [reader_of(f"{seed}-{number}@x.example") for number in range(400)]
    cities = Counter(reader["geolocation"]["city"] for reader in readers)
    mobile = sum(reader["client_info"]["device-type"] == "mobile" for reader in readers)
    assert len(cities) == 8
    # Five standard deviations around 56 % of 400: a fair draw leaves them once in a million times.
    assert 174 < mobile < 274


def test_nobody_clicks_before_the_open() -> None:
    account = account_of("blocklisting")
    opened = {record["recipient"]: record["timestamp"] for record in records(account, NEWS, "opened")}
    clicked = records(account, NEWS, "clicked")
    assert clicked
    assert all(opened[record["recipient"]] < record["timestamp"] for record in clicked)


def test_most_mail_goes_out_by_day() -> None:
    hours = Counter(
        int(record["timestamp"] // HOUR % 24) for record in records(account_of("complaint-spike"), NEWS, "accepted")
    )
    assert sum(hours[hour] for hour in range(9, 19)) > 2 * sum(hours[hour] for hour in (*range(21, 24), *range(7)))


@pytest.mark.parametrize("name", shipped_names())
def test_no_event_is_later_than_now(name: str) -> None:
    account = account_of(name)
    assert max(event.at for domain in account.domains.values() for event in domain.events) <= account.clock.now() + TICK


@pytest.mark.parametrize("name", shipped_names())
def test_the_keys_and_users_that_the_events_name_exist(name: str) -> None:
    account = account_of(name)
    access = account.administration.access
    accepted = [record for domain in account.domains for record in records(account, domain, "accepted")]
    names = {record["api-key-id"] for record in accepted if not record["flags"]["is-routed"]}
    assert names <= access.keys.keys()
    assert {key.user_id for key in access.keys.values()} <= access.users.keys()
