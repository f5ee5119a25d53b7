"""What listed tools cost, measured against a tokenizer."""

import json

from mailgun_mcp.catalogue.builtin_tools import listed
from mailgun_mcp.catalogue.tool_costs import READ_BY_MODELS, estimated_tokens, list_bytes
from tests.support.operations import catalogue
from tests.support.tokens import count_tokens


def test_the_estimate_is_within_a_tenth_of_the_real_tokens_for_every_toolset() -> None:
    def error(toolset: str) -> float:
        tools = catalogue().select(toolsets=[toolset]).tools()
        texts = [json.dumps({key: tool[key] for key in READ_BY_MODELS}, separators=(",", ":")) for tool in tools]
        return estimated_tokens(tools) / sum(map(count_tokens, texts)) - 1

    assert [f"{toolset}: {error(toolset):+.0%}" for toolset in catalogue().toolsets if abs(error(toolset)) > 0.1] == []


def test_the_size_is_that_of_the_list_on_the_wire() -> None:
    tools = listed(catalogue())
    assert list_bytes(tools) == len(json.dumps(tools, ensure_ascii=False, separators=(",", ":")).encode())
