"""Schemas as providers take them: strict and plain for input, loose for output."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.schemas import FILE, flatten, input_schema, is_file, output_schema

STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "flat"),
    [
        (STRING, STRING),
        ({"type": ["string", "null"]}, STRING),
        ({"type": ["null"]}, STRING),
        ({"anyOf": [STRING, {"type": "null"}], "description": "d"}, {"type": "string", "description": "d"}),
        ({"oneOf": [{"type": "null"}, {"type": "integer"}]}, {"type": "integer"}),
        ({"allOf": [{"type": "object", "properties": {"a": STRING}}]}, {"type": "object", "properties": {"a": STRING}}),
        ({"anyOf": [STRING, {"type": "array", "items": STRING}]}, {"type": "array", "items": STRING}),
        ({"oneOf": [STRING, {"type": "integer"}]}, STRING),
        ({"type": "string", "allOf": [{"type": "integer"}]}, {"type": "integer"}),
    ],
)
def test_combinators_that_say_nothing_are_taken_away(schema: dict[str, Any], flat: dict[str, Any]) -> None:
    assert flatten(schema) == flat


@pytest.mark.parametrize(
    ("schema", "portable"),
    [
        ({"type": "integer", "minimum": 1, "default": 5, "example": 3}, {"type": "integer", "minimum": 1, "default": 5}),
        ({"type": "string", "enum": ["a", "b", "a"]}, {"type": "string", "enum": ["a", "b"]}),
        ({"type": "string", "format": "email", "title": "T"}, STRING),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "array"}, {"type": "array", "items": STRING}),
        ({"type": "array", "maxItems": 2, "items": {"type": "integer"}}, {"type": "array", "maxItems": 2, "items": {"type": "integer"}}),
        ({}, STRING),
        ({"type": "object"}, {"type": "object", "additionalProperties": True}),
        ({"type": "object", "additionalProperties": STRING}, {"type": "object", "additionalProperties": STRING}),
        (
            {"properties": {"a": STRING}, "required": ["a"]},
            {"type": "object", "properties": {"a": STRING}, "required": ["a"], "additionalProperties": False},
        ),
        ({"type": "string", "format": "binary"}, FILE),
        ({"type": "string", "format": "binary", "description": "d"}, {**FILE, "description": "d"}),
    ],
)  # fmt: skip
def test_an_argument_keeps_what_every_provider_takes(schema: dict[str, Any], portable: dict[str, Any]) -> None:
    assert input_schema(schema) == portable


@pytest.mark.parametrize("keyword", ["not", "if", "uniqueItems", "const", "multipleOf", "exclusiveMinimum", "allOf"])
def test_a_keyword_that_would_be_lost_is_refused(keyword: str) -> None:
    schema = {"type": "array", "items": {"type": "string", keyword: [{}, {}]}}
    with pytest.raises(CatalogueError, match=f"schema keyword not portable: {keyword}"):
        input_schema(schema)
    assert input_schema(schema, strict=False) == {"type": "array", "items": STRING}


def test_a_file_is_a_string_of_binary_format() -> None:
    assert is_file({"type": "string", "format": "binary"})
    assert not is_file(STRING)
    assert not is_file({"type": "object", "format": "binary"})


@pytest.mark.parametrize(
    ("schema", "loose"),
    [
        ({"type": "string", "enum": ["a"], "format": "email", "pattern": "x"}, {"type": ["string", "null"]}),
        ({}, {}),
        ({"type": "array"}, {"type": ["array", "null"]}),
        ({"type": "array", "items": STRING}, {"type": ["array", "null"], "items": {"type": ["string", "null"]}}),
        (
            {"properties": {"a": STRING}, "required": ["a"], "additionalProperties": False},
            {"type": ["object", "null"], "properties": {"a": {"type": ["string", "null"]}}},
        ),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {"type": ["object", "null"], "additionalProperties": {"type": ["integer", "null"]}},
        ),
    ],
)
def test_a_response_is_described_loosely(schema: dict[str, Any], loose: dict[str, Any]) -> None:
    assert output_schema(schema) == loose


SCHEMAS = st.recursive(
    st.sampled_from(
        [{}, STRING, {"type": "integer"}, {"type": ["boolean", "null"]}, {"type": "string", "format": "binary"}]
    ),
    lambda inner: st.one_of(
        inner.map(lambda items: {"type": "array", "items": items}),
        st.dictionaries(st.sampled_from("abc"), inner).map(
            lambda properties: {"type": "object", "properties": properties}
        ),
        inner.map(lambda value: {"type": "object", "additionalProperties": value}),
        st.lists(inner, min_size=1, max_size=3).map(lambda options: {"anyOf": [*options, {"type": "null"}]}),
        inner.map(lambda value: {"allOf": [value]}),
    ),
    max_leaves=8,
)


def node_types(schema: Any) -> list[Any]:
    if not isinstance(schema, dict):
        return []
    inner = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return [schema.get("type"), *(kind for value in inner for kind in node_types(value))]


@given(SCHEMAS)
def test_every_node_of_an_input_schema_has_one_type_and_no_combinator(schema: dict[str, Any]) -> None:
    portable = input_schema(schema)
    Draft202012Validator.check_schema(portable)
    assert all(isinstance(kind, str) for kind in node_types(portable))
    assert not {"anyOf", "oneOf", "allOf", "$ref"} & set(str(portable).replace("'", " ").split())


@given(SCHEMAS)
def test_every_response_may_be_null_or_empty(schema: dict[str, Any]) -> None:
    loose = output_schema(schema)
    Draft202012Validator.check_schema(loose)
    assert Draft202012Validator(loose).is_valid(None)
    if loose.get("type", [None])[0] == "object":
        assert Draft202012Validator(loose).is_valid(
            {"never heard of": 1} if "additionalProperties" not in loose else {}
        )
