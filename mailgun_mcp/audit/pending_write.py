"""The write of one entry, which its call may wait for."""

import asyncio
from threading import Lock

Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class PendingWrite:
    """A write in another thread. Most reads ask for it only after Mailgun has answered, when it has long ended.

    So the event loop is woken only if somebody waits: each wake-up costs it a turn, and two system calls.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._has_ended = False
        self._fault: BaseException | None = None
        self._waiter: Waiter | None = None

    def end(self, fault: BaseException | None) -> Waiter | None:
        """Record that the write has ended, and how. Return who must be woken. Runs in the thread that writes."""
        with self._lock:
            self._has_ended, self._fault = True, fault
            return self._waiter

    async def wait(self) -> None:
        """Wait until the write has ended. Raises its error."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if not self._has_ended:
                self._waiter = loop, loop.create_future()
        if self._waiter is not None:
            await self._waiter[1]
        if self._fault is not None:
            raise self._fault
