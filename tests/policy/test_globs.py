"""Globs as a policy writes them, compared with what a call says."""

import re
from fnmatch import translate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.policy.globs import address_matcher, can_match_host, host_matcher, is_glob, matcher


@pytest.mark.parametrize(
    ("globs", "text", "matches"),
    [
        ([], "a", False),
        (["*"], "", True),
        (["a"], "A", True),
        (["*.example.com"], "mg.EXAMPLE.com", True),
        (["*.example.com"], "example.com", False),
        (["delete_*"], "delete_x", True),
        (["delete_*"], "undelete_x", False),
        (["*.example.com", "?.example.com"], "a.example.org", False),
        (["*.example.com", "?example.com"], "xexample.com", True),
        (["*a*"], "bab", True),
        (["a*", "*b", "c"], "c", True),
        (["a*", "*b", "c"], "xb", True),
        (["a*", "*b", "c"], "ax", True),
        (["a*", "*b", "c"], "x", False),
        (["[ab]c"], "bc", True),
        (["a.c"], "abc", False),
        (["**"], "x", True),
    ],
)
def test_globs(globs: list[str], text: str, matches: bool) -> None:
    assert matcher(globs)(text) is matches


@pytest.mark.parametrize(
    ("globs", "matches"),
    [
        (["example.com"], True),
        (["*@example.com"], True),
        (["bob@*"], True),
        (["*"], True),
        (["bob"], False),
        ([], False),
    ],
)
def test_a_glob_without_at_is_for_the_domain(globs: list[str], matches: bool) -> None:
    assert address_matcher(globs)("bob@example.com") is matches


@given(st.lists(st.text("ab.*?", max_size=5), max_size=4), st.text("ab.A", max_size=6))
def test_the_quick_ways_say_the_same_as_the_patterns(globs: list[str], text: str) -> None:
    slow = any(re.match(translate(glob.lower()), text.lower()) for glob in globs)
    assert matcher(globs)(text) is slow


@pytest.mark.parametrize(("text", "glob"), [("a", False), ("a*", True), ("a?", True), ("[ab]", True), ("", False)])
def test_a_glob_is_more_than_a_name(text: str, glob: bool) -> None:
    assert is_glob(text) is glob


def test_hosts_and_addresses_compare_in_a_label_form() -> None:
    assert host_matcher(["*.b\u00fccher.example"])("mg.xn--bcher-kva.example")
    assert address_matcher(["b\u00fccher.example"])("eve@xn--bcher-kva.example")
    assert address_matcher(['"Eve"@bad.example'])("eve@bad.example")


@pytest.mark.parametrize(
    "glob",
    [
        *(
            "*",
            "*.example.com",
            "BAD.example",
            "eve@*",
            "*@*.example.com",
            "[ab].example",
            "b\u00fcse.example",
            "team-?.example.com",
        ),
        *(
            "203.0.113.5",
            "[203.0.113.5]",
            "2001:db8::1",
            "2001:db8::*",
            "eve@[203.0.113.5]",
            "localhost",
            "\uff42ad.example",
            '"eve"@x.example',
        ),
    ],
)
def test_a_glob_that_can_match_a_host(glob: str) -> None:
    assert can_match_host(glob)


@pytest.mark.parametrize(
    "glob",
    [
        *(
            "bad.example.",
            ".bad.example",
            "bad..example",
            " bad.example",
            "bad .example",
            "b\u200bad.example",
            "b\u00adad.example",
        ),
        *(
            "https://bad.example",
            "bad.example/x",
            "bad.example:25",
            "@bad.example",
            "eve@@bad.example",
            "eve @bad.example",
        ),
    ],
)
def test_a_glob_that_can_match_none(glob: str) -> None:
    assert not can_match_host(glob)
