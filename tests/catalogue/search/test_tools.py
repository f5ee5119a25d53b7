"""The tools of search mode."""

import json

import pytest

from mailgun_mcp.catalogue.builtin_tools import BUILTIN_TOOLS, LISTED_WORKFLOWS, SEARCH_MODE_TOOLS, listed, offered
from mailgun_mcp.catalogue.search.tools import ALWAYS_LISTED, CALL_TOOL, READ_TOOL
from tests.support.operations import catalogue

MOST_TOKENS = 2_000
MOST_BYTES = 10_000


@pytest.mark.filterwarnings("ignore:open_binary is deprecated")  # bpe_openai
def test_search_mode_lists_few_tools_for_few_tokens() -> None:
    from benchmarks.tokens import tokens

    tools = listed(catalogue(), search_mode=True)
    assert [tool["name"] for tool in tools] == [*SEARCH_MODE_TOOLS, *ALWAYS_LISTED, *LISTED_WORKFLOWS, *BUILTIN_TOOLS]
    assert sum(map(tokens, tools)) < MOST_TOKENS
    assert len(json.dumps(tools, separators=(",", ":"))) < MOST_BYTES


def test_only_the_reading_tools_say_that_they_read() -> None:
    reading = {name for name, tool in SEARCH_MODE_TOOLS.items() if tool["annotations"]["readOnlyHint"]}
    assert reading == SEARCH_MODE_TOOLS.keys() - {CALL_TOOL}


def test_a_server_that_only_reads_has_no_tool_that_does_more() -> None:
    tools = offered(catalogue().select(read_only=True), search_mode=True)
    assert READ_TOOL in tools
    assert CALL_TOOL not in tools
