"""An allow needs every value to match, a deny any one; and a condition says what it saw, short and without secrets."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailgun_mcp.policy.conditions import compile_match, show
from mailgun_mcp.policy.facts import Facts
from mailgun_mcp.policy.model import DecisionEffect
from tests.support.policies import facts, send


def holds(match: dict[str, Any], call: Facts, effect: DecisionEffect = "deny", zone: str = "UTC") -> bool:
    compiled = compile_match(match, effect, ZoneInfo(zone))
    return compiled.covers(call.operation) and all(condition.holds(call) for condition in compiled.of_call)


@pytest.mark.parametrize(("effect", "matches"), [("allow", False), ("confirm", True), ("deny", True)])
def test_one_outsider_is_enough_to_hold_a_send_back(effect: DecisionEffect, matches: bool) -> None:
    mixed = send("ann@example.com", "eve@evil.example")

    assert holds({"recipients": {"domains": "evil.example"}}, mixed, effect) is matches
    assert holds({"recipients": {"domains": ["example.com", "evil.example"]}}, mixed, effect)


def test_an_allow_needs_at_least_one_value() -> None:
    assert not holds({"destinations": "*"}, send("ann@example.com"), "allow")


def test_hours_are_those_of_the_zone_of_the_policy() -> None:
    call = send("ann@example.com", now=datetime(2026, 1, 7, 8, 30, tzinfo=UTC))

    assert holds({"hour": "9-17"}, call, zone="Europe/Berlin")
    assert not holds({"hour": "9-17"}, call, zone="UTC")


def test_what_only_a_header_says_is_described_as_that() -> None:
    call = send("bob@good.example", headers={"X-Mailgun-Drop-Message": "yes"})
    (condition,) = compile_match({"arguments": {"test_mode": True}}, "allow", ZoneInfo("UTC")).of_call

    assert not condition.holds(call)
    assert condition.seen(call) == "True (by a header)"


def test_the_value_of_a_secret_argument_is_not_described() -> None:
    call = facts("create_smtp_credentials", {"domain": "mg.example.com", "password": "hunter2hunter2"})
    (condition,) = compile_match({"arguments": {"password": "x"}}, "deny", UTC).of_call

    assert condition.seen(call) == "a secret"


def test_many_values_are_shown_short() -> None:
    assert show(["a", "b", "c", "d", "e"]) == "'a', 'b', 'c' and 2 more"
    assert show(()) == "none"
    assert len(show("x" * 1000)) < 100
