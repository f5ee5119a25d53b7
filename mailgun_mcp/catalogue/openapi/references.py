"""Follows the references of a document that was not reviewed: within limits, and only where needed.

Only what an operation uses is read, so a reference that leads nowhere faults that operation alone.
"""

import math
from typing import Any
from urllib.parse import unquote

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import Node

MAX_NODES = 20_000
MAX_DEPTH = 150
MAX_FOLLOWED = 12
"""References inside each other. Below that, and beyond MAX_NODES, a schema is cut as a recursive one is."""
NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "encoding", "content", "responses"})
"""Keywords below which keys are names, not keywords."""
SAMPLES = frozenset({"example", "examples"})
DATA = frozenset({"default", "enum", "const"})
"""Keywords that hold data, in which a `$ref` would be a word like any other."""
NARROWING = frozenset({"type", "properties", "required", "items", "allOf", "oneOf", "anyOf", "enum"})


class References:
    """Resolves parts of one document."""

    def __init__(self, document: Node) -> None:
        self._document = document
        self._left = MAX_NODES

    def resolve(self, node: Any) -> Any:
        """Return `node` with what its references name in their place, keys as text and no examples.

        Raises CatalogueError for a reference that is not inside the document or leads nowhere,
        for what JSON cannot hold, and for a part without reasonable bounds.
        """
        self._left = MAX_NODES
        return self._resolve(node, (), 0, names=False)

    def follow(self, node: Any) -> Any:
        """Return what `node` names, its own parts unresolved; `node` itself when it isn't a reference."""
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            if reference in seen:
                raise CatalogueError(f"{reference} refers to itself")
            seen.add(reference)
            target = self._look_up(reference)
            siblings = {key: value for key, value in node.items() if key != "$ref"}
            node = {**target, **siblings} if isinstance(target, dict) else target
        return node

    def _resolve(self, node: Any, seen: tuple[str, ...], depth: int, *, names: bool) -> Any:
        self._left -= 1
        if self._left < -10 * MAX_NODES or depth > MAX_DEPTH:
            raise CatalogueError(f"is nested deeper than {MAX_DEPTH} levels, or has too many parts")
        if isinstance(node, list):
            return [self._resolve(item, seen, depth + 1, names=False) for item in node]
        if not isinstance(node, dict):
            return _json(node)
        if not names and isinstance(node.get("$ref"), str):
            return self._target(node, seen, depth)
        return self._parts(node, seen, depth, names=names)

    def _parts(self, node: Node, seen: tuple[str, ...], depth: int, *, names: bool) -> Node:
        parts = {}
        for key, value in node.items():
            name = _text(key)
            if names or name not in SAMPLES:
                inner = name in NAMED and not names
                plain = name in DATA and not names
                parts[name] = _data(value, depth) if plain else self._resolve(value, seen, depth + 1, names=inner)
        return parts

    def _target(self, node: Node, seen: tuple[str, ...], depth: int) -> Any:
        reference = node["$ref"]
        target = self._look_up(reference)
        if reference in seen or len(seen) > MAX_FOLLOWED or self._left < 0:
            return _cut(target)
        resolved = self._resolve(target, (*seen, reference), depth + 1, names=False)
        siblings = self._parts({key: value for key, value in node.items() if key != "$ref"}, seen, depth, names=False)
        if not isinstance(resolved, dict):
            return resolved
        if NARROWING & siblings.keys() & resolved.keys():
            return {**siblings, "allOf": [resolved, *siblings.get("allOf", [])]}
        return {**resolved, **siblings}

    def _look_up(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise CatalogueError(f"{reference}: only references inside the document are followed")
        node: Any = self._document
        for part in unquote(reference[2:]).split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            node = _child(node, key, reference)
        return node


def _child(node: Any, key: str, reference: str) -> Any:
    if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
        return node[int(key)]
    if isinstance(node, dict):
        for name, value in node.items():
            if _text(name) == key:
                return value
    raise CatalogueError(f"unresolved reference {reference}")


def _cut(target: Any) -> Node:
    """A recursive schema has no finite inlined form: below the cycle anything of its type goes."""
    if not isinstance(target, dict):
        return {}
    kind = target.get("type") or ("object" if {"properties", "allOf"} & target.keys() else None)
    return {"type": kind} if kind else {}


def _data(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise CatalogueError(f"has data of more than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {_text(key): _data(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_data(item, depth + 1) for item in value]
    return _json(value)


def _text(key: Any) -> str:
    """YAML takes `200:` and `true:` for more than text; OpenAPI means text."""
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


def _json(value: Any) -> Any:
    if value is not None and not isinstance(value, (str, int, float)):
        raise CatalogueError(f"contains a {type(value).__name__}, which JSON does not have")
    if isinstance(value, float) and not math.isfinite(value):
        raise CatalogueError(f"contains the number {value}, which JSON does not have")
    return value
