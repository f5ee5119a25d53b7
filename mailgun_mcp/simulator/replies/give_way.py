"""Lets other requests run during a long search."""

from collections.abc import Iterable
from time import perf_counter
from typing import TypeVar

from anyio.lowlevel import checkpoint

T = TypeVar("T")
SLICE = 0.005
"""Seconds that a search may run before it gives way to other requests."""


class Turn:
    """The time slice of a search."""

    def __init__(self) -> None:
        self._end = perf_counter() + SLICE

    async def give_way(self) -> None:
        """Let other requests run if the time slice is used up."""
        if perf_counter() >= self._end:
            await checkpoint()
            self._end = perf_counter() + SLICE


async def in_turns(items: Iterable[T]) -> list[T]:
    """Return the items as a list. Other requests run while they are being computed."""
    turn, every = Turn(), list[T]()
    for item in items:
        every.append(item)
        await turn.give_way()
    return every
