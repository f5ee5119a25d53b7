"""Workflow tools: short listings, tools that exist, and offered with what they call."""

import pytest

from mailgun_mcp.catalogue.builtin_tools import listed, offered
from mailgun_mcp.catalogue.workflow_tools import WORKFLOW_TOOLS, listing
from tests.support.operations import catalogue, find
from tests.support.portable import breaches

MOST_TOKENS = 120


def test_what_they_call_exists_and_only_reads() -> None:
    called = {name for tool in WORKFLOW_TOOLS.values() for name in (*tool.needs, *tool.uses)}
    assert [name for name in sorted(called) if find(name).risk != "read"] == []


@pytest.mark.filterwarnings("ignore:open_binary is deprecated")  # bpe_openai
def test_the_listings_are_short_and_portable() -> None:
    from benchmarks.tokens import tokens

    assert [name for name in WORKFLOW_TOOLS if tokens(listing(name)) > MOST_TOKENS] == []
    assert [fault for name in WORKFLOW_TOOLS for fault in breaches(listing(name)["inputSchema"])] == []


def test_one_without_what_it_needs_is_not_offered() -> None:
    chosen = catalogue().select(tools=["list_bounces", "list_complaints", "list_unsubscribes"])
    assert [name for name in WORKFLOW_TOOLS if name in offered(chosen)] == ["plan_suppression_cleanup"]
    assert "plan_suppression_cleanup" not in offered(chosen, ["plan_suppression_cleanup"])


def test_in_search_mode_one_is_listed_and_all_are_offered() -> None:
    shown = {tool["name"] for tool in listed(catalogue(), search_mode=True)}
    assert shown & WORKFLOW_TOOLS.keys() == {"explain_delivery"}
    assert offered(catalogue(), search_mode=True).keys() >= WORKFLOW_TOOLS.keys()
