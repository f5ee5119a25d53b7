"""Writes to the terminal: results to stdout, everything else to stderr. The only module that knows colours."""

import json
import sys
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any, TextIO

from mailgun_mcp.settings import colour_preference

NARROWEST = 40
"""Width in characters below which lines are not wrapped."""
COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36", "dim": "2", "bold": "1"}
NARROWEST_COLUMN = 12
"""Minimum width in characters to which a column of a table is shortened."""
STATE_COLOURS = {
    **dict.fromkeys(("ok", "allow"), "green"),
    **dict.fromkeys(("warning", "confirm"), "yellow"),
    **dict.fromkeys(("failure", "failed", "deny"), "red"),
}
"""State of a check or decision of a policy -> its colour."""


def out(text: str = "") -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """Write a line that is not a result to stderr."""
    sys.stderr.write(f"{text}\n")


def as_json(value: Any) -> None:
    """Write a value to stdout as indented JSON."""
    out(json.dumps(value, ensure_ascii=False, indent=2))


def fitted(text: str, stream: TextIO | None = None) -> str:
    """Return the text wrapped to fit a terminal, with indented continuation lines. For a pipe, it is unchanged."""
    if not (stream or sys.stdout).isatty():
        return text
    width = max(get_terminal_size().columns, NARROWEST)
    return "\n".join(line for long in text.split("\n") for line in _wrapped(long, width))


def _wrapped(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    indent = " " * (len(line) - len(line.lstrip(" ")) + 4)
    return wrap(line, width, subsequent_indent=indent, break_on_hyphens=False, replace_whitespace=False)


def table(rows: Sequence[Sequence[str]]) -> None:
    """Write rows to stdout in aligned columns. On a terminal, long cells are shortened so that each row fits a line."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if sys.stdout.isatty():
        widths = _fitting(widths, get_terminal_size().columns)
    for row in rows:
        cells = (_cut(cell, width) for cell, width in zip(row, widths, strict=True))
        out("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())


def words(value: Any) -> str:
    """Return a JSON value as a person would read it: `a: 1, b: yes`. Unprintable characters are escaped."""
    if isinstance(value, Mapping):
        return ", ".join(f"{label(str(name))}: {words(item)}" for name, item in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(words, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else str(value)
    return text if text.isprintable() else json.dumps(text)[1:-1]


def label(name: str) -> str:
    """Return the name of a field in words."""
    return name.replace("_", " ")


def _fitting(widths: Sequence[int], room: int) -> list[int]:
    """Shrink the widest columns evenly until a row fits, but none below NARROWEST_COLUMN."""
    fitting = list(widths)
    while sum(fitting) + 2 * (len(fitting) - 1) > room and max(fitting) > NARROWEST_COLUMN:
        fitting[fitting.index(max(fitting))] -= 1
    return fitting


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 1]}…"


def paint(text: str, *styles: str, stream: TextIO | None = None) -> str:
    """Return `text` in colour if the stream is a terminal or FORCE_COLOR is set, unless NO_COLOR is set."""
    if not _has_colour(stream or sys.stdout):
        return text
    return f"\033[{';'.join(COLOURS[style] for style in styles)}m{text}\033[0m"


def paint_state(text: str, state: str) -> str:
    """Return `text` in the colour of a check's state or of a decision."""
    return paint(text, STATE_COLOURS[state])


def _has_colour(stream: TextIO) -> bool:
    preference = colour_preference()
    return stream.isatty() if preference is None else preference
