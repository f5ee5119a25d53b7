"""Reduces any JSON Schema to one type a node, for documents that were not written for this project.

The result accepts all that the API accepts: where it cannot express a choice it takes the
wider option. Works on schemas without references.
"""

import json
import re
from functools import reduce
from typing import Any

from mailgun_mcp.catalogue.types import Schema

GENERAL = ("array", "string", "object", "number", "integer", "boolean")
"""Types by what they can stand for: a list for the single value, text for anything that is written."""

PYTHON: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "string": (str,),
    "object": (dict,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
}
HINTS = (
    ("object", ("properties", "additionalProperties", "patternProperties", "required")),
    ("array", ("items", "prefixItems", "minItems", "maxItems", "uniqueItems")),
    ("string", ("minLength", "maxLength", "pattern", "format", "contentMediaType", "contentEncoding")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)
LOWEST = ("minimum", "minLength", "minItems")
HIGHEST = ("maximum", "maxLength", "maxItems")
COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
SCALAR = (*LOWEST, *HIGHEST, "pattern", "format", "contentMediaType", "contentEncoding", "readOnly", "writeOnly")
ANNOTATIONS = ("description", "default", "deprecated", "x-mailgun-mcp")


def simplify(schema: Any, *, loose: bool = False) -> Schema:
    """Return `schema` with at most one type and no combinator at every node.

    With `loose`, as for a response, types that differ leave the node open instead of one standing
    for all.
    """
    if not isinstance(schema, dict):
        return {}
    own = _own(schema, loose)
    parts = [simplify(part, loose=loose) for part in schema.get("allOf") or []]
    for keyword in ("oneOf", "anyOf"):
        options = [option for option in schema.get(keyword) or [] if option is not False and not _is_null(option)]
        if options:
            parts.append(_either([simplify(option, loose=loose) for option in options], loose))
    return _tidy(reduce(_both, [*parts, own]))


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") in ("null", ["null"])


def _own(schema: Schema, loose: bool) -> Schema:
    """Return what the node says by itself, beside its combinators."""
    own = {key: schema[key] for key in (*SCALAR, *ANNOTATIONS) if schema.get(key) is not None}
    kind = _kind(schema, loose)
    if kind:
        own["type"] = kind
    if "const" in schema:
        own["enum"] = [schema["const"]]
    elif isinstance(schema.get("enum"), list):
        own["enum"] = list(schema["enum"])
    _exclusive(own, schema, kind)
    _object(own, schema, loose)
    _items(own, schema, loose)
    return own


def _kind(schema: Schema, loose: bool) -> str | None:
    declared = schema.get("type")
    named = [name for name in (declared if isinstance(declared, list) else [declared]) if name in PYTHON]
    if named:
        return _general(named, loose)
    if declared is not None and not isinstance(declared, list) and declared != "null":
        raise ValueError(f"type {declared!r} is not a type of JSON Schema")
    for kind, keywords in HINTS:
        if any(keyword in schema for keyword in keywords):
            return kind
    members = [value for value in schema.get("enum") or [schema.get("const")] if value is not None]
    return _general([_type_of(value) for value in members], loose) if members else None


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return next(kind for kind in reversed(GENERAL) if isinstance(value, PYTHON[kind]))


def _general(kinds: list[str], loose: bool) -> str | None:
    different = set(kinds)
    if different == {"number", "integer"}:
        return "number"
    if loose and len(different) > 1:
        return None
    return next(kind for kind in GENERAL if kind in different)


def _exclusive(own: Schema, schema: Schema, kind: str | None) -> None:
    """An exclusive bound becomes the nearest inclusive one; a fraction has no nearest one, so its bound stays as it is."""
    for exclusive, bound, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        value = schema.get(exclusive)
        if value is True:
            value = schema.get(bound)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            own[bound] = int(value) + step if kind == "integer" and float(value).is_integer() else value


def _object(own: Schema, schema: Schema, loose: bool) -> None:
    properties = schema.get("properties") or {}
    if properties:
        own["properties"] = {
            str(name): simplify(value, loose=loose) for name, value in properties.items() if value is not False
        }
    if isinstance(schema.get("required"), list):
        own["required"] = [name for name in schema["required"] if isinstance(name, str)]
    if "additionalProperties" in schema:
        extra = schema["additionalProperties"]
        own["additionalProperties"] = (simplify(extra, loose=loose) or True) if isinstance(extra, dict) else bool(extra)
    patterns = schema.get("patternProperties") or {}
    if patterns:
        own["patternProperties"] = {pattern: simplify(value, loose=loose) for pattern, value in patterns.items()}


def _items(own: Schema, schema: Schema, loose: bool) -> None:
    options = [*(schema.get("prefixItems") or [])]
    if isinstance(schema.get("items"), dict):
        options.append(schema["items"])
    if options:
        own["items"] = _either([simplify(option, loose=loose) for option in options], loose)


def _both(inner: Schema, outer: Schema) -> Schema:
    """Return the schema of what fits both. If their types contradict each other, the inner type stays."""
    if inner.get("type") and outer.get("type") and not _agree(inner["type"], outer["type"]):
        outer = {key: value for key, value in outer.items() if key in ANNOTATIONS}
    merged = {**inner, **outer}
    if {inner.get("type"), outer.get("type")} == {"number", "integer"}:
        merged["type"] = "integer"
    for keys, tightest in ((LOWEST, max), (HIGHEST, min)):
        for key in keys:
            if key in inner and key in outer and _is_number(inner[key]) and _is_number(outer[key]):
                merged[key] = tightest(inner[key], outer[key])
    if "enum" in inner and "enum" in outer:
        merged["enum"] = [value for value in inner["enum"] if value in outer["enum"]] or inner["enum"]
    if "required" in inner and "required" in outer:
        merged["required"] = list(dict.fromkeys([*inner["required"], *outer["required"]]))
    for key in ("properties", "patternProperties"):
        if key in inner and key in outer:
            merged[key] = _union(inner[key], outer[key])
    if "items" in inner and "items" in outer:
        merged["items"] = _both(inner["items"], outer["items"])
    _both_open(merged, inner, outer)
    return merged


def _both_open(merged: Schema, inner: Schema, outer: Schema) -> None:
    """A part that is closed for itself would close the whole to what the other part describes."""
    extras = [part["additionalProperties"] for part in (inner, outer) if "additionalProperties" in part]
    if False in extras:
        merged["additionalProperties"] = next((extra for extra in extras if extra is not False), False)


def _agree(one: str, other: str) -> bool:
    return one == other or {one, other} == {"number", "integer"}


def _union(inner: dict[str, Schema], outer: dict[str, Schema]) -> dict[str, Schema]:
    return {**inner, **{name: _both(inner.get(name, {}), value) for name, value in outer.items()}}


def _either(options: list[Schema], loose: bool) -> Schema:
    """Return the schema that accepts what any of `options` accepts, as closely as one type can."""
    options = [_tidy(option) for option in options]
    typed = [option for option in options if option.get("type")]
    annotations = {key: value for option in reversed(options) for key, value in option.items() if key == "description"}
    kind = _general([option["type"] for option in typed], loose) if typed else None
    if kind is None or (loose and len(typed) < len(options)):
        return annotations
    merged = {**annotations, "type": kind}
    alike = [option for option in typed if _agree(option["type"], kind)]
    if kind == "array":
        parts = [option.get("items", {}) if option["type"] == "array" else option for option in typed]
        merged["items"] = _either(parts, loose) if any(parts) else {}
    if kind == "object":
        _either_object(merged, alike, loose)
    if all("enum" in option for option in options):
        merged["enum"] = [value for option in options for value in option["enum"]]
    if len(alike) == len(options):
        for key in SCALAR:
            if all(key in option and option[key] == alike[0].get(key) for option in alike):
                merged[key] = alike[0][key]
    return merged


def _either_object(merged: Schema, options: list[Schema], loose: bool) -> None:
    names = list(dict.fromkeys(name for option in options for name in option.get("properties", {})))
    if names:
        merged["properties"] = {
            name: _either(
                [option["properties"][name] for option in options if name in option.get("properties", {})], loose
            )
            for name in names
        }
    merged["required"] = [
        name for name in options[0].get("required", []) if all(name in option.get("required", []) for option in options)
    ]
    extras = [option.get("additionalProperties", not option.get("properties")) for option in options]
    if any(extras):
        merged["additionalProperties"] = extras[0] if all(extra == extras[0] for extra in extras) else True


def _tidy(schema: Schema) -> Schema:
    """Return `schema` without keywords that a validator would refuse or that cannot hold for the type."""
    tidy = dict(schema)
    kind = tidy.get("type")
    for key in (*LOWEST, *HIGHEST):
        if key in tidy and not _is_bound(key, tidy[key]):
            del tidy[key]
    if "pattern" in tidy and not _is_pattern(tidy["pattern"]):
        del tidy["pattern"]
    if "enum" in tidy:
        members = {json.dumps(value, sort_keys=True): value for value in _members(tidy["enum"], kind)}
        tidy["enum"] = list(members.values())
        if not members:
            del tidy["enum"]
    if "default" in tidy:
        fitting = _members([tidy.pop("default")], kind)
        if fitting and ("enum" not in tidy or fitting[0] in tidy["enum"]):
            tidy["default"] = fitting[0]
    return tidy


def _members(values: list[Any], kind: str | None) -> list[Any]:
    """Return the values that are of the type, or are once written as it: YAML makes numbers of `7` and `1.0`."""
    fitting = (_fit(value, kind) for value in values)
    return [value for value in fitting if value is not None]


def _fit(value: Any, kind: str | None) -> Any:
    if value is None or kind is None:
        return value
    if _type_of(value) == kind or (kind == "number" and _is_number(value)):
        return value
    if kind == "string" and isinstance(value, (bool, int, float)):
        return json.dumps(value)
    if kind in ("integer", "number", "boolean") and isinstance(value, str):
        return _read(value, kind)
    return int(value) if kind == "integer" and isinstance(value, float) and value.is_integer() else None


def _read(text: str, kind: str) -> Any:
    try:
        value = json.loads(text, parse_constant=lambda _: None)
    except ValueError:
        return None
    return value if _type_of_or_none(value) == kind or (kind == "number" and _is_number(value)) else None


def _type_of_or_none(value: Any) -> str | None:
    return None if value is None else _type_of(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_bound(key: str, value: Any) -> bool:
    return _is_number(value) and (key not in COUNTS or (value >= 0 and float(value).is_integer()))


def _is_pattern(value: Any) -> bool:
    """Say whether Python reads the expression too: the standard's own dialect has more."""
    try:
        re.compile(value)
    except (re.error, TypeError, RecursionError):
        return False
    return True
