"""What the quick check accepts, jsonschema accepts; and it accepts what calls usually have."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.request.quick_check import quick_check
from tests.support.arguments import maximal, minimal
from tests.support.offenders import holds_for
from tests.support.operations import catalogue

OPERATIONS = list(catalogue())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 1001) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
SCHEMAS: list[dict[str, Any]] = [
    {"type": "boolean"},
    {"type": "integer", "minimum": 0, "maximum": 1000},
    {"type": "integer", "enum": [1, 2]},
    {"type": "number", "maximum": 2.5},
    {"type": "string", "minLength": 1, "maxLength": 2, "pattern": "^[a-z]"},
    {"type": "string", "enum": ["a", "b"]},
    {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2},
    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False},
    {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}},
    {"type": "object"},
    {"type": "array"},
    {"type": ["string", "null"]},
    {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
    {},
]


@holds_for()
def test_right_arguments_of_every_tool_are_accepted(operation: Operation) -> None:
    check = quick_check(call_schema(operation))
    assert check(minimal(operation))
    assert check(maximal(operation))


@given(st.sampled_from(SCHEMAS), VALUES)
def test_what_is_accepted_fits_the_schema(schema: dict[str, Any], value: Any) -> None:
    if quick_check(schema)(value):
        assert Draft202012Validator(schema).is_valid(value)


@given(st.sampled_from(OPERATIONS), st.data())
def test_a_wrong_argument_of_a_tool_is_not_accepted(operation: Operation, data: st.DataObject) -> None:
    arguments = maximal(operation)
    if arguments:
        arguments = {**arguments, data.draw(st.sampled_from(sorted(arguments))): data.draw(VALUES)}
    schema = call_schema(operation)
    if quick_check(schema)(arguments):
        assert Draft202012Validator(schema).is_valid(arguments)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, True),
        ({"type": "integer"}, 1.5),
        ({"type": "number"}, "1"),
        ({"type": "integer", "enum": [1]}, True),
        ({"type": "string", "pattern": "^a$"}, "b"),
        ({"type": "object", "properties": {}, "additionalProperties": False}, {"a": 1}),
        ({"type": "object", "required": ["a"]}, {}),
        ({"type": "array", "items": {"type": "string"}}, ["a", 1]),
        # Only jsonschema knows these keywords.
        ({"type": "string", "const": "a"}, "a"),
        ({"type": ["string", "null"]}, "a"),
        ({"anyOf": [{"type": "string"}]}, "a"),
    ],
)
def test_what_is_wrong_or_not_understood_is_left_to_jsonschema(schema: dict[str, Any], value: Any) -> None:
    assert not quick_check(schema)(value)
