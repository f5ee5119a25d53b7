"""Reads OpenAPI documents: YAML or JSON text in, a tree without references out."""

import hashlib
import json
from pathlib import Path
from typing import Any

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.errors import reason_of

Node = dict[str, Any]


def read_document(path: Path) -> Node:
    """Return the document in `path` with every local `$ref` replaced by what it names.

    Raises CatalogueError when the file cannot be read or parsed, or a reference leads nowhere.
    """
    document = parse_document(path)
    rest = {key: value for key, value in document.items() if key != "paths"}
    paths = {template: _resolve_path(item, document, path, template) for template, item in document["paths"].items()}
    return {**_resolve_part(rest, document, path), "paths": paths}


def parse_document(path: Path) -> Node:
    """Return the document in `path` as it is written, references and all.

    Raises CatalogueError when the file cannot be read or parsed, or is not an OpenAPI 3.x document.
    """
    try:
        document = _parse(path.read_text(encoding="utf-8-sig"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path}: cannot be read: {reason_of(error)}") from error
    except RecursionError as error:
        raise CatalogueError(f"{path}: nested too deeply") from error
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise CatalogueError(f"{path}: not an OpenAPI document: it has no `paths`")
    if not str(document.get("openapi", "")).startswith("3."):
        raise CatalogueError(f"{path}: not an OpenAPI 3.x document (openapi: {document.get('openapi')!r})")
    return document


def digest(path: Path) -> str:
    """Return the SHA-256 of the file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _parse(text: str, path: Path) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_without_duplicates)
        except json.JSONDecodeError as error:
            # YAML has a form in braces too.
            if path.suffix not in (".yaml", ".yml"):
                raise CatalogueError(f"{path}: not valid JSON: {error}") from error
        except ValueError as error:
            raise CatalogueError(f"{path}: not valid JSON: {error}") from error
    from mailgun_mcp.text.yaml import YamlError, read_shared

    try:
        return read_shared(text).checked().value
    except YamlError as error:
        raise CatalogueError(f"{path}: not valid YAML: line {error.line}: {error}") from error


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Node:
    """JSON readers differ on a key that is written twice."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"duplicate key {next(name for name in names if names.count(name) > 1)!r}")
    return fields


def _resolve_path(item: Any, document: Node, path: Path, template: str) -> Any:
    if not isinstance(item, dict) or "$ref" in item:
        return _resolve_part(item, document, path, template)
    return {method: _resolve_part(value, document, path, template, method) for method, value in item.items()}


def _resolve_part(node: Any, document: Node, path: Path, *location: str) -> Any:
    """Resolve a part of the document; the error for what is wrong in it names `location`."""
    try:
        return _resolve(node, document, ())
    except CatalogueError as error:
        raise CatalogueError(": ".join([path.name, *map(str, location), str(error)])) from error


def _resolve(node: Any, document: Node, seen: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_resolve(item, document, seen) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return {key: _resolve(value, document, seen) for key, value in node.items()}
    if reference in seen:
        # A recursive schema has no finite inlined form: below the cycle anything goes.
        return {}
    target = _resolve(_look_up(reference, document), document, (*seen, reference))
    siblings = {key: _resolve(value, document, seen) for key, value in node.items() if key != "$ref"}
    return {**target, **siblings} if isinstance(target, dict) else target


def _look_up(reference: str, document: Node) -> Any:
    if not reference.startswith("#/"):
        raise CatalogueError(f"{reference}: only references inside the document are followed")
    node: Any = document
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            raise CatalogueError(f"unresolved reference {reference}")
        node = node[key]
    return node
