"""The only YAML reader, so that the same text means the same in policies, the catalogue, scenarios and prompts.

Plain values follow YAML 1.2's core schema: `no`, `12:30` and `2026-01-01` are text, `017` is 17, `0o17` is 15.
Keys are text, as written. Duplicate keys are refused. Every value knows its line.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from mailgun_mcp.text.yaml_errors import sentence

YamlPath = tuple[str | int, ...]

MAX_CHARACTERS = 1_000_000
MAX_SHARED_CHARACTERS = 50_000_000
MAX_DEPTH = 1000
MAX_DIGITS = 20
"""Most digits of a number. The longest in use are unsigned 64-bit numbers."""
TAG = "tag:yaml.org,2002:"
MERGE = f"{TAG}merge"
CALL = re.compile(r"[a-z][a-z0-9_]*[ \t]+\{.*\}(?=[ \t]*(?:[ \t]#.*)?$)", re.ASCII)
"""`delete_domain {domain: a.example.com}`, up to the end of its line."""


class YamlError(ValueError):
    """The text cannot be read."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A value, the line of each path in it, and its problems."""

    value: Any
    lines: dict[YamlPath, int]
    problems: tuple[tuple[int, str], ...]

    def line(self, path: YamlPath) -> int:
        """Return the line of `path`, or of the closest enclosing path."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def checked(self) -> "YamlDocument":
        """Return the document. Raises YamlError for its first problem."""
        for line, problem in self.problems:
            raise YamlError(line, problem)
        return self


def read(text: str, *, calls: bool = False) -> YamlDocument:
    """Return the document in `text`. Anchors and aliases are problems. Raises YamlError if it is not YAML at all.

    With `calls`, the plain value of a key `call` may be `delete_domain {domain: a.example.com}`, which other
    YAML readers accept only in quotes.
    """
    if len(text) > MAX_CHARACTERS:
        raise YamlError(1, f"longer than {MAX_CHARACTERS:,} characters")
    return _read(text, _CallLoader if calls else _Loader)


def read_shared(text: str) -> YamlDocument:
    """Return the document in `text`, which others wrote for many readers: anchors, aliases and `<<` are resolved.

    Uses libyaml if it is installed, which is some ten times as fast. Raises YamlError if it is not YAML at all.
    """
    if len(text) > MAX_SHARED_CHARACTERS:
        raise YamlError(1, f"longer than {MAX_SHARED_CHARACTERS:,} characters")
    _refuse_deep_nesting(text)
    return _read(text, _shared_loader())


def _read(text: str, loader: Any) -> YamlDocument:
    reader = _Reader()
    try:
        node = yaml.compose(text, Loader=loader)
        value = reader.value(node, ()) if node else None
    except yaml.MarkedYAMLError as error:
        raise YamlError(*sentence(error, text)) from error
    except yaml.YAMLError as error:
        raise YamlError(1, " ".join(str(error).split())) from error
    except RecursionError as error:
        raise YamlError(1, "nested too deeply") from error
    except (ValueError, OverflowError) as error:
        raise YamlError(1, f"not YAML: {error}") from error
    return YamlDocument(value, reader.lines, tuple(reader.problems))


def _refuse_deep_nesting(text: str) -> None:
    """Refuse deep nesting. libyaml recurses on the C stack without a limit, which would end the process."""
    depth = 0
    for bracket in re.findall(r"[][{}]", text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        if depth > MAX_DEPTH:
            break
    if depth > MAX_DEPTH or re.search(rf"(?:[-?]\s+){{{MAX_DEPTH}}}", text):
        raise YamlError(1, "nested too deeply")


CORE_SCHEMA = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("merge", r"<<", "<"),
)
"""Kind of a plain value, its pattern, and its possible first characters. Anything else is text."""


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for kind, expression, first in CORE_SCHEMA:
        for character in first:
            pattern = re.compile(rf"(?:{expression})\Z", re.ASCII)
            resolvers.setdefault(character, []).append((f"{TAG}{kind}", pattern))
    return resolvers


class _Loader(yaml.SafeLoader):
    """Composes nodes, and refuses anchors and aliases."""

    yaml_implicit_resolvers = _resolvers()

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs of PyYAML leave it out
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problem = "anchors and aliases are not supported: write it out"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)


class _CallLoader(_Loader):
    """Reads the value of a key `call` up to the end of its line as one plain text, if it has the form of a call."""

    _call_at = -1
    """Number of the token that may be such a value."""

    def fetch_value(self) -> None:
        scanner: Any = self  # The stubs of PyYAML leave the scanner's attributes out.
        key = scanner.possible_simple_keys.get(scanner.flow_level)
        token = scanner.tokens[key.token_number - scanner.tokens_taken] if key and not scanner.flow_level else None
        super().fetch_value()
        if isinstance(token, yaml.ScalarToken) and token.value == "call":
            self._call_at = scanner.tokens_taken + len(scanner.tokens)

    def scan_plain(self) -> Any:
        scanner: Any = self
        if self._call_at == scanner.tokens_taken + len(scanner.tokens):
            line = re.match(r"[^\r\n\x85\u2028\u2029\x00]*", scanner.buffer[scanner.pointer :])
            call = CALL.match(line[0]) if line else None
            if call:
                start = scanner.get_mark()
                scanner.forward(call.end())
                return yaml.ScalarToken(call[0], True, start, scanner.get_mark())
        return super().scan_plain()


@cache
def _shared_loader() -> Any:
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return type("_SharedLoader", (loader,), {"yaml_implicit_resolvers": _resolvers()})


class _Reader:
    """Turns nodes into values."""

    def __init__(self) -> None:
        self.lines: dict[YamlPath, int] = {}
        self.problems: list[tuple[int, str]] = []
        self._values: dict[yaml.Node, Any] = {}
        """Values of the nodes so far: an aliased node has one value, however often it is referenced."""
        self._open: set[yaml.Node] = set()

    def value(self, node: yaml.Node, path: YamlPath) -> Any:
        self.lines.setdefault(path, _line(node))
        if node in self._open:
            self._problem(node, "an alias refers to a value that contains it")
            return None
        if node not in self._values:
            self._open.add(node)
            self._values[node] = self._value(node, path)
            self._open.discard(node)
        return self._values[node]

    def _value(self, node: yaml.Node, path: YamlPath) -> Any:
        if isinstance(node, yaml.MappingNode) and node.tag == f"{TAG}map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{TAG}seq":
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in SCALARS:
            return self._scalar(node)
        self._problem(node, f"the tag {node.tag.removeprefix(TAG)!r} is not supported")
        return None

    def _mapping(self, node: yaml.MappingNode, path: YamlPath) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                for mapping in self._merged(value_node, path):
                    merged = {**mapping, **merged}
                continue
            key = self._key(key_node)
            if key is None:
                continue
            if key in first:
                self._problem(key_node, f"duplicate key {key!r} (first on line {first[key]})")
                continue
            first[key] = self.lines[(*path, key)] = _line(key_node)
            own[key] = self.value(value_node, (*path, key))
        return {**merged, **own}

    def _merged(self, node: yaml.Node, path: YamlPath) -> Iterator[dict[str, Any]]:
        for part in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            mapping = self.value(part, (*path, "<<"))
            if isinstance(mapping, dict):
                yield mapping
            else:
                self._problem(part, "<< needs a mapping")

    def _key(self, node: yaml.Node) -> str | None:
        if not (isinstance(node, yaml.ScalarNode) and node.tag in SCALARS):
            self._problem(node, "a key must be text")
            return None
        try:
            return _text(node.value)
        except ValueError as error:
            self._problem(node, str(error))
            return None

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        try:
            return SCALARS[node.tag](node.value)
        except ValueError as error:
            self._problem(node, str(error))
            return None

    def _problem(self, node: yaml.Node, problem: str) -> None:
        self.problems.append((_line(node), problem))


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("the number is too long")
    bases = {"0o": 8, "0x": 16}
    return int(text, bases.get(text[:2], 10))


def _decimal(text: str) -> float:
    if text.lstrip("+-").lower() in (".inf", ".nan"):
        raise ValueError(f"{text} is not supported: write a number, or quote the text")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return number


def _text(text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("invalid character (lone surrogate)")
    return text


SCALARS: dict[str, Callable[[str], Any]] = {
    f"{TAG}str": _text,
    f"{TAG}int": _integer,
    f"{TAG}float": _decimal,
    f"{TAG}bool": lambda text: text.lower() == "true",
    f"{TAG}null": lambda _: None,
    MERGE: _text,
}
