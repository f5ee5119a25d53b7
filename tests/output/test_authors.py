"""Tests for mailgun_mcp.output.authors."""

from typing import Any

import pytest

from mailgun_mcp.output.authors import MAIL, THIRD_PARTY, Fields, expected_records, is_own_mail, sender, writers
from tests.support.operations import find

SENT = {"event": "delivered", "flags": {"is-authenticated": True}}


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({"message": {"headers": {"from": "Kim <kim@example.org>"}}, "sender": "b@example.net"}, "kim@example.org"),
        ({"From": '"ceo@bank.example" <x@evil.example>'}, "x@evil.example"),
        ({"envelope": {"sender": "bounce@example.org"}}, "bounce@example.org"),
        ({"from": "Kim ⟦ kim at example ⟧"}, ""),
        ({"from": ["kim@example.org"], "message": "none", "envelope": None}, ""),
        ("kim@example.org", ""),
    ],
)
def test_the_sender_is_the_last_address_that_the_mail_gives(fields: Any, address: str) -> None:
    assert sender(fields) == address


@pytest.mark.parametrize(
    ("event", "own"),
    [
        (SENT, True),
        ({**SENT, "flags": {"is-authenticated": "true"}}, False),
        ({**SENT, "flags": {"is-authenticated": True, "is-routed": True}}, False),
        ({**SENT, "mailing-list": {"address": "team@example.org"}}, False),
        ({**SENT, "event": "stored"}, False),
        ({"event": "delivered"}, False),
        ([SENT], False),
    ],
)
def test_mail_is_the_accounts_own_only_where_mailgun_says_so_and_nobody_elses_is_passed_on(
    event: Any, own: bool
) -> None:
    assert is_own_mail(event) is own


def test_what_the_catalogue_does_not_name_is_by_a_third_party() -> None:
    written = writers(find("get_domain"))
    assert isinstance(written, Fields)
    assert written.others == THIRD_PARTY
    events = writers(find("list_events"))
    assert MAIL in repr(events)


def test_the_records_that_mailgun_asks_for_are_expected_in_the_dns() -> None:
    assert expected_records({"value": "v=spf1", "dns_record": {"value": "k=rsa"}}) == ("v=spf1", "k=rsa")
    assert expected_records("v=spf1") == ()
