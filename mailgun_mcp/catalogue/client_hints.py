"""Hints in `_meta` for clients that load tools on demand. Clients ignore keys that they do not know."""

from mailgun_mcp.catalogue.types import Record

ALWAYS_LOAD = "anthropic/alwaysLoad"
"""The client gives the tool to its model from the start."""
SEARCH_HINT = "anthropic/searchHint"
"""Words with which the client's own search finds the tool."""
RESULT_SIZE = "anthropic/maxResultSizeChars"
"""The longest result that the client passes to its model in full instead of as a file."""
ASKS_PERSON = "anthropic/requiresUserInteraction"
"""The client asks a person before every call, whatever that person has allowed."""

HINTS = frozenset({ALWAYS_LOAD, SEARCH_HINT, RESULT_SIZE, ASKS_PERSON})

RESULT_CHARACTERS = 64_000
"""Longest result in characters. Common clients take at most 25,000 tokens; dense JSON has 2.6 characters per token."""

ALWAYS_LOADED = frozenset(
    {
        *("list_domains", "query_logs", "query_metrics", "send_message"),
        *("explain_delivery", "deliverability_report", "read_result", "undo_operation"),
    }
)
"""The tools that nearly every conversation needs."""


def hints_of(name: str, *, reads: bool, found_by: str = "") -> Record:
    """Return the hints for a tool. `found_by` are words that people use when they look for it."""
    hints: Record = {}
    if name in ALWAYS_LOADED:
        hints[ALWAYS_LOAD] = True
    elif found_by:
        hints[SEARCH_HINT] = found_by
    if reads:
        hints[RESULT_SIZE] = RESULT_CHARACTERS
    return hints


def with_hint(tool: Record, hint: str) -> Record:
    """Return the tool with one more hint."""
    return {**tool, "_meta": {**tool["_meta"], hint: True}}


def without_hints(tool: Record) -> Record:
    """Return the tool without hints, for a list that is small in any case."""
    return {**tool, "_meta": {key: value for key, value in tool["_meta"].items() if key not in HINTS}}
