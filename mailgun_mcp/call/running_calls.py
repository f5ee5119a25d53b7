"""The calls that a server is making, and how it ends them when it stops."""

import asyncio
from collections.abc import Iterator


class RunningCalls:
    """The ids of the calls that are being made."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[object] | None] = {}
        """Call -> its task; None if `stop` leaves the call alone. A part of another call ends with that one."""
        self._cancelled_before: dict[str, int] = {}
        """Call -> how often its task had been cancelled when the call began."""
        self._stopped: set[str] = set()

    def __contains__(self, call: object) -> bool:
        return call in self._tasks

    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self, call: str, *, part: bool) -> None:
        """Add a call, which the current task makes. `part`: whether it is a part of another call."""
        self._tasks[call] = task = None if part else asyncio.current_task()
        self._cancelled_before[call] = task.cancelling() if task else 0

    def let_finish(self, call: str) -> None:
        """Leave the call alone: it is about to answer, and to stop it would only lose the answer."""
        if call in self._tasks:
            self._tasks[call] = None

    def end(self, call: str) -> None:
        """Remove a call."""
        self._tasks.pop(call, None)
        self._cancelled_before.pop(call, None)
        self._stopped.discard(call)

    def stop(self) -> None:
        """End all calls. Their callers are answered, and told whether something was sent."""
        for call, task in self._tasks.items():
            if task is not None and call not in self._stopped:
                self._stopped.add(call)
                task.cancel()

    def takes_stop(self, call: str) -> bool:
        """Return whether the call was cancelled by `stop` alone. Its task then goes on, with the answer."""
        task = self._tasks.get(call)
        return call in self._stopped and task is not None and task.uncancel() <= self._cancelled_before[call]
