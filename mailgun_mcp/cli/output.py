"""Writes to the terminal: results to stdout, everything else to stderr. The only module that knows colours."""

import json
import sys
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any, TextIO

from mailgun_mcp.settings import colour_preference
from mailgun_mcp.text.characters import escape_invisible

NARROWEST = 40
"""Width in characters below which lines are not wrapped."""
COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36", "dim": "2", "bold": "1"}
NARROWEST_COLUMN = 16
"""Minimum width in characters to which a column of sentences is shortened."""
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
    out(visible_json(value, indent=2))


def visible_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON, with an escape for each character that a reader would not see or a terminal would obey."""
    return escape_invisible(json.dumps(value, ensure_ascii=False, indent=indent))


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
    """Write rows to stdout in aligned columns.

    On a terminal, sentences are shortened so that each row fits a line. Names, ids and times are never shortened, because
    people copy them: if they need more room than there is, each row is wrapped instead.
    """
    rows = [[_visible(cell) for cell in row] for row in rows]
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    if sys.stdout.isatty():
        room = get_terminal_size().columns
        sentences = [any(" " in cell for cell in column) for column in zip(*rows, strict=True)]
        widths = _fitting(widths, sentences, room)
        if _row_width(widths) > room:
            for row in rows:
                out(_wrapped_row(row, widths, max(room, NARROWEST)))
            return
    for row in rows:
        cells = (padded(_cut(cell, width), width) for cell, width in zip(row, widths, strict=True))
        out("  ".join(cells).rstrip())


def display_width(text: str) -> int:
    """Return the number of columns that the text takes on a terminal: a Chinese or Japanese character takes two."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def padded(text: str, width: int) -> str:
    """Return the text with spaces up to `width` columns."""
    return text + " " * (width - display_width(text))


def words(value: Any) -> str:
    """Return a JSON value as a person would read it: `a: 1, b: yes`. Unprintable characters are escaped."""
    if isinstance(value, Mapping):
        return ", ".join(f"{label(str(name))}: {words(item)}" for name, item in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(words, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _visible("" if value is None else str(value))


def _visible(text: str) -> str:
    """Return the text on one line, with an escape for each character that a reader would not see."""
    if text.isascii() and text.isprintable():
        return text
    return escape_invisible(text).replace("\n", "\\n").replace("\t", "\\t")


def label(name: str) -> str:
    """Return the name of a field in words."""
    return name.replace("_", " ")


def _character_width(character: str) -> int:
    import unicodedata

    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _wrapped_row(row: Sequence[str], widths: Sequence[int], room: int) -> str:
    """Return a row that may take several lines. If it fits one, its short cells are aligned."""
    cells = (padded(cell, min(width, NARROWEST_COLUMN)) for cell, width in zip(row, widths, strict=True))
    aligned = "  ".join(cells).rstrip()
    if display_width(aligned) <= room:
        return aligned
    return "\n".join(_wrapped("  ".join(filter(None, row)), room))


def _row_width(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def _fitting(widths: Sequence[int], sentences: Sequence[bool], room: int) -> list[int]:
    """Shrink the widest columns of sentences evenly until a row fits, but none below NARROWEST_COLUMN."""
    fitting = list(widths)
    while _row_width(fitting) > room:
        wide = [index for index, width in enumerate(fitting) if sentences[index] and width > NARROWEST_COLUMN]
        if not wide:
            break
        fitting[max(wide, key=lambda index: fitting[index])] -= 1
    return fitting


def _cut(cell: str, width: int) -> str:
    if display_width(cell) <= width:
        return cell
    while display_width(cell) > width - 1:
        cell = cell[:-1]
    return f"{cell}…"


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
