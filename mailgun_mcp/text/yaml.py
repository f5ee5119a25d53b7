"""Reads YAML with the line of everything in it, and without YAML's surprises.

YAML 1.2's plain values only (`no` is a word, `22:30` too), every key once, no anchors, aliases or tags: what a person
reads in a policy is what it says.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

YamlPath = tuple[str | int, ...]

LONGEST = 1_000_000
TAG = "tag:yaml.org,2002:"


class YamlError(ValueError):
    """The text is not YAML that a policy may be written in."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A value, the line of each place in it, and what is wrong with it."""

    value: Any
    lines: dict[YamlPath, int]
    problems: tuple[tuple[int, str], ...]

    def line(self, place: YamlPath) -> int:
        """Return the line of `place`, or of the nearest place around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read(text: str) -> YamlDocument:
    """Return the document of `text`. Raises YamlError when it is not YAML at all."""
    if len(text) > LONGEST:
        raise YamlError(1, f"longer than {LONGEST:,} characters")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(mark.line + 1 if mark else 1, error.problem or error.context or "not YAML") from error
    except yaml.YAMLError as error:
        raise YamlError(1, " ".join(str(error).split())) from error
    except RecursionError as error:
        raise YamlError(1, "nested too deeply") from error
    except (ValueError, OverflowError) as error:
        raise YamlError(1, f"not YAML: {error}") from error
    reading = _Reading()
    value = reading.value(node, ()) if node else None
    return YamlDocument(value, reading.lines, tuple(reading.problems))


class _Loader(yaml.SafeLoader):
    """Composes nodes; knows the plain values of YAML 1.2's core schema."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own attribute: those of YAML 1.1 are not wanted

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs of PyYAML leave it out
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problem = "anchors and aliases are not supported: write it out"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)


for _name, _pattern, _starts in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(f"{TAG}{_name}", re.compile(rf"^(?:{_pattern})$", re.ASCII), list(_starts))


class _Reading:
    def __init__(self) -> None:
        self.lines: dict[YamlPath, int] = {}
        self.problems: list[tuple[int, str]] = []

    def value(self, node: yaml.Node, place: YamlPath) -> Any:
        self.lines.setdefault(place, _line(node))
        if isinstance(node, yaml.MappingNode) and node.tag == f"{TAG}map":
            return dict(self._items(node, place))
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{TAG}seq":
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in SCALARS:
            return self._scalar(node)
        self._problem(node, f"the tag {node.tag.removeprefix(TAG)!r} is not supported")
        return None

    def _items(self, node: yaml.MappingNode, place: YamlPath) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in seen:
                self._problem(key_node, f"{key!r} stands twice, first in line {seen[key]}")
                continue
            seen[key] = self.lines[(*place, key)] = _line(key_node)
            yield key, self.value(value_node, (*place, key))

    def _key(self, node: yaml.Node) -> str | None:
        if isinstance(node, yaml.ScalarNode) and node.tag == f"{TAG}str":
            key: str = node.value
            return key
        self._problem(node, "a key must be text")
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


def _whole(text: str) -> int:
    if len(text) > 18:
        raise ValueError("the number is too long")
    return int(text)


def _decimal(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return number


def _text(text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("the text holds half a character")
    return text


SCALARS: dict[str, Callable[[str], Any]] = {
    f"{TAG}str": _text,
    f"{TAG}int": _whole,
    f"{TAG}float": _decimal,
    f"{TAG}bool": lambda text: text.lower() == "true",
    f"{TAG}null": lambda _: None,
}
