"""A record has what the log needs of a call, without long texts and what the policy calls personal."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from mailgun_mcp.audit.call_record import DEEPEST, LONGEST, PERSONAL, CallRecord, new_record
from mailgun_mcp.identity.account import Account
from mailgun_mcp.policy.model import AuditRules, Decision
from tests.support.calls import LOCAL
from tests.support.operations import find

ACCOUNT = Account("main", "https://api.mailgun.net", "us")


def record(tool: str, arguments: dict[str, Any], **rules: Any) -> CallRecord:
    return new_record(find(tool), arguments, LOCAL, ACCOUNT, None, policy=("guarded", "0"), rules=AuditRules(**rules))


def test_what_is_not_set_is_left_out() -> None:
    body = record("list_domains", {}).body()
    assert (body["tool"], body["principal"], body["account"], body["region"]) == ("list_domains", "local", "main", "us")
    assert {"client", "subaccount", "decision", "grants", "snapshot"}.isdisjoint(body)


def test_a_decision_is_written_with_its_rule() -> None:
    made = record("list_domains", {})
    made.decision = Decision("allow", "a rule", "a reason")
    assert made.body()["decision"] == {"effect": "allow", "rule": "a rule", "reason": "a reason"}


def test_a_long_text_is_its_length_and_digest() -> None:
    arguments = record("send_message", {"text": "x" * (LONGEST + 1), "subject": "x" * LONGEST}).arguments
    assert arguments["text"].keys() == {"characters", "sha256"}
    assert arguments["subject"] == "x" * LONGEST


@pytest.mark.parametrize("around", [lambda value: {"a": value}, lambda value: [value]], ids=["objects", "arrays"])
def test_what_is_nested_deeply_is_recorded_to_a_bounded_depth(around: Callable[[Any], Any]) -> None:
    value: Any = {"end": 1}
    for _ in range(100_000):
        value = around(value)
    recorded = json.dumps(record("send_message", {"variables": value, "to": [value] * (LONGEST + 1)}).arguments)
    assert recorded.count('"a"') + recorded.count("[") <= DEEPEST
    assert recorded.count('"recorded": false') == 2


def test_personal_values_are_left_out_where_the_rules_say_so() -> None:
    arguments = {"domain": "mg.example.com", "address": "ann@example.com"}
    assert record("get_bounce", arguments, personal=True).arguments == arguments
    assert record("get_bounce", arguments, personal=False).arguments["address"] == PERSONAL


def test_only_a_read_changes_nothing() -> None:
    assert [record(tool, {}).changes for tool in ("get_bounce", "send_message", "delete_bounce")] == [False, True, True]
