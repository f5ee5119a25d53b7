"""Writes to the person at the terminal. stdout is for results, stderr for everything else."""

import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36", "dim": "2", "bold": "1"}


def out(text: str = "") -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{text}\n")


def as_json(value: Any) -> None:
    """Write a value as JSON that a person can read."""
    out(json.dumps(value, ensure_ascii=False, indent=2))


def table(rows: Sequence[Sequence[str]]) -> None:
    """Write rows whose columns line up."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        out("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def paint(text: str, *styles: str, stream: TextIO | None = None) -> str:
    """Return `text` in colour where the stream is a terminal that wants it (NO_COLOR, FORCE_COLOR)."""
    if not _colourful(stream or sys.stdout):
        return text
    return f"\033[{';'.join(COLOURS[style] for style in styles)}m{text}\033[0m"


def _colourful(stream: TextIO) -> bool:
    from mailgun_mcp.settings import colour_preference

    preference = colour_preference()
    return stream.isatty() if preference is None else preference
