"""Edits JSON with comments and trailing commas in place: only the inserted or replaced text changes.

Clients such as VS Code and Gemini CLI read this form. Parsing to values and writing them again would lose the comments.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

SPACE = re.compile(r"(?:[ \t\r\n]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
"""The space and comments that are allowed between two tokens."""
REST_OF_LINE = re.compile(r"[ \t]*(?:/\*[^\n]*?\*/[ \t]*)*(?://[^\r\n]*)?")
"""The comments at the end of a line, which belong to the value before them."""
SCALAR = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')
NEWLINE = re.compile(r"\r?\n")
INDENTED = re.compile(r"^([ \t]+)\S", re.MULTILINE)


class JsoncError(ValueError):
    """The text is not JSON with comments. The message names the line."""


@dataclass(frozen=True, slots=True)
class JsonPart:
    """The position of a member (including its name) or an item, and of the comma after it."""

    start: int
    end: int
    comma: int | None


@dataclass(slots=True)
class JsonNode:
    """A value and its position in the text."""

    start: int
    end: int
    value: Any
    members: "dict[str, JsonNode]" = field(default_factory=dict)
    """The members of an object."""
    items: "list[JsonNode]" = field(default_factory=list)
    """The items of an array."""
    depth: int = 0
    comma: int | None = None
    """Position of the comma after the last member or item, if there is one."""
    parts: "list[JsonPart]" = field(default_factory=list)
    """The position of each member or item, in order."""

    @property
    def last(self) -> "JsonNode | None":
        """The last member's value, or the last item."""
        return next(reversed(self.members.values()), None) or (self.items[-1] if self.items else None)


def parse(text: str) -> JsonNode:
    """Return the root. Raises JsoncError."""
    parser = _Parser(text)
    node = parser.node(parser.skip(0), 0)
    if parser.skip(node.end) != len(text):
        raise parser.error(parser.skip(node.end), "text after the end")
    return node


def is_blank(text: str) -> bool:
    """Return whether the text has no value: only space and comments."""
    # `fullmatch` would take the text from one comment to the end of another for a single comment.
    # Before it says no, it would also try every way to divide the comments: hours where there are thirty.
    space = SPACE.match(text)
    return space is not None and space.end() == len(text)


def with_member(text: str, parent: JsonNode, key: str, value: Any) -> str:
    """Return the text with the member added to an object, or with its value replaced."""
    present = parent.members.get(key)
    if present is not None:
        indent = _line_indent(text, present.start)
        return text[: present.start] + _rendered(text, value, indent) + text[present.end :]
    return _inserted(text, parent, f"{json.dumps(key, ensure_ascii=False)}: ", value)


def without_member(text: str, parent: JsonNode, key: str) -> str:
    """Return the text without the member of an object, its comma, and the comment beside it."""
    return _without(text, parent, list(parent.members).index(key))


def without_item(text: str, parent: JsonNode, index: int) -> str:
    """Return the text without the item of an array, its comma, and the comment beside it."""
    return _without(text, parent, index)


def _without(text: str, parent: JsonNode, index: int) -> str:
    part = parent.parts[index]
    if len(parent.parts) == 1 and not _has_comment(text, parent, part):
        return text[: parent.start + 1] + text[parent.end - 1 :]
    start, end = _whole_lines(text, part.start, part.end if part.comma is None else part.comma + 1)
    comma = parent.parts[index - 1].comma if index and part.comma is None else None
    if comma is None:
        return text[:start] + text[end:]
    # The last part is removed, so the comma before it must be removed too.
    between = text[comma + 1 : start]
    return text[:comma] + (between if between.strip() or "\n" in between else "") + text[end:]


def _has_comment(text: str, parent: JsonNode, only: JsonPart) -> bool:
    """Return whether there is a comment beside the only part of an object or array."""
    after = text[only.end if only.comma is None else only.comma + 1 : parent.end - 1]
    return bool((text[parent.start + 1 : only.start] + after).strip())


def _whole_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """Extend the range to whole lines if there is nothing else on them."""
    line = text.rfind("\n", 0, start) + 1
    rest = _line_end(text, end)
    newline = NEWLINE.match(text, rest)
    if newline and not text[line:start].strip():
        return line, newline.end()
    return start, end + len(text[end:]) - len(text[end:].lstrip(" \t"))


def with_item(text: str, parent: JsonNode, value: Any) -> str:
    """Return the text with the item added at the end of an array."""
    return _inserted(text, parent, "", value)


def _inserted(text: str, parent: JsonNode, prefix: str, value: Any) -> str:
    last, newline = parent.last, _newline(text)
    if last is None:
        indent = _unit(text) * (parent.depth + 1)
        close = parent.end - 1
        inner = len(text[:close].rstrip(" \t\r\n"))
        entry = prefix + _rendered(text, value, indent)
        return f"{text[:inner]}{newline}{indent}{entry}{newline}{_unit(text) * parent.depth}{text[close:]}"
    if "\n" not in text[last.end : parent.end]:
        at = last.end if parent.comma is None else parent.comma + 1
        entry = f"{prefix}{json.dumps(value, ensure_ascii=False)}"
        return f"{text[:at]}{',' if parent.comma is None else ''} {entry}{text[at:]}"
    indent = _line_indent(text, last.start)
    entry = f"{newline}{indent}{prefix}{_rendered(text, value, indent)}"
    if parent.comma is not None:
        at = _line_end(text, parent.comma + 1)
        return f"{text[:at]}{entry},{text[at:]}"
    at = _line_end(text, last.end)
    return f"{text[: last.end]},{text[last.end : at]}{entry}{text[at:]}"


def _rendered(text: str, value: Any, indent: str) -> str:
    return json.dumps(value, ensure_ascii=False, indent=_unit(text)).replace("\n", f"{_newline(text)}{indent}")


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _unit(text: str) -> str:
    match = INDENTED.search(text)
    return match[1] if match else "  "


def _line_indent(text: str, position: int) -> str:
    line = text[text.rfind("\n", 0, position) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _line_end(text: str, position: int) -> int:
    match = REST_OF_LINE.match(text, position)
    return match.end() if match else position


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text

    def error(self, position: int, problem: str) -> JsoncError:
        return JsoncError(f"line {self._text.count(chr(10), 0, position) + 1}: {problem}")

    def skip(self, position: int) -> int:
        match = SPACE.match(self._text, position)
        return match.end() if match else position

    def node(self, position: int, depth: int) -> JsonNode:
        match self._text[position : position + 1]:
            case "{":
                return self._object(position, depth)
            case "[":
                return self._array(position, depth)
            case _:
                return self._scalar(position)

    def _scalar(self, position: int) -> JsonNode:
        match = SCALAR.match(self._text, position)
        if match is None:
            raise self.error(position, "expected a value")
        try:
            return JsonNode(position, match.end(), json.loads(match[0]))
        except ValueError as error:
            raise self.error(position, "expected a value") from error

    def _object(self, position: int, depth: int) -> JsonNode:
        node = JsonNode(position, position, {}, depth=depth)
        at = self.skip(position + 1)
        while self._text[at : at + 1] != "}":
            key = self._scalar(at)
            if not isinstance(key.value, str):
                raise self.error(at, "expected a name in quotes")
            if key.value in node.members:
                raise self.error(at, f"the same key twice in an object: {key.value!r}")
            at = self.skip(key.end)
            if self._text[at : at + 1] != ":":
                raise self.error(at, "expected a colon")
            member = self.node(self.skip(at + 1), depth + 1)
            node.members[key.value] = member
            node.value[key.value] = member.value
            at = self._after(node, member, "}")
            node.parts.append(JsonPart(key.start, member.end, node.comma))
        node.end = at + 1
        return node

    def _array(self, position: int, depth: int) -> JsonNode:
        node = JsonNode(position, position, [], depth=depth)
        at = self.skip(position + 1)
        while self._text[at : at + 1] != "]":
            item = self.node(at, depth + 1)
            node.items.append(item)
            node.value.append(item.value)
            at = self._after(node, item, "]")
            node.parts.append(JsonPart(item.start, item.end, node.comma))
        node.end = at + 1
        return node

    def _after(self, parent: JsonNode, child: JsonNode, close: str) -> int:
        """Return where the next member, item or closing bracket starts."""
        at = self.skip(child.end)
        parent.comma = None
        if self._text[at : at + 1] == ",":
            parent.comma = at
            return self.skip(at + 1)
        if self._text[at : at + 1] != close:
            raise self.error(at, f"expected a comma or {close}")
        return at
