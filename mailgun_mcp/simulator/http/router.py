"""Finds the operation for a method and path. The routes come from the catalogue."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.simulator.http.aliases import LEGACY_PATHS, LEGACY_VALUES

PAGE = "{page}"
"""The last path segment of later pages, for operations whose page token is in the path."""


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """An operation, and its decoded path parameters by name."""

    operation: Operation
    values: dict[str, str]


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    routes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Method -> tool name and path template."""


class Router:
    """Matches paths. Literal segments take precedence over parameters, which `/v3/routes/match` needs."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._root = _Node()
        self.operations: Collection[str] = catalogue.names
        """The names of all operations."""
        for tool in catalogue.tools():
            method, _, path = tool["_meta"]["mailgun-mcp/operation"].partition(" ")
            self._add(method, path, tool["name"])
            if "page" in tool["inputSchema"].get("properties", {}) and "{" in path:
                self._add_page(method, path, tool["name"])
        for method, path, name in LEGACY_PATHS:
            if name in catalogue:
                self._add(method, path, name)

    def match(self, method: str, raw_path: str) -> RouteMatch | None:
        """Return the match for a percent-encoded path, or None if there is none."""
        segments = _split(raw_path)
        for node in _walk(self._root, segments, 0):
            if method in node.routes:
                name, template = node.routes[method]
                return RouteMatch(
                    self._catalogue.find(name), _parameters(template, segments) | LEGACY_VALUES.get(template, {})
                )
        return None

    def methods(self, raw_path: str) -> list[str]:
        """Return the methods of a path. An empty list means that the path does not exist."""
        nodes = _walk(self._root, _split(raw_path), 0)
        return sorted({method for node in nodes for method in node.routes})

    def _add(self, method: str, path: str, name: str) -> None:
        node = self._root
        for segment in path.strip("/").split("/"):
            node = _child(node, segment)
        node.routes.setdefault(method, (name, path))

    def _add_page(self, method: str, path: str, name: str) -> None:
        operation = self._catalogue.find(name)
        if any(argument.location == "page_path" for argument in operation.arguments):
            self._add(method, f"{path}/{PAGE}", name)


@lru_cache(maxsize=1)
def router_of(catalogue: Catalogue) -> Router:
    """Return the router of a catalogue. All applications of a process share it: it never changes."""
    return Router(catalogue)


def _child(node: _Node, segment: str) -> _Node:
    if not segment.startswith("{"):
        return node.literals.setdefault(segment, _Node())
    node.parameter = node.parameter or _Node()
    return node.parameter


def _walk(node: _Node, segments: list[str], depth: int) -> Iterator[_Node]:
    if depth == len(segments):
        if node.routes:
            yield node
        return
    for child in (node.literals.get(segments[depth]), node.parameter):
        if child is not None:
            yield from _walk(child, segments, depth + 1)


def _split(raw_path: str) -> list[str]:
    segments = raw_path.strip("/").split("/")
    return [unquote(segment) for segment in segments] if "%" in raw_path else segments


@lru_cache(maxsize=1024)
def _names(template: str) -> tuple[tuple[int, str], ...]:
    """Return the parameters of a path template, each with the number of its segment."""
    segments = enumerate(template.strip("/").split("/"))
    return tuple((number, segment[1:-1]) for number, segment in segments if segment.startswith("{"))


def _parameters(template: str, segments: Sequence[str]) -> dict[str, str]:
    return {name: segments[number] for number, name in _names(template)}
