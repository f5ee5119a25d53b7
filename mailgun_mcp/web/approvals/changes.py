"""Tells pages and programs that wait when pending calls come, are answered or expire. One read serves all who wait."""

from collections.abc import Callable
from hashlib import sha256

import anyio

from mailgun_mcp.confirm.approvals import Approval, Approvals
from mailgun_mcp.store.changes import watching
from mailgun_mcp.store.database import Store, in_thread

LATE = 0.05
"""Seconds after an approval has expired at which it is read as expired."""


class Changes:
    """The state of all approvals, as it was read last."""

    def __init__(self, store: Store, approvals: Approvals, clock: Callable[[], float]) -> None:
        self._store = store
        self._approvals = approvals
        self._clock = clock
        self._lock = anyio.Lock()
        self._began = 0.0
        """When the last read began."""
        self._current: tuple[Approval, ...] = ()

    async def current(self) -> tuple[Approval, ...]:
        """Return the approvals, as they are read after this was called. Raises StateError."""
        asked = anyio.current_time()
        async with self._lock:
            # Whoever was first has read for all who asked meanwhile.
            if self._began <= asked:
                self._began = anyio.current_time()
                self._current = await in_thread(self._approvals.list, self._clock())
            return self._current

    async def wait(self, seen: str, seconds: float) -> str:
        """Return the digest of the approvals when it is no longer `seen`, or after this time. Raises StateError."""
        return digest_of(await self._wait(lambda approvals: digest_of(approvals) != seen, seconds))

    async def wait_for(self, name: str, seconds: float) -> None:
        """Return when the approval is no longer pending, or after this time. Raises StateError."""
        await self._wait(
            lambda approvals: not any(one.id == name and one.status == "pending" for one in approvals), seconds
        )

    async def _wait(self, ended: Callable[[tuple[Approval, ...]], bool], seconds: float) -> tuple[Approval, ...]:
        end = anyio.current_time() + seconds
        async with watching(self._store) as news:
            while True:
                approvals = await self.current()
                left = end - anyio.current_time()
                if left <= 0 or ended(approvals):
                    return approvals
                # That an approval expires changes nothing in the state.
                await news.wait(min(left, self._next_expiry(approvals)))

    def _next_expiry(self, approvals: tuple[Approval, ...]) -> float:
        now = self._clock()
        return min((max(0.0, one.expires - now) + LATE for one in approvals if one.status == "pending"), default=60.0)


def digest_of(approvals: tuple[Approval, ...]) -> str:
    """Return what identifies the approvals and their answers."""
    words = [f"{one.id} {one.status} {len(one.answers)}" for one in approvals]
    return sha256("\n".join(words).encode()).hexdigest()[:16]
