"""Reads OpenAPI documents: YAML or JSON text in, a tree without references out."""

import hashlib
import json
from pathlib import Path
from typing import Any

from mailgun_mcp.catalogue.errors import CatalogueError

Node = dict[str, Any]


def read_document(path: Path) -> Node:
    """Return the document in `path` with every local `$ref` replaced by what it names.

    Raises CatalogueError when the file cannot be read or parsed, or a reference leads nowhere.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path}: cannot be read: {error}") from error
    document = _parse(text, path)
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise CatalogueError(f"{path}: not an OpenAPI document: it has no `paths`")
    if not str(document.get("openapi", "")).startswith("3."):
        raise CatalogueError(f"{path}: not an OpenAPI 3.x document (openapi: {document.get('openapi')!r})")
    resolved: Node = _resolve(document, document, path, ())
    return resolved


def digest(path: Path) -> str:
    """Return the SHA-256 of the file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _parse(text: str, path: Path) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise CatalogueError(f"{path}: not valid JSON: {error}") from error
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506 - both loaders are safe ones
    except yaml.YAMLError as error:
        raise CatalogueError(f"{path}: not valid YAML: {error}") from error


def _resolve(node: Any, document: Node, path: Path, seen: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_resolve(item, document, path, seen) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return {key: _resolve(value, document, path, seen) for key, value in node.items()}
    if reference in seen:
        # A recursive schema has no finite inlined form: below the cycle anything goes.
        return {}
    target = _resolve(_look_up(reference, document, path), document, path, (*seen, reference))
    siblings = {key: _resolve(value, document, path, seen) for key, value in node.items() if key != "$ref"}
    return {**target, **siblings} if isinstance(target, dict) else target


def _look_up(reference: str, document: Node, path: Path) -> Any:
    if not reference.startswith("#/"):
        raise CatalogueError(f"{path}: {reference}: only references inside the document are followed")
    node: Any = document
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            raise CatalogueError(f"{path}: unresolved reference {reference}")
        node = node[key]
    return node
