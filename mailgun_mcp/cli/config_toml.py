"""Edits TOML in place: one entry of a table of tables is set or removed, and every other character stays.

Ordinary tables are edited as text, which keeps the comments after them. tomlkit edits what is written in another form,
such as an inline table or dotted keys.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

HEADER = re.compile(r"^\s*\[")


class TomlFileError(ValueError):
    """The text is not TOML, or the edit is not possible."""


def read(text: str) -> dict[str, Any]:
    """Return the document. Raises TomlFileError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TomlFileError(f"it is not valid TOML: {error}") from error


def render(path: Sequence[str], value: Mapping[str, Any]) -> str:
    """Return the table as text."""
    lines = [f"{key} = {_value(item)}" for key, item in value.items()]
    return "\n".join([f"[{'.'.join(path)}]", *lines, ""])


def put(text: str, path: Sequence[str], value: Mapping[str, Any]) -> str:
    """Return the text with the table at `path` added or replaced."""
    if _at(read(text), path) is None:
        new = text + _line_ends(f"{_gap(text)}{render(path, value)}", text)
        return new if _valid(new) else _with_tomlkit(text, path, value)
    new = _tables_replaced(text, path, _line_ends(render(path, value), text))
    return new if _valid(new) and _at(read(new), path) == value else _with_tomlkit(text, path, value)


def remove(text: str, path: Sequence[str]) -> str:
    """Return the text without the table at `path` and its subtables. Comments after it stay."""
    new = _tables_replaced(text, path, "")
    return new if _valid(new) and _at(read(new), path) is None else _with_tomlkit(text, path, None)


def _with_tomlkit(text: str, path: Sequence[str], value: Mapping[str, Any] | None) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    *tables, name = path
    try:
        document = tomlkit.parse(text)
        parent: Any = document
        for key in tables:
            parent = parent[key]
        if value is None:
            del parent[name]
        else:
            parent[name] = _inline(value)
        return tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError) as error:
        raise TomlFileError("it cannot be edited safely") from error


def _inline(value: Mapping[str, Any]) -> Any:
    import tomlkit

    table = tomlkit.inline_table()
    for key, item in value.items():
        table[key] = _inline(item) if isinstance(item, Mapping) else item
    return table


def _at(document: Any, path: Sequence[str]) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _valid(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_value(item)}' for key, item in value.items())} }}"
    # A JSON string is also a TOML basic string, except for DEL, which the comparison after an edit finds.
    return json.dumps(value, ensure_ascii=False)


def _gap(text: str) -> str:
    if not text.strip():
        return ""
    return "\n" if text.endswith("\n") else "\n\n"


def _line_ends(new: str, text: str) -> str:
    """Return `new` with the line ends of `text`. Those of the text itself, which may be mixed, are kept."""
    return new.replace("\n", "\r\n") if "\r\n" in text else new


def _tables_replaced(text: str, path: Sequence[str], table: str) -> str:
    """Replace the first table at `path` by `table`, and remove the tables below it. Comments after a table stay."""
    dotted = r"\s*\.\s*".join(rf"(?:{key}|\"{key}\"|'{key}')" for key in map(re.escape, path))
    own = re.compile(rf"\s*\[\s*{dotted}\s*[.\]]")
    lines: list[str] = []
    section: list[str] = []
    replaced = False
    for line in [*text.splitlines(keepends=True), "["]:
        if not HEADER.match(line):
            section.append(line)
            continue
        if section and own.match(section[0]):
            lines += [*([] if replaced else [table]), *_trailing(section)]
            replaced = True
        else:
            lines += section
        section = [line]
    return "".join(lines)


def _trailing(section: list[str]) -> list[str]:
    body = len(section)
    while body > 1 and (not section[body - 1].strip() or section[body - 1].lstrip().startswith("#")):
        body -= 1
    return section[body:]
