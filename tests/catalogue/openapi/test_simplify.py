"""Schemas of any document reduced to one type a node."""

import pytest

from mailgun_mcp.catalogue.openapi.simplify import simplify

EITHER = {"oneOf": [{"type": "integer"}, {"type": "string"}]}


def test_null_is_not_an_alternative() -> None:
    assert simplify({"type": ["string", "null"]}) == {"type": "string"}
    assert simplify({"anyOf": [{"type": "integer"}, {"type": "null"}]}) == {"type": "integer"}


def test_of_several_types_the_widest_stands_unless_it_is_a_response() -> None:
    assert simplify(EITHER) == {"type": "string"}
    assert simplify(EITHER, loose=True) == {}


def test_the_parts_of_an_all_of_become_one_object() -> None:
    first = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    second = {"properties": {"b": {"type": "integer", "exclusiveMinimum": 0}}}
    assert simplify({"allOf": [first, second]}) == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer", "minimum": 1}},
        "required": ["a"],
    }


def test_values_and_patterns_that_do_not_fit_are_left_out() -> None:
    assert simplify({"type": "integer", "enum": ["1", 2, "x"], "pattern": "("}) == {"type": "integer", "enum": [1, 2]}


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="'file' is not a type of JSON Schema"):
        simplify({"type": "file"})
