"""Converts values to the types that a JSON Schema declares, if nothing is lost. All conversions follow this one rule.

`coerce_scalar` is for what Mailgun writes, `coerce_arguments` for known distortions by clients.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
MAX_NUMBER = 40
"""Longest number in text, in characters. No float needs more."""
YES = ("true", "yes")
NO = ("false", "no")
Scalar = str | int | float | bool
EXACT = {"string": str, "boolean": bool, "integer": int, "number": float}
"""Type -> the Python type of a value that needs no conversion, as almost all values of an answer."""


def declared_type(schema: Mapping[str, Any]) -> str | None:
    """Return the type that the schema declares; if there are several, the first."""
    declared: str | list[str] | None = schema.get("type")
    return declared[0] if isinstance(declared, list) else declared


def coerce_scalar(value: object, schema: Mapping[str, Any]) -> Scalar | None:
    """Return the scalar in the type that the schema declares, or None if the conversion would lose something.

    Mailgun sometimes writes true as `yes` and 5 as "5", or the reverse.
    """
    kind = declared_type(schema)
    if isinstance(value, Scalar) and type(value) is EXACT.get(kind or ""):
        return value
    match kind, value:
        case "string", str(text):
            return text
        case "string", bool():
            words = (YES[1], NO[1]) if "yes" in schema.get("enum", ()) else (YES[0], NO[0])
            return words[0] if value else words[1]
        case "string", int() | float():
            return str(value)
        case (("integer" | "number"), bool()):
            return None
        case (("integer" | "number"), int(number)):
            return number
        case "number", float(number):
            return number
        case "integer", float() if value.is_integer():
            return int(value)
        case "integer", str() if INTEGER.fullmatch(value):
            return int(value)
        case "number", str() if NUMBER.fullmatch(value) and math.isfinite(float(value)):
            return float(value)
        case "boolean", str() if value in (*YES, *NO):
            return value in YES
    return None


def coerce_arguments(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with the distortions of clients corrected, based on the declared types alone.

    The text of an exact number becomes a number, `true` and `false` a boolean, and JSON text an array or object if that
    is declared. A number becomes text if text is declared, and a single text becomes a list of one if a list of texts
    is. `null` for an optional argument is left out. Everything else stays unchanged, to be refused by validation.
    """
    properties = schema.get("properties") or {}
    required = schema.get("required") or ()
    return {
        name: _coerce(value, properties[name]) if name in properties else value
        for name, value in arguments.items()
        if value is not None or name not in properties or name in required or _takes_null(properties[name])
    }


def _coerce(value: Any, schema: Mapping[str, Any]) -> Any:
    match declared_type(schema):
        case "array":
            return _array(value, schema.get("items") or {})
        case "object":
            return _object(value, schema)
        case "string" if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _shortest_text(value)
        case "boolean" if value in ("true", "false"):
            return value == "true"
        case "integer" | "number" if isinstance(value, str) and INTEGER.fullmatch(value):
            return int(value)
        case "integer" if isinstance(value, float) and value.is_integer():
            return int(value)
        case "number" if isinstance(value, str) and _is_exact(value):
            return float(value)
    return value


def _array(value: Any, items: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        parsed = exact_json(value)
        if isinstance(parsed, list):
            value = parsed
        elif declared_type(items) == "string" and value.strip() and not value.lstrip().startswith("["):
            # Text that begins like a list but isn't one was cut off or mistyped: its meaning is unknown.
            value = [value]
    return [_coerce(item, items) for item in value] if isinstance(value, list) else value


def _object(value: Any, schema: Mapping[str, Any]) -> Any:
    parsed = exact_json(value) if isinstance(value, str) else value
    if not isinstance(parsed, dict):
        return value
    coerced = coerce_arguments(schema, parsed)
    others = schema.get("additionalProperties")
    if isinstance(others, dict) and others:
        properties = schema.get("properties") or {}
        return {name: item if name in properties else _coerce(item, others) for name, item in coerced.items()}
    return coerced


def _takes_null(schema: Mapping[str, Any]) -> bool:
    declared = schema.get("type")
    return declared is None or declared == "null" or (isinstance(declared, list) and "null" in declared)


def _shortest_text(number: float) -> float | str:
    """Return the text of the number: `5` for 5.0. A number that is too large or not finite stays, to be refused."""
    if not -(2**53) <= number <= 2**53:
        return number
    return str(int(number)) if isinstance(number, int) or number.is_integer() else repr(number)


def _is_exact(text: str) -> bool:
    """Return whether the text is a number that a float represents exactly."""
    from decimal import Decimal

    if len(text) > MAX_NUMBER or not NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        return False
    return Decimal(text) == Decimal(repr(float(text)))


def exact_json(text: str) -> Any:
    """Return the JSON value of the text, or None if it is not JSON or would lose something."""
    try:
        return json.loads(text, object_pairs_hook=_without_repetition, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError("a name is repeated")
    return record


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
