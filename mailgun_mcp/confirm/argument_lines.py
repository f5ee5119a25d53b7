"""All arguments of a call, in the catalogue's order: in full if they fit, else with their size and a digest."""

from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.bounded_text import WHOLE, as_text, digest, one_line, shorten, value_in_line, whole_line
from mailgun_mcp.output.url_secrets import hide, recognisable

WITHHELD = "(withheld)"
LEAST = 40
"""Least number of characters that make it worth showing a part of a value."""
STEPS = (WHOLE, 400, 250, 150, 90, LEAST)
SHORTENED = "Some values are shortened. `mailgun-mcp approvals show ID --full` shows a pending call in full."


def shown_arguments(operation: Operation, arguments: Arguments) -> Arguments:
    """Return the arguments in the catalogue's order, without secrets. Of secrets in URLs the last characters remain."""
    secret = {argument.name for argument in operation.arguments if argument.secret}
    order = [argument.name for argument in operation.arguments if argument.name in arguments]
    rest = sorted(name for name in arguments if name not in order)
    return {name: WITHHELD if name in secret else _without_url_secrets(arguments[name]) for name in [*order, *rest]}


def _without_url_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return hide(value, recognisable)
    if isinstance(value, (list, tuple)):
        return [_without_url_secrets(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_url_secrets(item) for name, item in value.items()}
    return value


def argument_lines(arguments: Arguments, length: int) -> list[str]:
    """Return a line for every argument, together at most `length` characters.

    The longest values are shortened first, all to the same length.
    """
    lines: list[str] = []
    for step in STEPS:
        lines = _lines(arguments, step)
        if sum(len(line) + 1 for line in lines) <= length:
            return lines
    names = ", ".join(shorten(name, LEAST) for name in arguments)
    return [
        "  "
        + shorten(
            f"{len(arguments):,} arguments, SHA-256 {digest(as_text(arguments))}: {names}", max(length - 110, LEAST)
        ),
        SHORTENED,
    ]


def full_lines(arguments: Arguments) -> list[str]:
    """Return every argument in full. The lines of a long text follow its name, each after a bar."""
    lines: list[str] = []
    for name, value in arguments.items():
        text = as_text(value)
        if isinstance(value, (list, tuple)) and value:
            lines += [
                f"  {one_line(name)}: {len(value):,} items",
                *(f"  | {one_line(as_text(item))}" for item in value),
            ]
        elif "\n" in text:
            lines += [f"  {one_line(name)}:", *(f"  | {one_line(line)}" for line in text.split("\n"))]
        else:
            lines.append(f"  {one_line(name)}: {one_line(text)}")
    return lines


def _lines(arguments: Arguments, length: int) -> list[str]:
    lines, shortened = [], False
    for name, value in arguments.items():
        line = "(empty)" if value == "" else whole_line(value, length)
        shortened |= line is None
        lines.append(f"  {shorten(name, LEAST)}: {value_in_line(value, length) if line is None else line}")
    return [*lines, *([SHORTENED] if shortened else [])]
