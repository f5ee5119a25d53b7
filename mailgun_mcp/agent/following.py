"""Yields the events of a conversation to watchers, whichever process is running it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from mailgun_mcp.agent.conversations import Conversations
from mailgun_mcp.agent.event_log import EventLog, LiveRun
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.threads import in_thread
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.store.changes import pauses
from mailgun_mcp.store.database import Store

POLL = 0.5
"""Seconds between two checks for events that another process writes."""
POLL_NOTIFIED = 5.0
"""The same on PostgreSQL, which notifies of them. A check is still needed, because a notification can be lost."""

FREED = 0.05
"""Seconds between two checks whether a conversation is free, once the end of its run is written."""


@dataclass(frozen=True, slots=True)
class _Run:
    """The last run of a conversation at one moment."""

    live: LiveRun | None
    """The run, if this process makes it. It has its own events; those before it are written."""
    written: Sequence[Event]
    is_running: bool

    @property
    def is_ending(self) -> bool:
        """Whether its end is written, but the conversation is not yet free for the next run."""
        return self.live is None and self.is_running and bool(self.written) and self.written[-1].kind == "ended"


class Following:
    """The events of conversations, from the store and from the runs of this process."""

    def __init__(self, store: Store, conversations: Conversations, log: EventLog, clock: Callable[[], float]) -> None:
        self._store = store
        self._conversations = conversations
        self._log = log
        self._clock = clock
        self._closed = asyncio.Event()

    def close(self) -> None:
        """Release the watchers of other processes' runs. Watchers of a run in this process see its end."""
        self._closed.set()

    async def events(
        self, principal: Principal, conversation: str, *, after: int, follow: bool
    ) -> AsyncIterator[Event]:
        """Yield the events after that id, and with `follow` those of the current run. Raises NotFoundError."""
        async with AsyncExitStack() as watching:
            pause: Callable[[], Awaitable[object]] | None = None
            while True:
                run = await self._run(principal, conversation, after)
                for event in run.written[:-1] if follow and run.is_ending else run.written:
                    yield event
                    after = event.id
                if run.live is not None:
                    async for event in run.live.stream(after, follow=follow):
                        yield event
                    return
                if not follow or not run.is_running:
                    return
                if run.is_ending:
                    await asyncio.sleep(FREED)
                elif self._closed.is_set():
                    return
                elif pause is not None:
                    await self._paused(pause)
                else:
                    # The next round finds what was written before the watch began.
                    pause = await watching.enter_async_context(pauses(self._store, POLL, notified=POLL_NOTIFIED))

    async def _run(self, principal: Principal, conversation: str, after: int) -> _Run:
        """Read the state of a conversation's last run. Raises NotFoundError."""
        stored = await in_thread(self._conversations.find, conversation, principal.id)
        live = self._log.live(conversation)
        if live is not None:
            await self._log.flush()
        is_running = stored.status == "running" and stored.lease_until > self._clock()
        written = await in_thread(self._log.read, conversation, after)
        if live is not None:
            written = [event for event in written if event.id <= live.after]
        return _Run(live, written, is_running)

    async def _paused(self, pause: Callable[[], Awaitable[object]]) -> None:
        """Wait for the next event, or until this process closes."""
        pausing, closing = asyncio.ensure_future(pause()), asyncio.ensure_future(self._closed.wait())
        try:
            await asyncio.wait({pausing, closing}, return_when=asyncio.FIRST_COMPLETED)
            if pausing.done():
                pausing.result()
        finally:
            pausing.cancel()
            closing.cancel()
