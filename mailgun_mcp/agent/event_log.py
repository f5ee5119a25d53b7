"""The events of conversations: shown at once to watchers in this process, and written to the store a little later."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

from mailgun_mcp.agent.events import Event, EventKind
from mailgun_mcp.agent.threads import in_thread
from mailgun_mcp.errors import StateError
from mailgun_mcp.output.logs import logger
from mailgun_mcp.store.database import Store, stored
from mailgun_mcp.text.characters import encodable

LINGER = 0.25
"""Seconds for which events are collected before they are written. A crash loses at most this much of a text."""


class LiveRun:
    """The events of a run in this process."""

    def __init__(self, log: "EventLog", conversation: str, turn: str, after: int) -> None:
        self._log = log
        self.conversation = conversation
        self.turn = turn
        self.after = after
        self.events: list[Event] = []
        self.ended = False
        self._watchers: set[asyncio.Event] = set()

    def add(self, kind: EventKind, **body: Any) -> None:
        """Add an event, and show it to all watchers."""
        self._show(self._written(kind, body))

    def end(self, **body: Any) -> Callable[[], None]:
        """Queue the last event for writing. Return what shows it, to call once the conversation is free again."""
        event = self._written("ended", body)

        def show() -> None:
            self.ended = True
            self._show(event)

        return show

    def _written(self, kind: EventKind, body: dict[str, Any]) -> Event:
        event = Event(self.after + len(self.events) + 1, self.turn, self._log.clock(), kind, body)
        self._log.pending.append((self.conversation, event))
        self._log.write_soon()
        return event

    def _show(self, event: Event) -> None:
        self.events.append(event)
        for watcher in self._watchers:
            watcher.set()

    async def stream(self, after: int, *, follow: bool) -> AsyncIterator[Event]:
        """Yield the events so far with an id above `after`, and with `follow` those until the run ends."""
        position, news = max(0, after - self.after), asyncio.Event()
        self._watchers.add(news)
        try:
            while True:
                while position < len(self.events):
                    position += 1
                    yield self.events[position - 1]
                if self.ended or not follow:
                    return
                news.clear()
                await news.wait()
        finally:
            self._watchers.discard(news)


class EventLog:
    """The table of events, and the runs in this process."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self.clock = clock
        self.pending: list[tuple[str, Event]] = []
        self._live: dict[str, LiveRun] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing = asyncio.Lock()
        self._failed = False
        """Whether the last attempt to write failed."""
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, conversation: str, turn: str, after: int) -> LiveRun:
        """Begin the run that comes after the event `after`."""
        self._live[conversation] = live = LiveRun(self, conversation, turn, after)
        return live

    def forget(self, live: LiveRun) -> None:
        """Remove a run that has ended."""
        if self._live.get(live.conversation) is live:
            del self._live[live.conversation]

    async def give_up(self, live: LiveRun) -> None:
        """Drop what is pending of a run whose end could not be written. The next run in its place uses the same ids."""
        async with self._writing:
            self.pending = [each for each in self.pending if each[0] != live.conversation]

    def live(self, conversation: str) -> LiveRun | None:
        """Return this process's run in the conversation, or None."""
        return self._live.get(conversation)

    def write_soon(self) -> None:
        """Write the pending events in a moment."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LINGER, self._start_writing)

    def _start_writing(self) -> None:
        self._timer = None
        self._begin_flush()

    async def flush(self) -> None:
        """Write all pending events. Raises StateError if they cannot be written; a later call tries again."""
        # A caller may be cancelled while it waits. The batch is written all the same, and no later one overtakes it.
        task = self._begin_flush()
        await asyncio.wait([task])
        task.result()

    def _begin_flush(self) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(self._flush())
        self._tasks.add(task)
        task.add_done_callback(self._flushed)
        return task

    def _flushed(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger().error("events could not be written", error=str(error))

    async def _flush(self) -> None:
        async with self._writing:
            batch, self.pending = self.pending, []
            if batch:
                await self._write_all(batch)

    async def _write_all(self, batch: list[tuple[str, Event]]) -> None:
        try:
            await in_thread(self._write, batch, again=self._failed)
        except StateError:
            self.pending = [*batch, *self.pending]
            self._failed = True
            raise
        self._failed = False

    def _write(self, batch: Sequence[tuple[str, Event]], *, again: bool = False) -> None:
        """Write events. `again`: the last try failed, but may have written them before the connection was lost."""
        rows = [
            (conversation, event.id, event.turn, event.at, event.kind, _json(event.body))
            for conversation, event in _merged(batch)
        ]
        # No row depends on another one, so any lock will do.
        with self._store.writing(durable=False, lock=f"events of {rows[0][0]}") as connection:
            if again:
                first = {conversation: event.id for conversation, event in reversed(batch)}
                connection.executemany(
                    "DELETE FROM agent_events WHERE conversation = ? AND id >= ?", list(first.items())
                )
            connection.executemany(
                "INSERT INTO agent_events (conversation, id, turn, at, kind, body) VALUES (?, ?, ?, ?, ?, ?)", rows
            )

    def read(self, conversation: str, after: int) -> list[Event]:
        """Return the written events with an id above `after`."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT id, turn, at, kind, body FROM agent_events WHERE conversation = ? AND id > ? ORDER BY id",
                (conversation, after),
            ).fetchall()
        events = [Event(row["id"], row["turn"], row["at"], row["kind"], stored(row["body"], dict)) for row in rows]
        return [_part_after(event, after) for event in events]


def _json(body: dict[str, Any]) -> str:
    """Return a body as JSON. Invalid characters are replaced, as they would keep all events from being written."""
    return encodable(json.dumps(body, ensure_ascii=False))


def _merged(batch: Sequence[tuple[str, Event]]) -> list[tuple[str, Event]]:
    """Return the events with consecutive pieces of a text joined."""
    merged: list[tuple[str, Event]] = []
    last: dict[str, int] = {}
    for conversation, event in batch:
        position = last.get(conversation)
        before = None if position is None else merged[position][1]
        if before is not None and position is not None and _continues(before, event):
            pieces = [*before.body.get("pieces", [len(before.body["text"])]), len(event.body["text"])]
            body = {**before.body, "text": before.body["text"] + event.body["text"], "pieces": pieces}
            merged[position] = (conversation, replace(event, body=body))
        else:
            last[conversation] = len(merged)
            merged.append((conversation, event))
    return merged


def _continues(before: Event, event: Event) -> bool:
    return before.kind == event.kind == "text" and before.body["message"] == event.body["message"]


def _part_after(event: Event, after: int) -> Event:
    """Return the event without `pieces`. A text loses the pieces up to the id `after`."""
    pieces = event.body.get("pieces")
    if pieces is None:
        return event
    seen = max(0, len(pieces) - (event.id - after))
    body = {name: value for name, value in event.body.items() if name != "pieces"}
    return replace(event, body={**body, "text": body["text"][sum(pieces[:seen]) :]})
