"""Measures the size of a JSON value, reading no more of it than needed, and writes sizes in words."""

from typing import Any

DEEPEST = 40


def size_of(value: Any, most: int, depth: int = 0) -> int:
    """Return about how many characters the value has as JSON. Above `most`, or if nested too deep, it is only more."""
    if isinstance(value, str):
        return len(value) + 2
    if not isinstance(value, (dict, list)):
        return 8
    if depth > DEEPEST:
        return most + 1
    size = 2
    for item in value.items() if isinstance(value, dict) else value:
        if isinstance(item, tuple):
            size += len(str(item[0])) + 4
            item = item[1]
        size += size_of(item, most - size, depth + 1)
        if size > most:
            break
    return size


def megabytes(size: int) -> str:
    """Return a number of bytes in a form for people."""
    return f"{size / 1024 / 1024:.1f} MB"


def count_of(number: int, noun: str) -> str:
    """Return a number of things in words: `1 item`, `2,000 items`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
