"""Hints for clients that load tools when they are needed."""

from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS, listed
from mailgun_mcp.catalogue.client_hints import (
    ALWAYS_LOAD,
    ALWAYS_LOADED,
    ASKS_PERSON,
    RESULT_CHARACTERS,
    RESULT_SIZE,
    SEARCH_HINT,
    hints_of,
)
from mailgun_mcp.catalogue.tool_costs import list_bytes
from mailgun_mcp.catalogue.types import Record
from tests.support.operations import catalogue


def tools(*, search_mode: bool = False) -> dict[str, Record]:
    return {tool["name"]: tool for tool in listed(catalogue(), search_mode=search_mode)}


def test_the_eight_tools_that_everyone_needs_are_always_loaded() -> None:
    loaded = {name for name, tool in tools().items() if ALWAYS_LOAD in tool["_meta"]}
    assert loaded == ALWAYS_LOADED
    assert len(loaded) == 8


def test_every_other_tool_has_a_short_search_hint() -> None:
    hints = {name: tool["_meta"].get(SEARCH_HINT, "") for name, tool in tools().items() if name not in ALWAYS_LOADED}
    assert [name for name, hint in hints.items() if not 5 <= len(hint.split()) <= 14] == []


def test_results_of_reads_are_given_to_the_model_whole() -> None:
    sizes = {name: tool["_meta"].get(RESULT_SIZE) for name, tool in tools().items()}
    reads = {name for name, tool in tools().items() if tool["annotations"]["readOnlyHint"]}
    assert {name for name, size in sizes.items() if size == RESULT_CHARACTERS} == reads
    assert set(sizes.values()) == {RESULT_CHARACTERS, None}


def test_all_that_search_mode_lists_is_always_loaded_and_the_list_stays_small() -> None:
    shown = tools(search_mode=True)
    assert {frozenset(key for key in tool["_meta"] if "anthropic" in key) for tool in shown.values()} == {
        frozenset({ALWAYS_LOAD})
    }
    assert list_bytes(shown.values()) < 10_000


def test_clients_ask_a_person_only_where_they_are_told_to() -> None:
    marked = listed(catalogue(), asks_person={"delete_domain", "undo_operation"})
    assert [tool["name"] for tool in marked if ASKS_PERSON in tool["_meta"]] == ["delete_domain", "undo_operation"]
    assert not any(ASKS_PERSON in tool["_meta"] for tool in listed(catalogue()))


def test_a_hint_for_one_list_is_in_no_other() -> None:
    listed(catalogue(), search_mode=True)
    assert {name for name in (*catalogue().names, *OWN_TOOLS) if ALWAYS_LOAD in tools()[name]["_meta"]} == ALWAYS_LOADED


def test_a_tool_that_nobody_has_phrases_for_has_no_search_hint() -> None:
    assert hints_of("get_thing", reads=False) == {}
