"""A result as a person reads it in a terminal. A pipe gets the JSON that a client gets.

Fences and notices are for models and are left out; what a terminal would not show is escaped.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailgun_mcp.cli.output import display_width, padded, words
from mailgun_mcp.settings import shell_command

if TYPE_CHECKING:
    from mailgun_mcp.call.results import CallResult

NOTICE, LEFT_OUT, NEXT = "untrusted_text", "left_out", "next"
INDENT = "  "


def result_words(result: Mapping[str, Any], width: int) -> str:
    """Return the lines of a result, as a table if its rows fit `width`."""
    notice = result.get(NOTICE)
    boundary = notice.get("boundary") if isinstance(notice, Mapping) else None
    plain = _without_fences(result, boundary) if boundary else result
    shown = {name: value for name, value in plain.items() if name not in (NOTICE, LEFT_OUT, NEXT)}
    return "\n".join([*_lines(shown, "", width), *_ends(plain)]) or "done"


def error_words(error: "CallResult", state: Path | None) -> str:
    """Return the text of an error for the person who typed the command, without the advice for models."""
    from mailgun_mcp.confirm.confirm import MODEL_ADVICE, NOT_SHOWN_START

    if error.approval is None:
        # The person was asked in this terminal, so they have already seen the question.
        return error.text.replace(MODEL_ADVICE, "").partition(NOT_SHOWN_START)[0].rstrip()
    name = error.approval["id"]
    return (
        f"Nothing was sent: the call waits for the approval {name}, until {error.approval['expires']}.\n"
        f"To approve it: {shell_command('approvals', 'approve', name, state=state)}\n"
        "Then run the same command again."
    )


def _ends(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield how to get what is not shown."""
    more, left_out = result.get(NEXT), result.get(LEFT_OUT)
    if isinstance(more, Mapping):
        yield f"\nMore follows: add {' '.join(f'{name}={words(value)}' for name, value in more.items())}"
    if isinstance(left_out, Mapping) and "fields" in left_out:
        yield f"\nNot shown: {words(left_out['fields'])} (full=true shows everything)"


def _without_fences(value: Any, boundary: str) -> Any:
    if isinstance(value, Mapping):
        return {_without_fences(name, boundary): _without_fences(item, boundary) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_fences(item, boundary) for item in value]
    if isinstance(value, str):
        return re.sub(rf"⟦{re.escape(boundary)} [^⟦⟧]*⟧ | ⟦{re.escape(boundary)}⟧", "", value)
    return value


def _lines(value: Any, indent: str, width: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _field(f"{indent}{words(name)}:", item, indent, width)
    elif value and all(isinstance(item, Mapping) for item in value):
        yield from _table(value, indent, width) or _blocks(value, indent, width)
    else:
        for item in value:
            yield from _field(f"{indent}-", item, indent, width)


def _field(head: str, value: Any, indent: str, width: int) -> Iterator[str]:
    if isinstance(value, (Mapping, list)):
        plain = not isinstance(value, Mapping) and not any(isinstance(item, (Mapping, list)) for item in value)
        line = f"{head} {words(value)}"
        if not value or (plain and len(line) <= width):
            yield line
        else:
            yield head
            yield from _lines(value, indent + INDENT, width)
    elif isinstance(value, str) and "\n" in value.strip():
        yield head
        yield from (f"{indent}{INDENT}{words(line)}".rstrip() for line in value.strip().splitlines())
    else:
        yield f"{head} {words(value)}".rstrip()


def _table(rows: Sequence[Mapping[str, Any]], indent: str, width: int) -> list[str]:
    """Return the lines of the rows as a table, or none if they do not fit."""
    flat = [_flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    cells = [[words(name) for name in names], *([words(row.get(name)) for name in names] for row in flat)]
    widths = [max(map(display_width, column)) for column in zip(*cells, strict=True)]
    if len(rows) < 2 or len(indent) + sum(widths) + 2 * (len(widths) - 1) > width:
        return []
    return [f"{indent}{'  '.join(map(padded, row, widths))}".rstrip() for row in cells]


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        nested = isinstance(value, Mapping) and value
        flat |= _flat(value, f"{prefix}{name}.") if nested else {f"{prefix}{name}": value}
    return flat


def _blocks(rows: Sequence[Mapping[str, Any]], indent: str, width: int) -> Iterator[str]:
    for row in rows:
        for number, line in enumerate(_lines(row, indent + INDENT, width)):
            yield line if number else f"{indent}- {line.removeprefix(indent + INDENT)}"
