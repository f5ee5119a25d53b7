"""Scalars are converted to the declared type where nothing is lost, and left alone everywhere else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.request.coerce import coerce_scalar, declared_type

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
