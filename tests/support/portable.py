"""The subset of JSON Schema that every provider takes, as a list of what breaks it."""

import re
from collections.abc import Iterator
from typing import Any

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
TYPES = ("string", "integer", "number", "boolean", "array", "object")
FORBIDDEN = (
    "$ref",
    "$defs",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "const",
    "nullable",
    "patternProperties",
    "additionalProperties",
)


def breaches(schema: dict[str, Any]) -> list[str]:
    """Return what in the input schema of a tool is not portable."""
    return [*([] if schema.get("type") == "object" else ["root: not an object"]), *_breaches(schema, "root")]


def _breaches(schema: Any, place: str) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"{place}: {schema!r} is not a schema"
        return
    yield from (f"{place}: {keyword}" for keyword in FORBIDDEN if keyword in schema)
    kind = schema.get("type")
    if kind not in TYPES:
        yield f"{place}: type {kind!r}"
    if kind == "object" and not isinstance(schema.get("properties"), dict):
        yield f"{place}: an object without properties"
    if kind == "array":
        yield from _breaches(schema.get("items"), f"{place}/*")
    if len(schema.get("enum", [0])) != len({repr(value) for value in schema.get("enum", [0])}):
        yield f"{place}: enum repeats or is empty"
    for name, value in schema.get("properties", {}).items():
        if not NAME.fullmatch(name):
            yield f"{place}: the name {name!r}"
        yield from _breaches(value, f"{place}/{name}")
    missing = set(schema.get("required", [])) - set(schema.get("properties", {}))
    yield from (f"{place}: requires {name!r}" for name in sorted(missing))
