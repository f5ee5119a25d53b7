"""Lets other requests run while one searches a long time."""

from time import perf_counter

from anyio.lowlevel import checkpoint

SLICE = 0.005
"""Seconds that a search runs before others have their turn."""


class Turn:
    """The time that a search has until others have their turn."""

    def __init__(self) -> None:
        self._end = perf_counter() + SLICE

    async def give_way(self) -> None:
        """Let other requests run if the time is up."""
        if perf_counter() >= self._end:
            await checkpoint()
            self._end = perf_counter() + SLICE
