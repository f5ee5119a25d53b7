"""Says what is wrong with a text that is not YAML, in words for somebody who wrote it by hand."""

import re

import yaml

SENTENCES: tuple[tuple[str, str], ...] = (
    (r"character '\\t' that cannot start", "a line is indented with a tab. Use spaces"),
    (r"character '(?P<at>.)' that cannot start", "a value that starts with {at} must be in quotes"),
    (r"mapping values are not allowed", "a value contains a colon and a space. Put the value in quotes, or check the line before"),
    (r"expected <block end>, but found '(?:-|<block sequence start>)'", "this list item is indented differently from "
        "those above"),
    (r"expected <block end>", "this line is indented differently from those above, or a value before it has a stray "
        "quote"),
    (r"expected ',' or '\]'", "a list in brackets has no comma here, or no ] at its end"),
    (r"expected ',' or '\}'", "a mapping in braces has no comma here, or no } at its end"),
    (r"expected the node content, but found '(?P<at>[\]}])'", "{at} has no opening bracket"),
    (r"expected the node content", "a value is missing, or a bracket is not closed"),
    (r"unknown escape character '(?P<at>.)'", "\\{at} is not valid in double quotes. Use single quotes"),
    (r"could not find expected ':'", "this line has neither a colon after a key nor a value that belongs to the line before"),
    (r"another document", "a second document starts here (---). Write only one"),
    (r"expected a comment or a line break", "after | or > the text starts on the next line"),
)  # fmt: skip
"""Pattern of PyYAML's message -> what to say instead."""


def sentence(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """Return the line of the mistake in `text`, and a description of it."""
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark else 0
    problem = error.problem or error.context or "not YAML"
    written = text.splitlines()[line : line + 1]
    if error.context in ("while scanning an alias", "while scanning an anchor"):
        return line + 1, _unquoted(written[0] if written else "")
    if "unexpected end of stream" in problem or "document separator" in problem:
        start = error.context_mark or mark
        return (start.line if start else line) + 1, "a quote is not closed"
    for pattern, description in SENTENCES:
        if match := re.search(pattern, problem):
            return line + 1, description.replace("{at}", match.groupdict().get("at", ""))
    return line + 1, problem


def _unquoted(line: str) -> str:
    """Return what to do about an unquoted `*.example.com`, which YAML takes for an alias."""
    match = re.search(r"(?:^|[\s\[,{])([*&][^\s,\]}]*)", line)
    value = match[1] if match else "*"
    return f'a value that starts with {value[0]} must be in quotes: write "{value}"'
