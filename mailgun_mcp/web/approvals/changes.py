"""Tells pages and programs that wait when pending calls come, are answered or expire. One read serves all who wait."""

from collections.abc import Callable
from hashlib import sha256

import anyio

from mailgun_mcp.confirm.approvals import Approval, Approvals
from mailgun_mcp.store.database import in_thread

INTERVAL = 1.0
"""Seconds between two reads, however many wait."""


class Changes:
    """The state of all approvals, as it was read last."""

    def __init__(self, approvals: Approvals, clock: Callable[[], float], *, interval: float = INTERVAL) -> None:
        self._approvals = approvals
        self._clock = clock
        self._interval = interval
        self._lock = anyio.Lock()
        self._read: float | None = None
        self._current: tuple[Approval, ...] = ()

    async def current(self) -> tuple[Approval, ...]:
        """Return the approvals, at most an interval old. Raises StateError."""
        async with self._lock:
            now = anyio.current_time()
            if self._read is None or now - self._read >= self._interval:
                self._current = await in_thread(self._approvals.list, self._clock())
                self._read = anyio.current_time()
            return self._current

    async def wait(self, seen: str, seconds: float) -> str:
        """Return the digest of the approvals when it is no longer `seen`, or after this time. Raises StateError."""
        end = anyio.current_time() + seconds
        while True:
            digest = digest_of(await self.current())
            if digest != seen or anyio.current_time() >= end:
                return digest
            await anyio.sleep(self._interval)

    async def wait_for(self, name: str, seconds: float) -> None:
        """Return when the approval is no longer pending, or after this time. Raises StateError."""
        end = anyio.current_time() + seconds
        while any(one.id == name and one.status == "pending" for one in await self.current()):
            if anyio.current_time() >= end:
                return
            await anyio.sleep(self._interval)


def digest_of(approvals: tuple[Approval, ...]) -> str:
    """Return what identifies the approvals and their answers."""
    words = [f"{one.id} {one.status} {len(one.answers)}" for one in approvals]
    return sha256("\n".join(words).encode()).hexdigest()[:16]
