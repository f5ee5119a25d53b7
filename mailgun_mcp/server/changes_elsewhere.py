"""Finds in the audit log what other processes changed: servers that share the state, and commands of people.

It looks while somebody is subscribed, whenever the state has changed, and on PostgreSQL every few seconds.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count

from mailgun_mcp.audit.call_record import CallRecord
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import StateError
from mailgun_mcp.output.logs import logger

EARLIER = 500
"""Entries before the newest in which calls are looked for that have begun and not ended."""
MOST_OPEN = 1_000
"""Calls that have begun, and of which one is remembered until it ends."""
MOST_OWN = 1_000
Tell = Callable[[str, Arguments], Awaitable[None]]
"""Told the tool and the arguments of a successful call."""


class ChangesElsewhere:
    """Tells of successful calls that this process did not make."""

    def __init__(self, services: Services, tell: Tell) -> None:
        self._services = services
        self._tell = tell
        self._task: asyncio.Task[None] | None = None
        self._own: deque[str] = deque(maxlen=MOST_OWN)
        self._open: dict[str, tuple[str, Arguments]] = {}
        """Calls that change something and have not ended, as far as the log was read."""
        self._last = 0
        self._begun = asyncio.Event()

    async def start(self) -> None:
        """Begin to look, if this has not begun. What ends after this returns is told."""
        if self._task is None or self._task.done():
            self._services.observers.append(self._note)
            self._begun.clear()
            self._task = asyncio.create_task(self._run())
        await self._begun.wait()

    def _note(self, record: CallRecord, _: float) -> None:
        self._own.append(record.call)

    async def _run(self) -> None:
        from mailgun_mcp.store.changes import watching
        from mailgun_mcp.store.database import in_thread

        try:
            async with watching(self._services.store) as news:
                for turn in count():
                    try:
                        ended = await in_thread(self._read, start=turn == 0)
                    except StateError as error:
                        logger().warning("changes of other processes are not seen", reason=str(error))
                        ended = []
                    for call, tool, arguments in ended:
                        if call not in self._own and call not in self._services.running:
                            await self._tell(tool, arguments)
                    self._begun.set()
                    await news.wait()
        finally:
            self._begun.set()
            self._services.observers.remove(self._note)

    def _read(self, *, start: bool) -> list[tuple[str, str, Arguments]]:
        """Return the successful calls that have ended since the last time."""
        if not self._services.store.exists:
            return []
        log = self._services.audit_log
        newest = log.last
        if start:
            self._last = max(0, newest - EARLIER)
        ended: list[tuple[str, str, Arguments]] = []
        for entry in log.entries(self._last) if newest > self._last else ():
            self._last = entry.seq
            fields = entry.fields
            if entry.kind == "intent" and fields.get("risk") != "read":
                self._open[entry.call] = (str(fields.get("tool", "")), dict(fields.get("arguments") or {}))
            elif entry.kind == "outcome":
                call = self._open.pop(entry.call, None)
                if call and fields.get("result", {}).get("outcome") == "done" and not start:
                    ended.append((entry.call, *call))
        while len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
        return ended
