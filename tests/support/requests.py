"""Tells the requests that change an account from those that only look at it."""

import re
from collections.abc import Iterable
from functools import cache

from tests.support.operations import catalogue


@cache
def _reads() -> frozenset[str]:
    """`POST /path` of the operations that read, where a method alone does not tell."""
    return frozenset(f"POST {o.path}" for o in catalogue() if o.risk == "read" and o.method == "POST")


@cache
def _risky_gets() -> re.Pattern[str]:
    """The `GET`s that cost money or show a key."""
    paths = [o.path for o in catalogue() if o.method == "GET" and o.risk != "read"]
    return re.compile("|".join(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) for path in paths))


def changes(line: str) -> bool:
    """Return whether a request line, `METHOD /target`, is of an operation that is more than a read."""
    method, target = line.split(" ", 1)
    path = target.partition("?")[0]
    if method == "GET":
        return _risky_gets().fullmatch(path) is not None
    return f"{method} {path}" not in _reads()


def changing(lines: Iterable[str]) -> list[str]:
    """Return the request lines that are of more than a read."""
    return [line for line in lines if changes(line)]
