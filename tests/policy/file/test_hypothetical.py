"""Facts of a call that nobody makes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mailgun_mcp.policy.file.hypothetical import ASSUMPTIONS, NOON, assumed_facts, unknown_arguments, when
from tests.support.operations import find


def test_every_assumption_becomes_a_fact() -> None:
    assumptions = {
        "principal": "ann",
        "client": "IDE",
        "account": "main",
        "region": "eu",
        "subaccount": "s",
        "at": "2026-03-07T22:30",
        "after_untrusted": "5m",
        "recipients_last_hour": 7,
        "addresses_last_hour": 8,
        "sent_before": "2m",
        "spent_this_month": 3,
        "list_members": {"news@example.com": 9},
    }
    assert assumptions.keys() == ASSUMPTIONS.keys()
    facts = assumed_facts(find("send_message"), {"to": ["news@example.com"]}, assumptions, UTC)
    context = facts.context
    assert (context.principal, context.client, context.account) == ("ann", "IDE", "main")
    assert (context.region, context.subaccount) == ("eu", "s")
    assert context.now == datetime(2026, 3, 7, 22, 30, tzinfo=UTC)
    assert (context.untrusted_age, context.duplicate_age) == (300, 120)
    assert (context.recipients_last_hour, context.addresses_last_hour, context.spent_this_month) == (7, 8, 3)
    assert facts.recipient_count == 9


def test_without_a_time_it_is_noon_in_the_zone_of_the_policy() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert assumed_facts(find("list_domains"), {}, {}, berlin).context.now == NOON.replace(tzinfo=berlin)


def test_a_time_may_have_its_own_zone() -> None:
    assert when("2026-03-07T22:30+02:00", UTC) == datetime(2026, 3, 7, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["noon", "", "2026-13-01"])
def test_an_invalid_time_is_refused_with_a_valid_one(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time: write 2026-03-07T22:30"):
        when(text, UTC)


def test_unknown_arguments_are_named_and_missing_ones_are_not() -> None:
    assert unknown_arguments(find("delete_bounce"), {"adress": "a@x.example"}) == [
        "unknown argument of delete_bounce 'adress': did you mean 'address'?"
    ]
