"""Edits JSON in place: one entry of an object of objects is set or removed, and every other character stays."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mailgun_mcp.cli import jsonc


class JsonFileError(ValueError):
    """The text is not JSON, or the edit is not possible."""


def read(text: str) -> dict[str, Any]:
    """Return the document; empty if the text is, comments aside. Trailing commas are allowed. Raises JsonFileError."""
    value: dict[str, Any] = _parse(_with_object(text)).value
    return value


def render(path: Sequence[str], value: Any) -> str:
    """Return the entry as a complete document."""
    for key in reversed(path):
        value = {key: value}
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def put(text: str, path: Sequence[str], value: Mapping[str, Any]) -> str:
    """Return the text with the entry at `path` added or replaced."""
    text = _with_object(text)
    node = _parse(text)
    for index, key in enumerate(path[:-1]):
        if key not in node.members:
            nested: Any = value
            for inner in reversed(path[index + 1 :]):
                nested = {inner: nested}
            return jsonc.with_member(text, node, key, nested)
        node = node.members[key]
    return jsonc.with_member(text, node, path[-1], value)


def remove(text: str, path: Sequence[str]) -> str:
    """Return the text without the entry at `path`."""
    node = _parse(text)
    for key in path[:-1]:
        node = node.members[key]
    return jsonc.without_member(text, node, path[-1])


def append(text: str, key: str, item: Mapping[str, Any]) -> str:
    """Return the text with the item added to the list `key`, which is created if necessary."""
    root = _parse(text)
    if key not in root.members:
        return jsonc.with_member(text, root, key, [item])
    return jsonc.with_item(text, root.members[key], item)


def remove_item(text: str, key: str, index: int) -> str:
    """Return the text without an item of the list `key`."""
    return jsonc.without_item(text, _parse(text).members[key], index)


def _with_object(text: str) -> str:
    """Return the text, with an empty object at its end if there is nothing but comments."""
    if not jsonc.is_blank(text):
        return text
    return f"{text}\n{{}}\n" if text.strip() and not text.endswith("\n") else f"{text if text.strip() else ''}{{}}\n"


def _parse(text: str) -> jsonc.JsonNode:
    try:
        root = jsonc.parse(text)
    except jsonc.JsoncError as error:
        raise JsonFileError(f"it is not valid JSON: {error}") from error
    if not isinstance(root.value, dict):
        raise JsonFileError("it does not contain a JSON object")
    return root
