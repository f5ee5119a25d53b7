"""The nearest known name, and the sentence that offers it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.text.suggest import suggest, unknown

KNOWN = ["messages", "domains", "bounces", "ip_pools", "dynamic_pools"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("mesages", "messages"),
        ("domain", "domains"),
        ("bounce", "bounces"),
        ("pools", "ip_pools"),
        ("all_bounces_of_the_account", "bounces"),
        ("messages", "messages"),
        ("zzz", None),
        ("", None),
        ("x" * 1_000_000, None),
    ],
)
def test_the_most_alike_name_is_found(name: str, found: str | None) -> None:
    assert suggest(name, KNOWN) == found


def test_nothing_is_near_when_nothing_is_known() -> None:
    assert suggest("a", []) is None


@pytest.mark.parametrize(
    ("name", "known", "sentence"),
    [
        ("mesages", KNOWN, "unknown toolset 'mesages': did you mean 'messages'?"),
        ("zzz", ["b", "a"], "unknown toolset 'zzz': choose from a, b"),
        ("zzz", [f"name{number}" for number in range(20)], "unknown toolset 'zzz'"),
        ("zzz", [], "unknown toolset 'zzz': there are none"),
    ],
)
def test_an_unknown_name_is_refused_with_what_helps(name: str, known: list[str], sentence: str) -> None:
    assert unknown("toolset", name, known) == sentence


@given(st.text(), st.lists(st.text(min_size=1), max_size=5))
def test_what_is_offered_is_always_known_and_order_does_not_matter(name: str, known: list[str]) -> None:
    found = suggest(name, known)
    assert found is None or found in known
    assert found == suggest(name, reversed(known))


def test_a_name_that_nobody_mistyped_is_not_compared() -> None:
    assert suggest("list_domains" * 100_000, ["list_domains"]) is None


def test_a_long_name_is_not_repeated_whole() -> None:
    sentence = unknown("undo id", "x" * 1_000_000, [f"name{number}" for number in range(20)])
    assert sentence == f"unknown undo id {'x' * 100 + '…'!r}"


def test_the_same_words_in_another_order_are_nearer_than_letters() -> None:
    tools = ["update_open_tracking", "update_click_tracking"]
    assert suggest("update_tracking_click", tools) == "update_click_tracking"
