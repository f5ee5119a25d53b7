"""A quick check that arguments fit their schema. If it does not accept them, jsonschema finds out what is wrong.

Nearly all arguments fit, and then jsonschema, with 3 MB of modules, is never imported.
"""

import re
from collections.abc import Callable
from typing import Any

from mailgun_mcp.catalogue.types import Schema

Check = Callable[[Any], bool]
"""Returns True only if a value certainly fits a schema."""

ANNOTATIONS = frozenset({"type", "title", "description", "default", "format", "examples"})
"""Keywords that reject nothing, and `type`."""


def quick_check(schema: Schema) -> Check:
    """Return a check that accepts only what jsonschema would. For a schema with unknown keywords it accepts nothing."""
    kind = schema.get("type")
    make, keywords = MAKERS.get(kind if isinstance(kind, str) else "", (_nothing, frozenset()))
    return make(schema) if schema.keys() <= ANNOTATIONS | keywords else _refuse


def _refuse(_: Any) -> bool:
    return False


def _nothing(_: Schema) -> Check:
    return _refuse


def _boolean(_: Schema) -> Check:
    return lambda value: type(value) is bool


def _string(schema: Schema) -> Check:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", float("inf"))
    allowed, pattern = _allowed(schema, str), re.compile(schema.get("pattern", ""))
    return lambda value: (
        type(value) is str
        and (allowed is None or value in allowed)
        and shortest <= len(value) <= longest
        and pattern.search(value) is not None
    )


def _number(schema: Schema) -> Check:
    kinds = (int,) if schema["type"] == "integer" else (int, float)
    least, most = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
    allowed = _allowed(schema, *kinds)
    return lambda value: type(value) in kinds and (allowed is None or value in allowed) and least <= value <= most


def _allowed(schema: Schema, *kinds: type) -> frozenset[Any] | None:
    """Return the allowed values, None for any. Those of types other than `kinds` are dropped: they compare oddly."""
    return frozenset(each for each in schema["enum"] if type(each) in kinds) if "enum" in schema else None


def _array(schema: Schema) -> Check:
    fewest, most = schema.get("minItems", 0), schema.get("maxItems", float("inf"))
    check = quick_check(schema["items"]) if "items" in schema else _anything
    return lambda value: type(value) is list and fewest <= len(value) <= most and all(map(check, value))


def _object(schema: Schema) -> Check:
    checks = {name: quick_check(each) for name, each in schema.get("properties", {}).items()}
    required, other = schema.get("required", ()), _other(schema.get("additionalProperties", True))

    def check(value: Any) -> bool:
        return (
            type(value) is dict
            and all(name in value for name in required)
            and all(checks.get(name, other)(item) for name, item in value.items())
        )

    return check


def _anything(_: Any) -> bool:
    return True


def _other(schema: bool | Schema) -> Check:
    if isinstance(schema, bool):
        return _anything if schema else _refuse
    return quick_check(schema) if schema else _anything


MAKERS: dict[str, tuple[Callable[[Schema], Check], frozenset[str]]] = {
    "boolean": (_boolean, frozenset()),
    "string": (_string, frozenset({"enum", "minLength", "maxLength", "pattern"})),
    "integer": (_number, frozenset({"enum", "minimum", "maximum"})),
    "number": (_number, frozenset({"enum", "minimum", "maximum"})),
    "array": (_array, frozenset({"items", "minItems", "maxItems"})),
    "object": (_object, frozenset({"properties", "required", "additionalProperties"})),
}
"""Type -> the function that makes its check, and the keywords that it supports."""
