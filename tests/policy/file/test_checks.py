"""What a policy file says beyond its shape: names, conditions, levels."""

from typing import Any

import pytest

from mailgun_mcp.policy.file.checks import condition_problems, problems, unreachable_levels
from mailgun_mcp.policy.model import ConfirmationRules
from tests.support.operations import catalogue


def of_rule(match: dict[str, Any]) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what is wrong with a file of one rule."""
    return list(problems({"rules": [{"match": match, "decision": "deny"}]}, catalogue()))


def test_a_rule_that_can_match_has_no_problem() -> None:
    assert of_rule({"tool": ["delete_*"], "arguments": {"domain": "a*"}}) == []
    assert of_rule({"tool": ["undo_operation"]}) == []


@pytest.mark.parametrize(
    ("match", "path", "problem"),
    [
        ({"tool": ["delete_bounces_"]}, ("tool", 0), "unknown tool 'delete_bounces_'"),
        ({"toolset": ["bounces", "bouncez"]}, ("toolset", 1), "did you mean 'bounces'?"),
        ({"tool": ["delete_*"], "risk": ["read"]}, (), "no operation matches all of this"),
        ({"tool": ["delete_bounce"], "arguments": {"adress": "a"}}, ("arguments", "adress"), "did you mean 'address'?"),
    ],
)
def test_a_rule_that_never_matches_is_a_problem(
    match: dict[str, Any], path: tuple[str | int, ...], problem: str
) -> None:
    ((found_path, text),) = of_rule(match)
    assert found_path == ("rules", 0, "match", *path)
    assert problem in text


def test_two_rules_of_one_name_are_a_problem() -> None:
    rule = {"name": "a", "match": {}, "decision": "deny"}
    assert list(problems({"rules": [rule, rule]}, catalogue())) == [
        (("rules", 1, "name"), "rule 1 has the same name 'a'")
    ]


@pytest.mark.parametrize("level", ["approval", "two_people"])
def test_a_level_that_no_method_reaches_is_a_problem(level: str) -> None:
    value = {"rules": [{"match": {}, "decision": "confirm", "level": level}]}
    assert [path for path, _ in unreachable_levels(value, ConfirmationRules(methods=("elicitation",)))] == [
        ("rules", 0, "level")
    ]
    assert list(unreachable_levels(value, ConfirmationRules())) == []


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ({}, "the condition is empty"),
        ([], "an empty list matches nothing"),
        ({"more_than": "5"}, "more_than needs a number, not '5'"),
        ({"more_than": True}, "more_than needs a number, not True"),
        ({"exists": "yes"}, "exists needs true or false, not 'yes'"),
        ({"any": "a"}, "any needs a list"),
        ({"not": {"moer_than": 1}}, "unknown condition 'moer_than': did you mean 'more_than'?"),
    ],
)
def test_a_condition_that_cannot_hold_is_a_problem(condition: Any, problem: str) -> None:
    assert [text for _, text in condition_problems((), condition)] == [problem]


@pytest.mark.parametrize(
    "condition", ["a*", 5, None, ["a", {"more_than": 1}], {"any": ["a"]}, {"not": {"exists": True}}]
)
def test_a_condition_that_can_hold_has_no_problem(condition: Any) -> None:
    assert list(condition_problems((), condition)) == []
