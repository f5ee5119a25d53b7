"""Every incident leaves its cause in the account, where an expert would look for it."""

from typing import Any

import pytest

from mailgun_mcp.simulator.mail.delivery import accept
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import HOUR, ManualClock
from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.worlds.incident_effects import LEAKED_KEY_ID
from mailgun_mcp.simulator.worlds.scenario import Scenario
from mailgun_mcp.simulator.worlds.scenario_history import scenario_account
from tests.support.accounts import scenario_account_at

MAIL, NEWS = "mail.example.com", "news.example.org"


def account_of(name: str) -> Account:
    return scenario_account_at(name, ManualClock())


def records(account: Account, domain: str, event: str) -> list[dict[str, Any]]:
    return [each.record for each in account.domains[domain].events if each.record["event"] == event]


def test_an_imported_list_has_the_addresses_that_bounced() -> None:
    account = account_of("bad-list")
    members = account.lists["fair2019@news.example.org"].members
    bounced = [record for record in records(account, NEWS, "failed") if record["tags"] == ["trade-fair"]]
    assert {record["recipient"] for record in bounced} <= members.keys()
    assert 0.2 < len(bounced) / len(members) < 0.4


def test_throttled_mail_is_delivered_later_and_new_mail_is_throttled_too() -> None:
    account = account_of("throttling")
    deferred = {record["recipient"] for record in records(account, MAIL, "failed") if record["severity"] == "temporary"}
    late = [record for record in records(account, MAIL, "delivered") if record["recipient"] in deferred]
    assert len(late) > 0.9 * len(deferred) > 0
    assert {record["delivery-status"]["attempt-no"] for record in late} == {3}
    now = account.clock.now()
    message = StoredMessage("k", "i@x", MAIL, now, "a@x", ["me@yahoo.com"], {})
    accept(account, account.domains[MAIL], message)
    newest = account.domains[MAIL].events[-1].record
    assert (newest["severity"], newest["delivery-status"]["enhanced-code"]) == ("temporary", "4.7.0")


@pytest.mark.parametrize(
    ("by", "listed"), [("bounce", "bounces"), ("complaint", "complaints"), ("unsubscribe", "unsubscribes")]
)
def test_a_suppressed_address_is_on_its_list_and_gets_nothing(by: str, listed: str) -> None:
    incident = {"kind": "suppressed", "domain": MAIL, "address": "jo@x.example", "by": by, "messages": 3}
    scenario = Scenario.model_validate({"domains": [{"name": MAIL}], "incidents": [incident]})
    account = scenario_account(scenario, ManualClock())
    assert "jo@x.example" in getattr(account.domains[MAIL], listed)
    dropped = [record for record in records(account, MAIL, "failed") if record["reason"] == f"suppress-{by}"]
    assert len(dropped) == 3


def test_a_leaked_key_exists_and_only_its_mail_comes_from_elsewhere() -> None:
    account = account_of("leaked-key")
    assert account.administration.access.keys[LEAKED_KEY_ID].description == "CI of the old shop"
    by_key = {
        (record["api-key-id"] == LEAKED_KEY_ID, record["originating-ip"])
        for record in records(account, MAIL, "accepted")
    }
    assert len(by_key) == 2


def test_nobody_clicks_in_mail_of_a_broken_template() -> None:
    account = account_of("broken-template")
    since = account.clock.now() - 60 * HOUR
    versions = account.domains[NEWS].templates["newsletter"].versions
    assert [version.active for version in versions.values()] == [False, True]
    sent = {
        record["message"]["headers"]["message-id"]
        for record in records(account, NEWS, "accepted")
        if record["timestamp"] > since
    }
    engaged = {
        kind: [r for r in records(account, NEWS, kind) if r["message"]["headers"]["message-id"] in sent]
        for kind in ("opened", "clicked")
    }
    assert engaged["opened"]
    assert engaged["clicked"] == []


def test_an_account_at_its_limit_accepts_nothing_in_any_domain() -> None:
    account = account_of("sending-limit")
    latest = [
        max(each.at for each in domain.events if each.record["event"] == "accepted")
        for domain in account.domains.values()
    ]
    assert max(latest) < account.clock.now() - 9 * HOUR
    assert account.administration.sending_limit.stops(account.clock.now())
