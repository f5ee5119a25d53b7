"""Finds changes by other processes in the audit log: by servers that share the state, and by commands that people run.

While somebody is subscribed, it reads the log after each change of the state; on PostgreSQL, also every few seconds.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from mailgun_mcp.audit.call_record import CallRecord
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.builtin_tools import UNDO_OPERATION
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import StateError
from mailgun_mcp.output.logs import logger

EARLIER = 500
"""How many of the newest entries are searched at the start for calls that have not ended."""
MOST_OPEN = 1_000
"""Maximum number of unfinished calls that are remembered."""
MOST_OWN = 1_000
Tell = Callable[[str, Arguments], Awaitable[None]]
"""Called with the tool and the arguments of each successful call."""


class ChangesElsewhere:
    """Reports successful calls that this process did not make."""

    def __init__(self, services: Services, tell: Tell) -> None:
        self._services = services
        self._tell = tell
        self._task: asyncio.Task[None] | None = None
        self._own: deque[str] = deque(maxlen=MOST_OWN)
        self._open: dict[str, tuple[str, Arguments]] = {}
        """Calls with a risk above `read` that have not ended, according to the entries read so far."""
        self._last = 0
        self._begun = asyncio.Event()

    async def start(self) -> None:
        """Start watching, unless it has started. Calls that end after this returns are reported."""
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
                        logger().warning("changes by other processes are not seen", reason=str(error))
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
        """Return the successful calls that have ended since the last read."""
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
            if entry.kind == "intent" and fields.get("risk") != "read" and not _is_step(fields):
                self._open[entry.call] = (str(fields.get("tool", "")), dict(fields.get("arguments") or {}))
            elif entry.kind == "outcome":
                call = self._open.pop(entry.call, None)
                if call and fields.get("result", {}).get("outcome") == "done" and not start:
                    ended.append((entry.call, *call))
        while len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
        return ended


def _is_step(fields: dict[str, Any]) -> bool:
    """Return whether the call is part of an undo. The undo is reported as a whole."""
    return bool(fields.get("undoes")) and fields.get("tool") != UNDO_OPERATION
