"""How large a JSON value is, without reading more of it than is needed to know, and sizes in words."""

from typing import Any

DEEPEST = 40


def size_of(value: Any, most: int, depth: int = 0) -> int:
    """Return about how many characters the value has as JSON; of more than `most`, or of a deep one, only that it is more."""
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
    """Return a number of bytes as people read it."""
    return f"{size / 1024 / 1024:.1f} MB"
