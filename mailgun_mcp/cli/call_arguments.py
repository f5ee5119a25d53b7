"""Reads the arguments of a tool as a person writes them on the command line.

All arguments as one JSON or YAML object, or one by one as `name=value`. A value is read by the type that the tool's
schema declares, so that `subject=2026` stays text.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mailgun_mcp.settings import SettingsError

HELP = "name=value ..., or all of them as a JSON or YAML object, or - to read the object from stdin"

TOOL_NAME = re.compile(r"[A-Za-z]\w*")


def tool_and_arguments(first: str, others: Sequence[str]) -> tuple[str, list[str]]:
    """Return the tool's name and the words of its arguments, which may stand before the name.

    Raises SettingsError if there is no name.
    """
    words = [first, *others]
    if TOOL_NAME.fullmatch(first) or not ("=" in first or first == "-" or first.startswith("{")):
        return first, words[1:]
    name = next(filter(TOOL_NAME.fullmatch, words), None)
    if name is None:
        raise SettingsError("the name of the tool is missing: write TOOL before the arguments")
    words.remove(name)
    return name, words


def read_call_arguments(words: Sequence[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments. `schema` is the tool's input schema.

    Raises SettingsError if they are neither an object nor `name=value` pairs.
    """
    if len(words) == 1 and (words[0] == "-" or "=" not in words[0].partition("{")[0]):
        return _object(sys.stdin.read() if words[0] == "-" else words[0], schema)
    return _pairs(words, schema.get("properties", {}))


def _object(text: str, schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError:
        value = _yaml(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"the arguments are not usable JSON: {error}") from error
    if not isinstance(value, dict):
        required: list[str] = (schema or {}).get("required", [])
        example = f": {required[0]}={text}" if len(required) == 1 and isinstance(value, str) else ""
        raise SettingsError(f"the arguments must be name=value pairs, or a JSON or YAML object{example}")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object contains the same key twice")
    return members


def _yaml(text: str) -> Any:
    from mailgun_mcp.text.yaml import YamlError, read

    try:
        document = read(text)
        problem = document.problems[0][1] if document.problems else ""
    except YamlError as error:
        problem = str(error)
    if problem:
        raise SettingsError(f"the arguments are neither JSON nor YAML: {problem}")
    return document.value


def _pairs(words: Sequence[str], properties: Mapping[str, Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not (name and equals):
            raise SettingsError(f"{word!r} must be name=value; a JSON or YAML object must be one word, in quotes")
        declared = properties.get(name, {})
        if declared.get("type") == "array":
            arguments.setdefault(name, []).extend(_items(text, declared.get("items", {})))
        elif name in arguments:
            raise SettingsError(f"{name} is given twice, but takes one value")
        else:
            arguments[name] = _value(text, declared)
    return arguments


def _items(text: str, declared: Mapping[str, Any]) -> list[Any]:
    """Return the items of an array: a single value, or several written as `[a, b]`."""
    items = _yaml(text) if text.startswith("[") else None
    return items if isinstance(items, list) else [_value(text, declared)]


def _value(text: str, declared: Mapping[str, Any]) -> Any:
    kind = declared.get("type", "string")
    if kind == "string":
        return text
    if kind == "object":
        return _object(text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # Validation against the schema reports what is wrong with it.
        return text
