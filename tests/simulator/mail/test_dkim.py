"""DKIM keys: a domain has one from the start, and its record is valid while the DNS has it."""

import pytest

from mailgun_mcp.simulator.mail.dkim import (
    authority,
    automatic_value,
    is_automatic,
    key_record,
    keys_of,
    new_key,
    signing_records,
    verify_keys,
)
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.model.domains import Domain


@pytest.fixture
def domain() -> Domain:
    return Domain("5f3b1e9a7c2d", "d.example", 0.0, "active")


def test_the_first_key_is_made_once_active_and_verified_if_the_domain_is(domain: Domain) -> None:
    (key,) = keys_of(domain).values()
    assert (key.selector, key.active, key.verified) == ("pic", True, True)
    assert keys_of(domain)["pic"] is key
    assert not keys_of(Domain("2", "new.example", 0.0))["pic"].verified


def test_a_new_key_is_another_one_and_not_active_yet(domain: Domain) -> None:
    account = Account(ManualClock())
    keys = [new_key(account, domain, "s2", 1024) for _ in range(2)]
    assert len({key.public for key in (*keys, *keys_of(domain).values())}) == 3
    assert [(key.active, key.verified) for key in keys] == [(False, False)] * 2


def test_a_lost_record_shows_after_it_was_looked_up(domain: Domain) -> None:
    domain.absent_records.add("dkim")
    key = keys_of(domain)["pic"]
    assert key_record(domain, key)["valid"] == "valid"
    verify_keys(domain)
    assert (key_record(domain, key)["valid"], key_record(domain, key)["cached"]) == ("unknown", [])


def test_only_active_keys_need_their_records(domain: Domain) -> None:
    keys_of(domain)["s2"] = new_key(Account(ManualClock()), domain, "s2", 1024)
    assert [record["name"] for record in signing_records(domain)] == ["pic._domainkey.d.example"]


@pytest.mark.parametrize(("absent", "valid"), [(set(), "valid"), ({"dkim"}, "unknown")])
def test_keys_that_mailgun_manages_need_two_cnames(domain: Domain, absent: set[str], valid: str) -> None:
    domain.settings["use_automatic_sender_security"] = True
    domain.absent_records |= absent
    assert is_automatic(domain)
    records = signing_records(domain)
    assert [record["value"] for record in records] == [automatic_value(domain, name) for name in ("pdk1", "pdk2")]
    assert {(record["record_type"], record["valid"]) for record in records} == {("CNAME", valid)}


def test_another_domain_of_the_account_can_sign(domain: Domain) -> None:
    account = Account(ManualClock(), domains={"d.example": domain, "top.example": Domain("2", "top.example", 0.0)})
    assert authority(account, domain) is domain
    domain.administration.signing.authority = "top.example"
    assert authority(account, domain).name == "top.example"
