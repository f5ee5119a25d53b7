"""Edits YAML in place: one entry of a mapping of mappings is set or removed, and every other character stays.

PyYAML says where each node stands in the text; its own writer would drop the comments.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml


class YamlFileError(ValueError):
    """The text is not YAML, or the edit is not possible."""


def read(text: str) -> dict[str, Any]:
    """Return the document, or an empty one for an empty text. Raises YamlFileError."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise YamlFileError(f"it is not valid YAML: {where}{getattr(error, 'problem', None) or error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise YamlFileError("it does not contain a mapping")
    return document


def render(path: Sequence[str], value: Mapping[str, Any]) -> str:
    """Return the entry as a complete document."""
    nested: Any = value
    for key in reversed(path):
        nested = {key: nested}
    return _block(nested)


def put(text: str, path: Sequence[str], value: Mapping[str, Any]) -> str:
    """Return the text with the entry at `path` added or replaced."""
    parent, rest = _deepest(text, path)
    if parent is None:
        return text + _line_ends(f"{'' if not text or text.endswith(chr(10)) else chr(10)}{render(path, value)}", text)
    if not rest:
        return _replaced(text, parent, path[-1], value)
    nested: Any = value
    for key in reversed(rest[1:]):
        nested = {key: nested}
    return _added(text, parent, rest[0], nested)


def remove(text: str, path: Sequence[str]) -> str:
    """Return the text without the entry at `path`."""
    parent, rest = _deepest(text, path)
    if parent is None or rest:
        raise YamlFileError("the entry is not in it")
    start, end = _span(text, parent, path[-1])
    if parent.flow_style:
        return _without_flow_member(text, parent, path[-1])
    if len(parent.value) > 1:
        return text[:start] + text[end:]
    colon = text.index(":", _key_end(text, path[:-1]))
    return f"{text[: colon + 1]} {{}}{text[colon + 1 : start]}{text[end:]}"


def _deepest(text: str, path: Sequence[str]) -> tuple[yaml.MappingNode | None, Sequence[str]]:
    """Return the innermost mapping on the way to `path`, and the keys that are still missing there."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if node is None:
        return None, path
    for index, key in enumerate(path):
        if not isinstance(node, yaml.MappingNode):
            raise YamlFileError(f"{'.'.join(path[:index])!r} in it is not a mapping")
        member = _member(node, key)
        if member is None or index == len(path) - 1:
            return node, [] if member else path[index:]
        node = member[1]
    raise AssertionError


def _member(node: yaml.MappingNode, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    return next((pair for pair in node.value if pair[0].value == key), None)


def _added(text: str, parent: yaml.MappingNode, key: str, value: Any) -> str:
    if parent.flow_style:
        close = parent.end_mark.index - 1
        separator = ", " if parent.value else ""
        head = text[:close].rstrip().removesuffix(",")
        return f"{head}{separator}{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}{text[close:]}"
    indent = parent.value[0][0].start_mark.column
    at = _line_after(text, _content_end(text, parent))
    start = "" if text[:at].endswith("\n") else "\n"
    return text[:at] + _line_ends(f"{start}{_block({key: value}, indent)}", text) + text[at:]


def _replaced(text: str, parent: yaml.MappingNode, key: str, value: Mapping[str, Any]) -> str:
    if parent.flow_style:
        node = (_member(parent, key) or parent.value[0])[1]
        return text[: node.start_mark.index] + json.dumps(value, ensure_ascii=False) + text[node.end_mark.index :]
    start, end = _span(text, parent, key)
    indent = parent.value[0][0].start_mark.column
    return text[:start] + _line_ends(_block({key: value}, indent), text) + text[end:]


def _span(text: str, parent: yaml.MappingNode, key: str) -> tuple[int, int]:
    """Return where the lines of a member of a block mapping start and end."""
    pair = _member(parent, key)
    if pair is None:
        raise YamlFileError("the entry is not in it")
    start = pair[0].start_mark.index - pair[0].start_mark.column
    return start, _line_after(text, max(pair[0].end_mark.index, _content_end(text, pair[1])))


def _without_flow_member(text: str, parent: yaml.MappingNode, key: str) -> str:
    others = [(name, value) for name, value in parent.value if name.value != key]
    parts = [text[name.start_mark.index : value.end_mark.index] for name, value in others]
    return f"{text[: parent.start_mark.index]}{{{', '.join(parts)}}}{text[parent.end_mark.index :]}"


def _key_end(text: str, path: Sequence[str]) -> int:
    """Return where the key at the end of `path` ends in the text."""
    parent, _ = _deepest(text, path)
    pair = _member(parent, path[-1]) if parent else None
    if pair is None:
        raise YamlFileError("it cannot be edited safely")
    end: int = pair[0].end_mark.index
    return end


def _content_end(text: str, node: yaml.Node) -> int:
    """Return where the content ends. A block node's own end mark comes after the comments that follow it.

    The nodes in it do not show the end either: an alias is the node that it stands for, which is elsewhere in the text.
    """
    end: int = node.end_mark.index
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        return end
    tokens = (token for token in yaml.scan(text) if token.start_mark.index < token.end_mark.index <= end)
    content_end: int = max(token.end_mark.index for token in tokens)
    return content_end


def _line_after(text: str, position: int) -> int:
    if position and text[position - 1] == "\n":
        return position
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1


def _block(value: Any, indent: int = 0) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)
    return "".join(f"{' ' * indent}{line}" for line in text.splitlines(keepends=True))


def _line_ends(new: str, text: str) -> str:
    """Return `new` with the line ends of `text`. Those of the text itself, which may be mixed, are kept."""
    return new.replace("\n", "\r\n") if "\r\n" in text else new
