"""Failures are classified by the text of the refusal, and by who refused."""

from typing import Any

import pytest

from mailgun_mcp.simulator.model.bounce_rules import ENTITIES, GROUPS, all_rules, classify, provider_entity


def failed(message: str, provider: str = "Gmail", **more: Any) -> dict[str, Any]:
    return {"event": "failed", "recipient-provider": provider, "delivery-status": {"message": message}, **more}


@pytest.mark.parametrize(
    ("message", "group", "entity"),
    [
        ("5.1.1 The account does not exist", "invalid-recipient", "gmail"),
        ("4.2.2 The mailbox is over quota", "mailbox-full", "gmail"),
        ("5.7.26 This mail is unauthenticated", "authentication", "gmail"),
        ("5.7.1 blocked using zen.spamhaus.org", "blocklisted", "spamhaus"),
        ("Mimecast: message rejected as spam", "spam-content", "mimecast"),
        ("a reason that nobody gives", "other", "gmail"),
    ],
)
def test_a_failure_falls_under_the_rule_of_its_text(message: str, group: str, entity: str) -> None:
    rule = classify(failed(message))
    assert rule is not None
    assert (rule.group.id, rule.entity) == (group, entity)
    assert all_rules()[rule.id] == rule


def test_each_sample_falls_into_its_own_group() -> None:
    classified = [classify(failed(group.sample)) for group in GROUPS]
    assert [rule.group.id for rule in classified if rule] == [group.id for group in GROUPS]


def test_other_events_and_suppressed_mail_have_no_rule() -> None:
    assert classify({"event": "delivered"}) is None
    assert classify(failed("x", reason="suppress-bounce")) is None


def test_rule_ids_are_unique() -> None:
    assert len(all_rules()) == len(ENTITIES) * len(GROUPS)


def test_an_unknown_provider_is_other() -> None:
    assert provider_entity({"recipient-provider": "Nobody"}) == provider_entity({}) == "other"
