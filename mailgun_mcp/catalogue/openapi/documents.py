"""Reads OpenAPI documents: YAML or JSON text in, a tree without references out."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from mailgun_mcp.catalogue.errors import CatalogueError

Node = dict[str, Any]

MAX_DEPTH = 1000

PLAIN = (
    ("null", "~|null|Null|NULL", "~nN"),
    ("null", "", ""),
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", "[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("merge", "<<", "<"),
)


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

    Raises CatalogueError when the file cannot be read or parsed, or is no OpenAPI 3.x document.
    """
    try:
        document = _parse(path.read_text(encoding="utf-8-sig"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path}: cannot be read: {error}") from error
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
            return json.loads(text)
        except json.JSONDecodeError as error:
            # YAML has a form in braces too.
            if path.suffix not in (".yaml", ".yml"):
                raise CatalogueError(f"{path}: not valid JSON: {error}") from error
    _refuse_bottomless(text, path)
    import yaml

    safe_loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(safe_loader):  # type: ignore[misc]  # which of the two safe loaders is known only here
        yaml_implicit_resolvers = _core_schema()

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            _refuse_repeated_keys(node)
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader, see above
    except (yaml.YAMLError, ValueError) as error:
        raise CatalogueError(f"{path}: not valid YAML: {error}") from error


def _core_schema() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """Return what plain YAML scalars mean, by first character, in YAML 1.2 as OpenAPI asks for.

    In 1.1, which the parser knows, `no` is false, `12:30` is 750 and a date is no text.
    """
    resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for kind, expression, first in PLAIN:
        for character in first or [""]:
            resolvers.setdefault(character, []).append((f"tag:yaml.org,2002:{kind}", re.compile(f"(?:{expression})$")))
    return resolvers


def _refuse_bottomless(text: str, path: Path) -> None:
    """libyaml recurses on the C stack, where nothing stops it: what is too deep would end the process."""
    depth = 0
    for bracket in re.findall(r"[][{}]", text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        if depth > MAX_DEPTH:
            break
    if depth > MAX_DEPTH or re.search(rf"(?:[-?]\s+){{{MAX_DEPTH}}}", text):
        raise CatalogueError(f"{path}: nested too deeply")


def _refuse_repeated_keys(node: Any) -> None:
    """YAML forbids a key that is written twice; the parser would drop the first without a word."""
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key.value, str):
            raise ValueError(f"line {key.start_mark.line + 1}: a key must be text")
        if key.value in seen:
            raise ValueError(f"line {key.start_mark.line + 1}: the key {key.value!r} is written twice")
        seen.add(key.value)


def _resolve_path(item: Any, document: Node, path: Path, template: str) -> Any:
    if not isinstance(item, dict) or "$ref" in item:
        return _resolve_part(item, document, path, template)
    return {method: _resolve_part(value, document, path, template, method) for method, value in item.items()}


def _resolve_part(node: Any, document: Node, path: Path, *place: str) -> Any:
    """Resolve a part of the document; the error for what is wrong in it names `place`."""
    try:
        return _resolve(node, document, ())
    except CatalogueError as error:
        raise CatalogueError(": ".join([path.name, *map(str, place), str(error)])) from error


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
