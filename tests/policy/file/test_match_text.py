"""The match of a grant, as a person writes it."""

import pytest

from mailgun_mcp.policy.file.match_text import parse_match
from mailgun_mcp.settings import SettingsError


def test_pairs_and_json_say_the_same() -> None:
    match = {"tool": ["delete_*", "clear_*"], "domain": "staging.*", "bulk": True}
    assert parse_match("tool=delete_*,tool=clear_*, domain=staging.*,bulk=true", "match") == match
    assert parse_match('{"tool": ["delete_*", "clear_*"], "domain": "staging.*", "bulk": true}', "match") == match


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tool", "match: 'tool' must be KEY=GLOB"),
        ("tool=", "must be KEY=GLOB"),
        ("{}", "match: this matches every call"),
        ("tol=x", "tool"),
        ("{", "match: "),
    ],
)
def test_what_is_not_a_match_is_refused_and_says_where(text: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_match(text, "match")
    assert problem in str(caught.value)
