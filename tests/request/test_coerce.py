"""Values are converted to the declared type where nothing is lost, and left alone everywhere else."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments, Schema
from mailgun_mcp.request.coerce import coerce_arguments, coerce_scalar, declared_type
from mailgun_mcp.request.validate import validate
from tests.support.arguments import maximal, minimal
from tests.support.offenders import holds_for
from tests.support.operations import catalogue, find

CONVERTED: list[tuple[Any, str, Any]] = [
    ("a", "string", "a"),
    (True, "string", "true"),
    (5, "string", "5"),
    (0.5, "string", "0.5"),
    (5, "integer", 5),
    (5.0, "integer", 5),
    ("5", "integer", 5),
    ("-17", "integer", -17),
    (5, "number", 5),
    ("0.05", "number", 0.05),
    ("1e3", "number", 1000.0),
    (False, "boolean", False),
    ("yes", "boolean", True),
    ("true", "boolean", True),
    ("no", "boolean", False),
    ("false", "boolean", False),
]
LOSSY: list[tuple[Any, str]] = [
    (True, "integer"),
    (True, "number"),
    (1, "boolean"),
    ("1", "boolean"),
    ("Yes", "boolean"),
    (5.5, "integer"),
    ("5.5", "integer"),
    ("05", "integer"),
    ("+5", "integer"),
    (" 5", "integer"),
    ("5\n", "integer"),
    ("1_000", "integer"),
    ("٣", "integer"),
    ("9" * 19, "integer"),
    ("nan", "number"),
    ("Infinity", "number"),
    ("1e999", "number"),
    ("", "number"),
    ([], "string"),
    ({}, "boolean"),
    (None, "string"),
    ("a", "object"),
]


@pytest.mark.parametrize(("value", "kind", "expected"), CONVERTED)
def test_a_scalar_gets_the_declared_type(value: Any, kind: str, expected: Any) -> None:
    converted = coerce_scalar(value, {"type": kind})
    assert (converted, type(converted)) == (expected, type(expected))


@pytest.mark.parametrize(("value", "kind"), LOSSY)
def test_what_would_lose_something_is_not_converted(value: Any, kind: str) -> None:
    assert coerce_scalar(value, {"type": kind}) is None


def test_a_boolean_becomes_yes_or_no_where_these_are_the_options() -> None:
    schema = {"type": "string", "enum": ["yes", "no", "htmlonly"]}
    assert [coerce_scalar(value, schema) for value in (True, False)] == ["yes", "no"]


def test_of_several_types_the_first_counts() -> None:
    assert declared_type({"type": ["integer", "null"]}) == "integer"
    assert coerce_scalar("5", {"type": ["integer", "null"]}) == 5


@given(st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans())
def test_text_of_a_scalar_comes_back_as_the_scalar(value: float | bool) -> None:
    kind = {bool: "boolean", int: "integer", float: "number"}[type(value)]
    assert coerce_scalar(coerce_scalar(value, {"type": "string"}), {"type": kind}) == value


def coerced(value: Any, schema: Schema) -> Any:
    return coerce_arguments({"type": "object", "properties": {"a": schema}, "required": ["a"]}, {"a": value})["a"]


TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
NUMBERS: Schema = {"type": "array", "items": {"type": "integer"}}
CLOSED: Schema = {"type": "object", "properties": {"limit": {"type": "integer"}}, "additionalProperties": False}
OPEN: Schema = {"type": "object", "additionalProperties": {"type": "string"}}

MEANT: list[tuple[Any, Schema, Any]] = [
    ("5", {"type": "integer"}, 5),
    ("-3", {"type": "integer"}, -3),
    (5.0, {"type": "integer"}, 5),
    ("5", {"type": "number"}, 5),
    ("0.05", {"type": "number"}, 0.05),
    ("true", {"type": "boolean"}, True),
    ("false", {"type": "boolean"}, False),
    (5, {"type": "string"}, "5"),
    (5.0, {"type": "string"}, "5"),
    (0.5, {"type": "string"}, "0.5"),
    ('["b@example.com"]', TEXTS, ["b@example.com"]),
    (' ["a", "b"]\n', TEXTS, ["a", "b"]),
    ("b@example.com", TEXTS, ["b@example.com"]),
    ('["1", 2]', NUMBERS, [1, 2]),
    (["1", "2"], NUMBERS, [1, 2]),
    ([5], TEXTS, ["5"]),
    ('{"limit": "5"}', CLOSED, {"limit": 5}),
    ({"limit": None}, CLOSED, {}),
    ({"X-Number": 5}, OPEN, {"X-Number": "5"}),
    ('[{"limit": "5"}]', {"type": "array", "items": CLOSED}, [{"limit": 5}]),
]
UNCHANGED: list[tuple[Any, Schema]] = [
    ("yes", {"type": "boolean"}),
    ("True", {"type": "boolean"}),
    (1, {"type": "boolean"}),
    ("", {"type": "boolean"}),
    ("", {"type": "integer"}),
    ("12px", {"type": "integer"}),
    ("5.5", {"type": "integer"}),
    ("5.0", {"type": "integer"}),
    ("05", {"type": "integer"}),
    (True, {"type": "integer"}),
    ("0.1000000000000000055511151231257827", {"type": "number"}),
    ("1e-400", {"type": "number"}),
    ("1e400", {"type": "number"}),
    ("NaN", {"type": "number"}),
    (True, {"type": "string"}),
    ("5", {"type": "string"}),
    ("true", {"type": "string"}),
    ('["a"]', {"type": "string"}),
    (["a"], {"type": "string"}),
    (10**5000, {"type": "string"}),
    (math.inf, {"type": "string"}),
    (None, {"type": "string"}),
    ("", TEXTS),
    ("  ", TEXTS),
    ('["a@example.com"', TEXTS),
    ("5", NUMBERS),
    (5, TEXTS),
    ("null", CLOSED),
    ('{"limit": 1, "limit": 2}', CLOSED),
    ("[NaN]", {"type": "array", "items": {"type": "number"}}),
    ("[" * 100_000, NUMBERS),
    ('{"limit": 5', CLOSED),
    ("[1]", CLOSED),
    ({"a": None}, OPEN),
    ({"a": None, "b": "5"}, {"type": "object", "additionalProperties": True}),
    ("x", {}),
]


@pytest.mark.parametrize(("value", "schema", "meant"), MEANT)
def test_what_a_client_distorted_is_what_it_meant(value: Any, schema: Schema, meant: Any) -> None:
    result = coerced(value, schema)
    assert (result, type(result)) == (meant, type(meant))


@pytest.mark.parametrize(("value", "schema"), UNCHANGED, ids=range(len(UNCHANGED)))
def test_what_could_mean_something_else_stays_as_it_is(value: Any, schema: Schema) -> None:
    result = coerced(value, schema)
    assert result is value or (result, type(result)) == (value, type(value))


def test_null_is_left_out_only_for_an_optional_argument_that_does_not_take_it() -> None:
    schema: Schema = {
        "type": "object",
        "properties": {
            "cc": {"type": "string"},
            "to": {"type": "string"},
            "nullable": {"type": ["string", "null"]},
        },
        "required": ["to"],
    }
    arguments = {"cc": None, "to": None, "nullable": None, "unknown": None}
    assert coerce_arguments(schema, arguments) == {"to": None, "nullable": None, "unknown": None}


def test_the_slips_of_one_call_are_all_put_right() -> None:
    operation = find("send_message")
    sent = {
        "domain": "mg.example.com",
        "to": '["b@example.com"]',
        "cc": None,
        "tags": "welcome",
        "test_mode": "true",
        "variables": '{"order": 7}',
        "text": "[1]",
    }
    arguments = coerce_arguments(operation.input_schema, sent)
    assert arguments == {
        "domain": "mg.example.com",
        "to": ["b@example.com"],
        "tags": ["welcome"],
        "test_mode": True,
        "variables": {"order": 7},
        "text": "[1]",
    }
    assert validate(operation, arguments) == []


@holds_for()
def test_right_arguments_are_not_changed(operation: Operation) -> None:
    for arguments in (minimal(operation), maximal(operation)):
        assert coerce_arguments(operation.input_schema, arguments) == arguments


def distort(draw: st.DrawFn, value: Any, schema: Schema) -> Any:
    """Write the value as a careless client may: text for what is not text, at any depth."""
    kind = schema.get("type")
    if kind == "array" and isinstance(value, list):
        value = [distort(draw, item, schema["items"]) for item in value]
    if kind == "object" and isinstance(value, dict):
        value = distort_all(draw, value, schema)
    if kind in ("integer", "number", "boolean", "array", "object") and draw(st.booleans()):
        return json.dumps(value)
    if kind == "integer" and draw(st.booleans()):
        return float(value)
    if kind == "array" and len(value) == 1 and schema["items"].get("type") == "string" and draw(st.booleans()):
        return value[0]
    return value


def distort_all(draw: st.DrawFn, arguments: Arguments, schema: Schema) -> Arguments:
    properties: dict[str, Schema] = schema.get("properties") or {}
    others = schema.get("additionalProperties")
    distorted = {
        name: distort(draw, value, properties.get(name, others if isinstance(others, dict) else {}))
        for name, value in arguments.items()
    }
    unset = [name for name in properties if name not in arguments and name not in schema.get("required", [])]
    return distorted | dict.fromkeys(draw(st.lists(st.sampled_from(unset), max_size=2)) if unset else [])


@st.composite
def distorted_calls(draw: st.DrawFn) -> tuple[Operation, Arguments, Arguments]:
    operation = find(draw(st.sampled_from(list(catalogue().names))))
    arguments = draw(st.sampled_from([minimal, maximal]))(operation)
    return operation, arguments, distort_all(draw, arguments, operation.input_schema)


@given(distorted_calls())
def test_a_distorted_call_becomes_the_call_that_was_meant(call: tuple[Operation, Arguments, Arguments]) -> None:
    operation, meant, sent = call
    assert coerce_arguments(operation.input_schema, sent) == meant


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_text_stays_text_and_other_values_of_a_text_argument_change_only_from_number(value: Any) -> None:
    result = coerced(value, {"type": "string"})
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    assert result is value or (is_number and float(result) == value)


@given(st.sampled_from(list(catalogue().names)), st.dictionaries(st.text(), JSON, max_size=3))
def test_nothing_changes_twice_and_unknown_names_never(tool: str, others: Arguments) -> None:
    operation = find(tool)
    once = coerce_arguments(operation.input_schema, {**maximal(operation), **others})
    assert repr(coerce_arguments(operation.input_schema, once)) == repr(once)
    known = operation.input_schema.get("properties", {})
    assert all(once[name] is value for name, value in others.items() if name not in known)
