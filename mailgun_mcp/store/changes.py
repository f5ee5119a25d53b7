"""Waits until something in the state has changed, in this process or another one.

    async with watching(services.store) as changes:
        while True:
            pending = await in_thread(services.approvals.list, services.clock(), "pending")
            ...
            await changes.wait(15)

Start watching before you read, as above, so that no change is missed. `wait` may return without a change; read again.
Many callers may watch one store: a single thread looks for changes on behalf of all.

On SQLite, that thread checks every half second whether the file has changed. PostgreSQL notifies it of changes in the
tables that are marked with `migrations.announced`. It also reads every five seconds, because a notification can be lost
with its connection, and does not pass through a pooler of transactions.

`pauses` is for loops that read the state every few seconds: on PostgreSQL a notification ends the pause.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from threading import Event, Lock, Thread
from weakref import WeakKeyDictionary

from mailgun_mcp.errors import StateError
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.migrations import CHANNEL

SQLITE_EVERY = 0.5
"""Seconds between two checks of the file."""
AGAIN = 1.0
"""Seconds to wait before trying again to reach a database."""


class Changes:
    """What one watcher waits on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    async def wait(self, seconds: float | None = None) -> bool:
        """Return True once something may have changed since the last call, or False after `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)
        changed = self._changed.is_set()
        self._changed.clear()
        return changed

    def tell(self) -> None:
        """Report that something may have changed. May be called in any thread."""
        with suppress(RuntimeError):  # The loop is closed: nobody waits.
            self._loop.call_soon_threadsafe(self._changed.set)


@asynccontextmanager
async def watching(store: Store) -> AsyncIterator[Changes]:
    """Watch the state until the block ends."""
    changes = Changes()
    with _lock:
        watcher = _watchers.setdefault(store, _Watcher(store))
    watcher.add(changes)
    try:
        yield changes
    finally:
        watcher.remove(changes)


@asynccontextmanager
async def pauses(store: Store, seconds: float, *, notified: float) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """Provide a pause between two reads of the state: on SQLite, `seconds` long.

    On PostgreSQL it ends with the next change, or after `notified` seconds.
    """
    if store.sealer is None:
        yield partial(asyncio.sleep, seconds)
        return
    async with watching(store) as changes:
        yield partial(changes.wait, notified)


class _Watcher:
    """The thread that looks for changes as long as anybody watches."""

    def __init__(self, store: Store) -> None:
        self._store = store.reopened()
        self._lock = Lock()
        self._watching: set[Changes] = set()
        self._ended = Event()

    def add(self, changes: Changes) -> None:
        with self._lock:
            self._watching.add(changes)
            if len(self._watching) == 1:
                self._ended = Event()
                run = self._poll if self._store.sealer is None else self._listen
                Thread(target=run, args=(self._ended,), name="state changes", daemon=True).start()

    def remove(self, changes: Changes) -> None:
        with self._lock:
            self._watching.discard(changes)
            if not self._watching:
                self._ended.set()

    def _tell(self) -> None:
        with self._lock:
            watching = tuple(self._watching)
        for changes in watching:
            changes.tell()

    def _poll(self, ended: Event) -> None:
        # A connection of this thread alone: SQLite reports only changes made by other connections, and counts them for
        # each connection. An earlier thread that ends late must not close it.
        store = self._store.reopened()
        version: object = None
        while not ended.wait(SQLITE_EVERY if version is not None else 0):
            # A state that cannot be read counts as changed: the next reader gets the error.
            latest: object = object()
            with suppress(StateError):
                latest = _data_version(store) if store.exists else "none"
            if latest != version:
                version = latest
                self._tell()
        store.close()

    def _listen(self, ended: Event) -> None:
        while not ended.is_set():
            with suppress(StateError):
                self._store.listen(CHANNEL, self._tell, ended)
            # Changes made while there was no connection are found by reading.
            self._tell()
            ended.wait(AGAIN)


def _data_version(store: Store) -> object:
    with store.reading() as connection:
        return connection.execute("PRAGMA data_version").fetchone()[0]


_lock = Lock()
_watchers: "WeakKeyDictionary[Store, _Watcher]" = WeakKeyDictionary()
