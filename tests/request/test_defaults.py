"""Values that the catalogue sends where a call gives none; what a call gives always stays."""

from typing import Any

import pytest

from mailgun_mcp.request.defaults import with_defaults


@pytest.mark.parametrize(
    ("arguments", "filled"),
    [
        ({}, {"pagination": {"limit": 20}}),
        ({"pagination": {"token": "x"}}, {"pagination": {"token": "x", "limit": 20}}),
        ({"pagination": {"limit": 5}}, {"pagination": {"limit": 5}}),
        ({"pagination": "five"}, {"pagination": "five"}),
    ],
)
def test_only_what_a_call_leaves_open_is_filled_in(arguments: dict[str, Any], filled: dict[str, Any]) -> None:
    given = {**arguments}
    assert with_defaults({"pagination/limit": 20}, arguments) == filled
    assert arguments == given


def test_a_list_is_sent_as_a_whole() -> None:
    assert with_defaults({"metrics": ["a"]}, {"metrics": []}) == {"metrics": []}
    assert with_defaults({"metrics": ["a"]}, {}) == {"metrics": ["a"]}
