"""Text of limited length for forms: what is left out is always counted, and never cut silently."""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from mailgun_mcp.text.characters import show_invisible
from mailgun_mcp.text.sizes import count_of

OTHERS = 300
"""Longest list of names, in characters."""
NAME = 100
"""Longest name or address, in characters."""
WHOLE = 600
"""Longest value shown in full, in characters, if there is room. Longer ones show their first and last lines."""

LONGEST_REASON = 500
"""Longest reason for a no, in characters."""


def one_line(text: str) -> str:
    """Return the text as one line of visible characters, so that no value can add lines to a form."""
    return " ⏎ ".join(show_invisible(text).replace("\t", " ").split("\n")).strip()


def shorten(text: str, length: int = NAME) -> str:
    """Return the text as one line of at most `length` characters. Of a longer text, the start and the end remain."""
    line = one_line(text)
    if len(line) <= length:
        return line
    note = f" …({len(line):,} characters)… "
    start = max((length - len(note)) // 2, 1)
    return f"{line[:start]}{note}{line[-start:]}"


def as_text(value: Any) -> str:
    """Return a value as text: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def whole_line(value: Any, length: int = WHOLE) -> str | None:
    """Return the whole value on one line, or None if that has more than `length` characters."""
    text = as_text(value)
    # Marking the invisible characters of a long text takes time, and the text is not shown in full anyway.
    line = one_line(text) if len(text) <= length else None
    return line if line is not None and len(line) <= length else None


def value_in_line(value: Any, length: int = WHOLE) -> str:
    """Return a value on one line of about `length` characters.

    A longer value is summarised: its start and end, its size, and a digest that tells two values apart.
    """
    whole = whole_line(value, length)
    if whole is not None:
        return whole
    text = as_text(value)
    size = f"{_size(value, text)}, SHA-256 {digest(text)}"
    start = (length - len(size) - 12) // 2
    if start < 8:
        return f"({size})"
    first, last = one_line(text[: start + 1])[:start], one_line(text[-start - 1 :])[-start:]
    return f"{first} …({size})… {last}"


def in_words(value: Any, length: int = 300) -> str:
    """Return what a program answered as readable text: `name: mail.example.com, state: active, keys: 3 items`."""
    if not isinstance(value, dict):
        return value_in_line(value, length)
    fields = list(_fields(value))
    shown, room = list[str](), length
    for field in fields:
        room -= len(field) + 2
        if room < 0 and shown:
            break
        shown.append(field)
    more = len(fields) - len(shown)
    return ", ".join(shown) + (f" and {count_of(more, 'more field')}" if more else "")


def _fields(value: dict[str, Any]) -> Iterator[str]:
    for name, item in value.items():
        if isinstance(item, dict):
            yield from _fields(item)
        elif item not in (None, "", []):
            words = {True: "yes", False: "no"}[item] if isinstance(item, bool) else item
            text = count_of(len(item), "item") if isinstance(item, list) else as_text(words)
            yield f"{shorten(name, 40).replace('_', ' ')}: {shorten(text)}"


def digest(text: str) -> str:
    """Return the first digits of the text's SHA-256."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def join_bounded(names: Sequence[str], length: int, what: str, *, shortened: bool = True) -> str:
    """Return the names joined by commas, in about `length` characters; those left out are counted.

    `shortened`: each name is shortened too.
    """
    shown: list[str] = []
    room = length
    for name in names:
        short = shorten(name) if shortened else name
        room -= len(short) + 2
        if room < 0 and shown:
            return f"{', '.join(shown)} and {len(names) - len(shown):,} more {what}"
        shown.append(short)
    return ", ".join(shown)


def first_lines(lines: Sequence[str], length: int) -> list[str]:
    """Return the lines that fit into `length` characters; another line counts what is left out."""
    shown: list[str] = []
    room = length
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return [*shown, f"(and {count_of(len(lines) - number, 'more line')})"]
        shown.append(line)
    return shown


def _size(value: Any, text: str) -> str:
    lines = text.count("\n") + 1
    if isinstance(value, (list, tuple)):
        return count_of(len(value), "item")
    if isinstance(value, dict):
        return f"{count_of(len(value), 'field')}, {count_of(len(text), 'character')}"
    return count_of(len(text), "character") + (f", {lines:,} lines" if lines > 1 else "")
