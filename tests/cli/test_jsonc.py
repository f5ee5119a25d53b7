"""JSON with comments, edited in place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.cli.jsonc import JsoncError, is_blank, parse, with_item, with_member, without_item, without_member

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(documents, st.sampled_from([None, 1, 2, "\t"]), st.booleans())
def test_plain_json_means_what_it_means_to_json(document: Any, indent: Any, ascii_only: bool) -> None:
    assert parse(json.dumps(document, indent=indent, ensure_ascii=ascii_only)).value == document


@given(st.dictionaries(st.text(), documents, max_size=3), st.text(), documents, st.sampled_from([None, 2, "\t"]))
def test_a_member_is_added_or_replaced(document: dict[str, Any], key: str, value: Any, indent: Any) -> None:
    text = json.dumps(document, indent=indent)
    assert parse(with_member(text, parse(text), key, value)).value == {**document, key: value}


@given(st.lists(documents, max_size=3), documents, st.sampled_from([None, 2]))
def test_an_item_is_added_at_the_end(document: list[Any], value: Any, indent: Any) -> None:
    text = json.dumps(document, indent=indent)
    assert parse(with_item(text, parse(text), value)).value == [*document, value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('// first\n{"a": 1, /* b */ "b": [1, 2,], }\n// last', {"a": 1, "b": [1, 2]}),
        ('{"url": "http://x" /* not // this */}', {"url": "http://x"}),
        ("[/**/]", []),
    ],
)
def test_comments_and_trailing_commas_are_passed_over(text: str, value: Any) -> None:
    assert parse(text).value == value


@pytest.mark.parametrize("comment", ["/* a */", "// see https://x.example"])
def test_a_file_with_many_comments_is_not_blank_and_takes_no_time(comment: str) -> None:
    assert is_blank(f"{comment}\n" * 100)
    assert not is_blank(f"{comment}\n" * 100 + "{}")


def test_a_new_member_keeps_the_comment_beside_the_last_one() -> None:
    text = '{\n    "a": 1 // one\n}'
    assert with_member(text, parse(text), "b", 2) == '{\n    "a": 1, // one\n    "b": 2\n}'


def test_a_new_member_follows_the_files_trailing_comma() -> None:
    text = '{\n\t"a": 1, // one\n}'
    assert with_member(text, parse(text), "b", [2]) == '{\n\t"a": 1, // one\n\t"b": [\n\t\t2\n\t],\n}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected a value"),
        ("{,}", "line 1: expected a value"),
        ("{1: 2}", "line 1: expected a name in quotes"),
        ('{\n"a": 1\n"b": 2}', "line 3: expected a comma or }"),
        ("[1 2]", "line 1: expected a comma or ]"),
        ("[1,,2]", "line 1: expected a value"),
        ("01", "line 1: expected a value"),
        ("{} /* open", "line 1: text after the end"),
    ],
)
def test_an_invalid_text_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(JsoncError) as caught:
        parse(text)
    assert str(caught.value) == message


@given(st.dictionaries(st.text(), documents, min_size=1, max_size=4), st.data(), st.sampled_from([None, 2, "\t"]))
def test_a_member_is_removed(document: dict[str, Any], data: st.DataObject, indent: Any) -> None:
    text, key = json.dumps(document, indent=indent), data.draw(st.sampled_from(sorted(document)))
    del document[key]
    assert json.loads(without_member(text, parse(text), key)) == document


@given(st.lists(documents, min_size=1, max_size=4), st.data(), st.sampled_from([None, 2]))
def test_an_item_is_removed(document: list[Any], data: st.DataObject, indent: Any) -> None:
    text, index = json.dumps(document, indent=indent), data.draw(st.integers(0, len(document) - 1))
    del document[index]
    assert json.loads(without_item(text, parse(text), index)) == document


@pytest.mark.parametrize(
    ("text", "key", "left"),
    [
        pytest.param('{\n  "a": 1, // one\n  "b": 2 // two\n}', "b", '{\n  "a": 1 // one\n}', id="last"),
        pytest.param('{\n  "a": 1, // one\n  "b": 2 // two\n}', "a", '{\n  "b": 2 // two\n}', id="first"),
        pytest.param('{\n  "a": 1,\n  "b": 2,\n}', "b", '{\n  "a": 1,\n}', id="trailing-comma"),
        pytest.param('{"a": 1, "b": 2}', "b", '{"a": 1}', id="one-line"),
        pytest.param('{\r\n  "a": 1\r\n}\r\n', "a", "{}\r\n", id="only"),
        pytest.param('{\n  // mine\n  "a": 1\n}', "a", "{\n  // mine\n}", id="only-with-a-comment"),
        pytest.param('{"a": 1 /* x */, "b": 2}', "b", '{"a": 1 /* x */}', id="block-comment"),
    ],
)
def test_what_stands_beside_a_removed_member_stays(text: str, key: str, left: str) -> None:
    assert without_member(text, parse(text), key) == left
