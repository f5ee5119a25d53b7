"""What a Mailgun answers in which nothing is: each list is there, and empty."""

from functools import cache
from typing import Any

from tests.support.operations import catalogue


@cache
def empty_lists() -> dict[str, Any]:
    """Return an answer that has, empty, every list that an operation of the catalogue reads."""
    paths = {operation.pages.items for operation in catalogue() if operation.pages}
    for operation in catalogue():
        for effect in operation.affects:
            read = catalogue().resource(effect.resource).all
            paths |= {read.items} if read and read.items else set()
    answer: dict[str, Any] = {}
    for path in paths:
        *heads, last = path.split("/")
        inner = answer
        for head in heads:
            inner = inner.setdefault(head, {})
        inner[last] = []
    return answer
