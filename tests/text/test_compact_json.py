"""Compact JSON has no spaces, and is read back as the same value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.text.compact_json import compact, encode_with

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_it_is_short() -> None:
    assert compact({"name": ["größe", 1, None, {"deep": True}]}) == '{"name":["größe",1,null,{"deep":true}]}'


@given(st.text() | st.floats(allow_nan=False))
def test_it_is_read_back_as_the_same_value(value: object) -> None:
    assert json.loads(compact([value, {"a": value}])) == [value, {"a": value}]


@given(VALUES, st.booleans(), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_it_is_what_a_new_encoder_would_write(value: object, sort_keys: bool, separators: tuple[str, str]) -> None:
    expected = json.JSONEncoder(ensure_ascii=False, separators=separators, sort_keys=sort_keys).encode(value)
    assert encode_with(separators=separators, sort_keys=sort_keys)(value) == expected


def test_a_value_that_is_not_json_leaves_the_encoder_as_it_was() -> None:
    value: list[object] = []
    value.append([value, {"set": set()}])
    with pytest.raises(RecursionError):
        compact(value)
    with pytest.raises(TypeError):
        compact({"a": {"b": set()}})
    assert compact([{"a": []}]) == '[{"a":[]}]'
