"""Tools in the forms that the APIs of model providers take.

Two of them cannot express an object with arbitrary properties. There the argument is a text that contains the JSON;
every call accepts that, see `request.coerce`.
"""

from collections.abc import Callable
from typing import Any, get_args

from mailgun_mcp.catalogue.types import FormatName, Record

FORMATS: tuple[FormatName, ...] = get_args(FormatName)
REFUSED_BY_STRICT = ("default", "minLength", "maxLength")
"""Keywords of our schemas that OpenAI's strict mode rejects."""
GEMINI_KEYWORDS = ("minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "pattern")
JSON_TEXT = "a JSON object, as text"


def formatted(tool: Record, name: FormatName) -> dict[str, Any]:
    """Return a listed tool in the form `name`."""
    return _FORMATS[name](tool)


def _openai(tool: Record) -> Record:
    return {"type": "function", "function": _function(tool, tool["inputSchema"])}


def _openai_strict(tool: Record) -> Record:
    return {"type": "function", "function": {**_function(tool, _strict(tool["inputSchema"])), "strict": True}}


def _anthropic(tool: Record) -> Record:
    return {"name": tool["name"], "description": tool["description"], "input_schema": tool["inputSchema"]}


def _gemini(tool: Record) -> Record:
    declaration = {"name": tool["name"], "description": tool["description"]}
    # An object without properties is rejected, even at the root.
    if not tool["inputSchema"].get("properties"):
        return declaration
    return {**declaration, "parameters": _gemini_schema(tool["inputSchema"])}


def _json_schema(tool: Record) -> Record:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": tool["name"],
        "description": tool["description"],
        **tool["inputSchema"],
    }


def _function(tool: Record, parameters: Record) -> Record:
    return {"name": tool["name"], "description": tool["description"], "parameters": parameters}


def _strict(schema: Record) -> Record:
    """Return the schema for OpenAI's strict mode: all properties are required, and optional ones may be null."""
    strict = {key: value for key, value in schema.items() if key not in REFUSED_BY_STRICT}
    if "items" in strict:
        strict["items"] = _strict(_closed(strict["items"]))
    if strict.get("type") != "object":
        return strict
    required = strict.get("required", ())
    properties = {
        name: _strict(_closed(value)) if name in required else _or_null(_strict(_closed(value)))
        for name, value in strict.get("properties", {}).items()
    }
    return {**strict, "properties": properties, "required": list(properties), "additionalProperties": False}


def _or_null(schema: Record) -> Record:
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def _closed(schema: Record) -> Record:
    """Return the schema. An object with arbitrary properties becomes a text."""
    if schema.get("type") != "object" or schema.get("properties"):
        return schema
    description = schema.get("description")
    return {"type": "string", "description": f"{description} ({JSON_TEXT})" if description else f"Object: {JSON_TEXT}"}


def _gemini_schema(schema: Record) -> Record:
    schema = _closed(schema)
    accepted = {key: value for key, value in schema.items() if key in GEMINI_KEYWORDS}
    accepted["type"] = schema["type"].upper()
    if "description" in schema:
        accepted["description"] = schema["description"]
    if "enum" in schema and schema["type"] == "string":
        accepted["enum"] = schema["enum"]
    if "items" in schema:
        accepted["items"] = _gemini_schema(schema["items"])
    if schema["type"] == "object":
        accepted["properties"] = {name: _gemini_schema(value) for name, value in schema["properties"].items()}
        if schema.get("required"):
            accepted["required"] = schema["required"]
    return accepted


_FORMATS: dict[FormatName, Callable[[Record], Record]] = {
    "openai": _openai,
    "openai-strict": _openai_strict,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "json-schema": _json_schema,
}
