"""JSON Schema as every model provider and client takes it.

Input: one `type` a node, no combinators, closed objects. Output: loose, because a live API
adds fields and leaves others out.
"""

from collections.abc import Iterator

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.types import Schema

FILE: Schema = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "base64": {"type": "string"},
        "path": {"type": "string"},
        "filename": {"type": "string"},
        "content_type": {"type": "string"},
    },
    "additionalProperties": False,
}
"""A file in a call: one of `text`, `base64` or `path`."""
CONTENT = ("text", "base64", "path")
"""What is listed of a file that is not an attachment: nobody sees its name."""

COPIED = (
    "description",
    "enum",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
)
DROPPED = frozenset(
    {"format", "title", "example", "examples", "readOnly", "deprecated", "x-mailgun-mcp", "x-enumDescriptions"}
)
LIMITS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern")
"""What is checked and not listed: an error says it, and nine calls of ten never meet it."""
PAGING = frozenset({"limit", "skip"})
"""Arguments whose defaults are not listed either."""
STRUCTURE = frozenset({"type", "properties", "required", "items", "additionalProperties", "patternProperties"})


def flatten(schema: Schema) -> Schema:
    """Return `schema` without the combinators that say nothing: `[X, null]`, a single `allOf`, a type list."""
    for keyword in ("anyOf", "oneOf"):
        options = [option for option in schema.get(keyword, []) if option.get("type") != "null"]
        if len(options) == 1:
            outer = {key: value for key, value in schema.items() if key not in (keyword, "type")}
            return flatten({**options[0], **outer})
        if options:
            outer = {key: value for key, value in schema.items() if key != keyword}
            return flatten({**_common(options), **outer})
    if len(schema.get("allOf", [])) == 1:
        outer = {key: value for key, value in schema.items() if key not in ("allOf", "type")}
        return flatten({**schema["allOf"][0], **outer})
    kind = schema.get("type")
    if isinstance(kind, list):
        named = [name for name in kind if name != "null"]
        return {**schema, "type": named[0] if named else "string"}
    return schema


def is_file(schema: Schema) -> bool:
    """Say whether the schema is a file part (`format: binary`)."""
    return schema.get("type") == "string" and schema.get("format") == "binary"


def input_schema(schema: Schema, *, strict: bool = True) -> Schema:
    """Return the portable form of an argument's schema.

    With `strict`, a keyword that would be lost raises CatalogueError; otherwise it is left out.
    """
    schema = flatten(schema)
    if is_file(schema):
        return {**FILE, **({"description": schema["description"]} if "description" in schema else {})}
    lost = set(schema) - set(COPIED) - DROPPED - STRUCTURE
    if strict and lost:
        raise CatalogueError(f"schema keyword not portable: {', '.join(sorted(lost))}")
    kind = schema.get("type") or ("object" if "properties" in schema else "string")
    portable: Schema = {"type": kind}
    if schema.get("format") == "date-time":
        portable["format"] = "date-time"
    for key in COPIED:
        if key in schema:
            portable[key] = list(dict.fromkeys(schema[key])) if key == "enum" else schema[key]
    if kind == "array":
        portable["items"] = input_schema(schema.get("items") or {"type": "string"}, strict=strict)
    if kind == "object":
        _object(portable, schema, strict)
    return portable


def open_objects(schema: Schema, path: str) -> Iterator[tuple[str, bool | Schema]]:
    """Yield the path of each object in `schema` that takes other properties, and their schema, True for any."""
    others = schema.get("additionalProperties")
    if others:
        yield path, others
    for name, value in schema.get("properties", {}).items():
        yield from open_objects(value, f"{path}/{name}")
    if "items" in schema:
        yield from open_objects(schema["items"], f"{path}/*")


def listed(schema: Schema) -> Schema:
    """Return the schema as every client takes it: each object with `properties`, none with `additionalProperties`."""
    result = {key: value for key, value in schema.items() if key not in ("required", "additionalProperties")}
    if schema["type"] == "object":
        properties = {name: listed(value) for name, value in schema.get("properties", {}).items()}
        required = [name for name in schema.get("required", []) if name in properties]
        result |= {"properties": properties, **({"required": required} if required else {})}
    if "items" in schema:
        result["items"] = listed(schema["items"])
    return result


def unlisted(schema: Schema, path: str, *, elsewhere: bool = False) -> Iterator[tuple[str, Schema]]:
    """Yield the path of each part of an argument's schema with what of it is not listed.

    `elsewhere` is for an argument whose allowed values and default another tool or argument lists. What an object with
    a single property requires is clear without saying.
    """
    hidden = {
        key: value for key, value in schema.items() if key in LIMITS or (elsewhere and key in ("enum", "default"))
    }
    if schema.get("properties") == FILE["properties"] and not path.endswith("/*"):
        yield path, {"properties": FILE["properties"]}
        return
    if "default" in schema and (schema["default"] is False or path.rpartition("/")[2] in PAGING):
        hidden["default"] = schema["default"]
    if len(schema.get("properties", {})) == 1 and "required" in schema:
        hidden["required"] = schema["required"]
    if hidden:
        yield path, hidden
    for name, value in schema.get("properties", {}).items():
        yield from unlisted(value, f"{path}/{name}", elsewhere=elsewhere)
    if "items" in schema:
        yield from unlisted(schema["items"], f"{path}/*", elsewhere=elsewhere)


def without(schema: Schema, hidden: dict[str, Schema], path: str) -> Schema:
    """Return the schema of an argument without what `unlisted` found in it."""
    result = {key: value for key, value in schema.items() if key not in hidden.get(path, ())}
    if "properties" in hidden.get(path, ()):
        result["properties"] = {name: schema["properties"][name] for name in CONTENT}
    elif "properties" in result:
        result["properties"] = {
            name: without(value, hidden, f"{path}/{name}") for name, value in result["properties"].items()
        }
    if "items" in result:
        result["items"] = without(result["items"], hidden, f"{path}/*")
    return result


def output_schema(schema: Schema) -> Schema:
    """Return the loose form of a response's schema: nothing required, extra and null allowed."""
    schema = flatten(schema)
    kind = schema.get("type") or ("object" if "properties" in schema else None)
    if kind is None:
        return {}
    loose: Schema = {"type": [kind, "null"]}
    if kind == "array" and schema.get("items"):
        loose["items"] = output_schema(schema["items"])
    if schema.get("properties"):
        loose["properties"] = {name: output_schema(value) for name, value in schema["properties"].items()}
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict) and extra:
        loose["additionalProperties"] = output_schema(extra)
    return loose


def _object(portable: Schema, schema: Schema, strict: bool) -> None:
    properties = schema.get("properties", {})
    if properties:
        portable["properties"] = {name: input_schema(value, strict=strict) for name, value in properties.items()}
    if schema.get("required"):
        portable["required"] = list(schema["required"])
    extra = schema.get("additionalProperties", not properties)
    portable["additionalProperties"] = (
        input_schema(extra, strict=strict) if isinstance(extra, dict) and extra else bool(extra)
    )


def _common(options: list[Schema]) -> Schema:
    """One option stands for all: an array where there is one, as it can hold the single value too."""
    return next((option for option in options if option.get("type") == "array"), options[0])
