"""The first lines say what the call does, to what, and where; what a person types is the name of what is lost."""

from typing import Any

import pytest

from mailgun_mcp.confirm.headline import TYPED, headline, risk, target_name
from tests.support.operations import find

BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}


@pytest.mark.parametrize(
    ("tool", "arguments", "line"),
    [
        ("delete_bounce", BOUNCE, "Remove a bounce: ann@example.com (domain mg.example.com)."),
        ("delete_domain", {"domain": "mg.example.com"}, "Delete a domain: mg.example.com."),
        ("clear_bounces", {"domain": "mg.example.com"}, "Clear all bounces (domain mg.example.com)."),
        ("delete_all_dynamic_pools", {}, "Remove all dynamic IP pools."),
        (
            "delete_domain_key",
            {"domain": "mg.example.com", "selector": "k1"},
            "Delete a domain key: k1 (domain mg.example.com).",
        ),
    ],
)
def test_the_first_line_names_the_target_and_where_it_is(tool: str, arguments: dict[str, Any], line: str) -> None:
    assert headline(find(tool), arguments) == line


def test_the_second_line_says_what_makes_the_call_risky() -> None:
    line = risk(find("disable_subaccount"))
    assert line == "Risk: destructive. It stops all mail of the subaccount."
    assert risk(find("clear_bounces")) == "Risk: destructive, bulk."


@pytest.mark.parametrize(
    ("tool", "arguments", "name"),
    [
        ("delete_bounce", BOUNCE, "ann@example.com"),
        ("delete_domain_tag", {"domain": "mg.example.com", "tag": "weekly"}, "weekly"),
        ("delete_account_tag", {"tag": "weekly"}, "weekly"),
        ("delete_domain_key", {"domain": "mg.example.com", "selector": "k1"}, "k1"),
        ("delete_ip_allowlist_entry", {"address": "192.0.2.7"}, "192.0.2.7"),
        ("delete_all_dynamic_pools", {}, "delete_all_dynamic_pools"),
        ("delete_bounce", {**BOUNCE, "address": "a" * (TYPED + 1)}, "delete_bounce"),
    ],
)
def test_what_is_typed_is_the_name_of_what_is_lost_or_else_the_tool(
    tool: str, arguments: dict[str, Any], name: str
) -> None:
    assert target_name(find(tool), arguments) == name


def test_an_invisible_character_in_the_target_is_marked() -> None:
    assert headline(find("delete_route"), {"id": "a\u202eb"}) == "Delete a route: a<U+202E>b."
