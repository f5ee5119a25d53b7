"""Keeps the server's own calls below Mailgun's rate limit."""

from collections import deque
from collections.abc import Awaitable, Callable


class RateLimiter:
    """Allows `calls` in any period of `seconds`; further ones wait. `calls` of 0 means no limit."""

    def __init__(
        self, calls: int, seconds: float, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._times: deque[float] = deque(maxlen=calls)

    async def acquire(self) -> None:
        """Wait until the call may be sent."""
        while (wait := self._wait()) > 0:
            await self._sleep(wait)
        self._times.append(self._clock())

    def _wait(self) -> float:
        if not self._times or len(self._times) < (self._times.maxlen or 0):
            return 0.0
        return self._times[0] + self._seconds - self._clock()
