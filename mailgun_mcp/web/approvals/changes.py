"""Notifies waiting pages and programs when pending calls come, are answered or expire. They all share one read."""

from collections.abc import Callable
from hashlib import sha256

import anyio

from mailgun_mcp.confirm.approvals import Approval, Approvals
from mailgun_mcp.store.changes import watching
from mailgun_mcp.store.database import Store, in_thread

LATE = 0.05
"""Seconds after its expiry at which an approval is read again, so that it counts as expired."""


class ApprovalChanges:
    """The state of all approvals when they were last read."""

    def __init__(self, store: Store, approvals: Approvals, clock: Callable[[], float]) -> None:
        self._store = store
        self._approvals = approvals
        self._clock = clock
        self._lock = anyio.Lock()
        self._began = 0.0
        """When the last read began, on the event loop's clock."""
        self._current: tuple[Approval, ...] = ()

    async def current(self) -> tuple[Approval, ...]:
        """Return the approvals, from a read that begins after this is called. Raises StateError."""
        asked = anyio.current_time()
        async with self._lock:
            # An earlier caller may have read after we asked.
            if self._began <= asked:
                self._began = anyio.current_time()
                self._current = await in_thread(self._approvals.list, self._clock())
            return self._current

    async def wait(self, seen: str, seconds: float) -> str:
        """Return the digest of the approvals once it differs from `seen`, or after `seconds`. Raises StateError."""
        return digest_of(await self._wait(lambda approvals: digest_of(approvals) != seen, seconds))

    async def wait_for(self, name: str, seconds: float) -> None:
        """Return once the approval is no longer pending, or after `seconds`. Raises StateError."""
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
                # An expiry changes nothing in the state, so nothing reports it.
                await news.wait(min(left, self._next_expiry(approvals)))

    def _next_expiry(self, approvals: tuple[Approval, ...]) -> float:
        now = self._clock()
        return min((max(0.0, one.expires - now) + LATE for one in approvals if one.status == "pending"), default=60.0)


def digest_of(approvals: tuple[Approval, ...]) -> str:
    """Return a digest that changes with the approvals and their answers."""
    words = [f"{one.id} {one.status} {len(one.answers)}" for one in approvals]
    return sha256("\n".join(words).encode()).hexdigest()[:16]
