"""Too long results are cut, and read on to the last character."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mailgun_mcp.call.results import KEPT_SECONDS, Owner, Results
from mailgun_mcp.catalogue.builtin_tools import BUILTIN_TOOLS, READ_RESULT
from mailgun_mcp.catalogue.client_hints import RESULT_CHARACTERS as LIMIT
from mailgun_mcp.text.compact_json import compact
from tests.support.operations import find

SMALL = 2_000
NASTY = st.sampled_from(['"', "\\", "\0", "\n", "é", "\N{GRINNING FACE}", "a"])


def values(size: int) -> st.SearchStrategy[Any]:
    texts = st.builds(lambda part, times: part * times, st.text(NASTY, max_size=8), st.integers(0, size))
    scalars = st.none() | st.booleans() | st.integers() | texts
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(NASTY, max_size=20), inner, max_size=30),
        max_leaves=30,
    )


def results_of_any_size() -> st.SearchStrategy[dict[str, Any]]:
    many = st.integers(0, 2_000).map(lambda count: {f"field{number}": number for number in range(count)})
    return many | st.dictionaries(st.text(NASTY, max_size=SMALL), values(1_000), max_size=6)


def part_of(results: Results, name: str, offset: int) -> dict[str, Any] | None:
    kept = results.find(name)
    return None if kept is None else results.part(kept, offset)


def read_all(results: Results, name: str) -> str:
    """Read a kept result as a client does: by calling with what `next` says, each part fitted once more."""
    parts: list[str] = []
    following: dict[str, Any] | None = {"result": name, "offset": 0}
    while following:
        part = part_of(results, following["result"], following["offset"])
        assert part is not None
        fitted, text = results.fit(part)
        assert fitted == part
        assert len(text) <= results.limit
        Draft202012Validator(BUILTIN_TOOLS[READ_RESULT]["outputSchema"]).validate(part)
        parts.append(part["text"])
        following = part["next"]
    return "".join(parts)


def name_in(cut: dict[str, Any]) -> str:
    name: str = cut["read_on"].partition("result='")[2].partition("'")[0]
    return name


def test_a_short_result_stays_whole_and_its_text_is_the_same_as_compact_json() -> None:
    structured = {"items": [{"name": "ü"}], "next": None}
    assert Results().fit(structured) == (structured, '{"items":[{"name":"ü"}],"next":null}')


@pytest.mark.slow
@given(structured=results_of_any_size())
def test_a_result_fits_the_limit_and_what_was_cut_is_read_on_exactly(structured: dict[str, Any]) -> None:
    results = Results(limit=SMALL)
    shown, text = results.fit(structured)
    assert len(text) <= SMALL
    assert text == compact(shown)
    if shown is not structured:
        assert json.loads(read_all(results, name_in(shown["cut"]))) == structured


@given(data=st.data())
def test_a_cut_result_still_satisfies_the_output_schema(data: st.DataObject) -> None:
    operation = find("list_bounces")
    text = st.text(NASTY, min_size=1, max_size=30).map(lambda part: part * 40)
    item = st.fixed_dictionaries({"address": text, "code": text, "error": text})
    structured = {
        "items": data.draw(st.lists(item, max_size=40)),
        "paging": {"next": data.draw(text)},
        "next": {"page": "next"},
    }
    shown, _ = Results(limit=SMALL).fit(structured)
    Draft202012Validator(operation.output_schema).validate(shown)
    assert shown["next"] == {"page": "next"}


def test_a_cut_list_keeps_whole_items_from_its_start() -> None:
    items = [{"address": f"person{number:04}@example.com"} for number in range(1_000)]
    shown, _ = Results(limit=SMALL).fit({"items": items, "total": 1_000})
    assert shown["total"] == 1_000
    assert 10 < len(shown["items"]) < 100
    assert shown["items"] == items[: len(shown["items"])]


def test_a_cut_text_says_how_long_it_was() -> None:
    shown, _ = Results(limit=SMALL).fit({"body": "x" * 9_000})
    kept, _, told = shown["body"].partition("…")
    assert (set(kept), told) == ({"x"}, " [cut: 9,000 characters in all]")


def test_the_cut_result_says_how_to_read_on() -> None:
    shown, _ = Results(limit=SMALL).fit({"body": "x" * 9_000})
    name = name_in(shown["cut"])
    assert shown["cut"] == {
        "characters": 9_011,
        "read_on": f"The result is too long and was cut. For an hour, read_result with result='{name}' returns all of "
        f"it in parts.",
    }


def test_only_the_last_results_are_kept() -> None:
    results = Results(limit=SMALL, most_results=2)
    names = [name_in(results.fit({"body": str(number) * 9_000})[0]["cut"]) for number in range(3)]
    assert [results.find(name) is not None for name in names] == [False, True, True]


def test_kept_results_are_bounded_in_size_but_the_last_is_always_kept() -> None:
    results = Results(limit=SMALL, most_characters=10_000)
    names = [name_in(results.fit({"body": str(number) * 9_000})[0]["cut"]) for number in range(2)]
    names.append(name_in(results.fit({"body": "x" * 90_000})[0]["cut"]))
    assert [results.find(name) is not None for name in names] == [False, False, True]


def test_a_kept_result_is_there_for_an_hour() -> None:
    now = 0.0
    results = Results(limit=SMALL, clock=lambda: now)
    name = results.keep("x" * 9_000)
    now = KEPT_SECONDS - 1
    assert results.find(name) is not None
    now = KEPT_SECONDS
    assert results.find(name) is None


def test_each_kept_result_is_to_be_saved_once() -> None:
    results = Results(limit=SMALL)
    name = results.keep("x", owner=Owner("ann", "a1"))
    assert [(result.name, result.owner) for result in results.take_unsaved()] == [(name, Owner("ann", "a1"))]
    assert results.take_unsaved() == []


def test_the_limit_is_below_what_common_clients_take() -> None:
    assert LIMIT / 2.6 < 25_000


def test_an_offset_past_the_end_reads_nothing_more() -> None:
    results = Results(limit=SMALL)
    name = name_in(results.fit({"body": "x" * 9_000})[0]["cut"])
    assert part_of(results, name, 99_999) == {
        "text": "",
        "characters": 9_011,
        "next": None,
    }
