"""A name that a tool once had still works."""

import pytest

from mailgun_mcp.catalogue.former_names import FORMER_TOOLS, tool_names, toolset_names
from tests.support.operations import catalogue

LONGEST_PREFIX = "mcp__plugin_mailgun_mailgun__"


@pytest.mark.parametrize(("former", "current"), FORMER_TOOLS.items())
def test_a_former_name_finds_the_tool_of_today(former: str, current: str) -> None:
    assert former in catalogue()
    assert catalogue().find(former) is catalogue().find(current)
    assert list(catalogue().select(tools=[former]).names) == [current]
    assert former not in catalogue().names


def test_a_former_name_excludes_the_tool_of_today() -> None:
    (former, current), *_ = FORMER_TOOLS.items()
    assert current not in catalogue().select(exclude=[former]).names


def test_a_rule_can_still_use_the_former_name() -> None:
    assert tool_names("list_bounce_entity_rules") == [
        "list_bounce_entity_rules",
        "list_bounce_classification_entity_rules",
    ]
    assert toolset_names("builtin") == ["builtin", "local"]


def test_every_name_fits_beside_the_longest_prefix_of_a_client() -> None:
    assert [name for name in catalogue().names if len(LONGEST_PREFIX + name) > 64] == []
