"""Conditions on the value of an argument."""

from typing import Any

import pytest

from mailgun_mcp.policy.values import MISSING, compile_value, find, number


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("to", ["a", "b"]),
        ("headers.reply-to", "r"),
        ("members.address", ["x", "y"]),
        ("variables.*", [1, 2]),
        ("members.*", [{"address": "x"}, {"address": "y"}]),
        ("gone", MISSING),
        ("headers.gone", MISSING),
        ("to.deeper", MISSING),
    ],
)
def test_a_path_leads_into_the_arguments(path: str, value: Any) -> None:
    arguments = {
        "to": ["a", "b"],
        "headers": {"Reply-To": "r"},
        "members": [{"address": "x"}, {"address": "y"}],
        "variables": {"a": 1, "b": 2},
    }
    assert find(arguments, path) == value


@pytest.mark.parametrize(
    ("condition", "value", "any_holds", "all_hold"),
    [
        ("welcome-*", "welcome-eu", True, True),
        ("a*", ["ab", "b"], True, False),
        (["a", "b"], ["a", "b"], True, True),
        ({"more_than": 5}, [4, 6], True, False),
        ({"at_most": 5}, 5, True, True),
        ({"more_than": 1, "less_than": 3}, 2, True, True),
        ({"not": "a"}, ["a", "b"], True, False),
        ({"any": ["a", "c"]}, "c", True, True),
        ({"all": ["a*", "*b"]}, "ab", True, True),
        ({"exists": False}, MISSING, True, True),
        ({"exists": True}, MISSING, False, False),
        ("a", MISSING, False, False),
        ({"equals": [1, 2]}, [1, 2], True, True),
        ({"equals": {"a": True}}, {"a": 1}, False, False),
        (True, 1, False, False),
        ("true", True, True, True),
        ("5", 5, True, True),
    ],
)
def test_a_rule_that_allows_needs_all_values_and_others_need_one(
    condition: Any, value: Any, any_holds: bool, all_hold: bool
) -> None:
    assert compile_value(condition, every=False)(value) is any_holds
    assert compile_value(condition, every=True)(value) is all_hold


@pytest.mark.parametrize("value", [True, None, "x", "nan", [], 10**400])
def test_what_cannot_be_compared_raises(value: Any) -> None:
    with pytest.raises(ValueError, match="not a number"):
        number(value)


def test_a_number_may_be_text() -> None:
    assert number("1.5") == 1.5


def test_an_unknown_condition_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown condition 'near'"):
        compile_value({"near": 1}, every=False)
