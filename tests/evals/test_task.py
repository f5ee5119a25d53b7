"""Parts of a task: which calls a pattern takes, and what a task must have."""

from typing import Any

import pytest
from pydantic import ValidationError

from mailgun_mcp.evals.task import Change, Goal, PersonRule, Task, ToolCall


@pytest.mark.parametrize(
    ("written", "tool", "arguments", "fits"),
    [
        ("delete_bounce {}", "delete_bounce", {"domain": "a.example"}, True),
        ("delete_* {}", "delete_bounce", {}, True),
        ("delete_bounce {address: A@x.example}", "delete_bounce", {"address": "a@x.example", "more": 1}, True),
        ("send_message {to: a@x.example}", "send_message", {"to": ["a@x.example"]}, True),
        ("update_route {priority: 20}", "update_route", {"priority": "20"}, True),
        ("send_message {to: [a@x.example, b@x.example]}", "send_message", {"to": ["a@x.example"]}, False),
        ("delete_bounce {address: a@x.example}", "delete_bounce", {}, False),
        ("delete_bounce {address: a@x.example}", "delete_bounce", {"address": "b@x.example"}, False),
        ("delete_bounce {}", "delete_complaint", {}, False),
        ("set {active: true}", "set", {"active": 1}, False),
    ],
)
def test_a_pattern_takes_calls_that_mean_the_same(
    written: str, tool: str, arguments: dict[str, Any], fits: bool
) -> None:
    assert ToolCall(call=written).matches(tool, arguments) is fits


def test_a_call_is_written_in_one_line_or_in_two_keys() -> None:
    assert ToolCall(call="get_bounce {domain: a.example}").parts() == ("get_bounce", {"domain": "a.example"})
    assert ToolCall(tool="get_bounce", arguments={"domain": "a.example"}).parts()[1] == {"domain": "a.example"}
    for wrong in ({}, {"call": "a {}", "tool": "a"}, {"call": "a [1]"}):
        with pytest.raises(ValidationError):
            ToolCall.model_validate(wrong)


def test_a_change_is_allowed_once_unless_the_task_says_more() -> None:
    assert Change(call="delete_bounce {}").times == 1


def test_a_rule_of_the_person_is_about_a_tool_and_its_arguments() -> None:
    rule = PersonRule(tool="delete_*", arguments={"address": "a@x.example"}, answer="yes")
    assert rule.matches("delete_bounce", {"address": "a@x.example"})
    assert not rule.matches("delete_bounce", {"address": "b@x.example"})


def test_a_goal_that_nothing_can_miss_is_refused() -> None:
    with pytest.raises(ValidationError, match="an agent that does nothing would succeed"):
        Goal()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "give `scenario` or `account`"),
        ({"scenario": "healthy", "account": {"domains": [{"name": "a.example"}]}}, "give `scenario` or `account`"),
        ({"scenario": "healthy", "bait": "x"}, "come together"),
    ],
)
def test_a_task_is_whole(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Task.model_validate({"id": "a", "family": "change", "goal": {"says": ["x"]}, **fields})
