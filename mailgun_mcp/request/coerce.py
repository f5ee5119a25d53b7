"""Converts a scalar to the type that a JSON Schema declares, only where nothing is lost. The one rule for it."""

import math
import re
from collections.abc import Mapping
from typing import Any

INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
YES = ("true", "yes")
NO = ("false", "no")
Scalar = str | int | float | bool


def declared_type(schema: Mapping[str, Any]) -> str | None:
    """Return the one type that the schema declares; of several, the first."""
    declared: str | list[str] | None = schema.get("type")
    return declared[0] if isinstance(declared, list) else declared


def coerce_scalar(value: object, schema: Mapping[str, Any]) -> Scalar | None:
    """Return the scalar as the type that the schema declares, or None where the conversion would lose something.

    Mailgun writes `yes` as true and 5 as "5", and the other way round.
    """
    match declared_type(schema), value:
        case "string", str(text):
            return text
        case "boolean", bool(flag):
            return flag
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
