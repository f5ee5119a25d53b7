"""Tokens that the server itself knows: that of the user who runs it, and the named ones that the user made."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hmac import compare_digest
from time import monotonic

import anyio

from mailgun_mcp.identity.principal import Principal, local_user
from mailgun_mcp.identity.tokens import PREFIX, USED_EVERY, TokenEntry, Tokens, parts_in, proven
from mailgun_mcp.store.changes import Changes, watching
from mailgun_mcp.store.database import Store, in_thread
from mailgun_mcp.web.authentication import TokenRefused

REMEMBERED = 1.0
"""Seconds for which a cached entry is used at most, because a notification can be lost."""


class StartToken:
    """The token in the state directory. Whoever can read it runs the server, or was given it by the user who does."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._user = local_user()

    def takes(self, token: str) -> bool:
        """Return whether it is that token. The comparison takes constant time."""
        return compare_digest(token.encode(), self._token.encode())

    async def verify(self, token: str) -> Principal:  # noqa: ARG002 - `takes` compared it
        """Return the user who runs the server."""
        return self._user


class StaticTokens:
    """The tokens of `mailgun-mcp tokens`. Each is looked up for each request, so that revoking it takes effect at once.

    On PostgreSQL, that would add a round trip to every request. There, while the server runs, entries are cached until
    PostgreSQL notifies of a change to the table, and for at most a second.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._reads_at_once = store.sealer is None
        """Whether SQLite is read without a thread, over a separate connection that no transaction waits for."""
        self._reader = store.reopened() if self._reads_at_once else store
        self._tokens = Tokens(self._reader)
        self._clock = clock
        self._read: dict[str, tuple[float, TokenEntry]] = {}
        """Token id -> when its entry was read, and the entry."""
        self._reading: dict[str, tuple[float, asyncio.Future[TokenEntry | None]]] = {}
        """Token id -> when a read began that is in progress, and the entry to come. Requests share it."""
        self._is_notified = False
        self._noted: dict[str, float] = {}
        """Token id -> when its use was last recorded."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen for changes until the block ends."""
        if self._reads_at_once:
            try:
                yield
            finally:
                self._reader.close()
            return
        async with watching(self._store) as changes, anyio.create_task_group() as tasks:
            tasks.start_soon(self._forget_on, changes)
            yield
            tasks.cancel_scope.cancel()

    async def _forget_on(self, changes: Changes) -> None:
        self._is_notified = True
        try:
            while True:
                await changes.wait()
                # Reads in progress write to the old dicts.
                self._read, self._reading = {}, {}
        finally:
            self._is_notified, self._read, self._reading = False, {}, {}

    def takes(self, token: str) -> bool:
        """Return whether it starts like one of our tokens."""
        return token.startswith(PREFIX)

    async def verify(self, token: str) -> Principal:
        """Return the principal of the token. Raises TokenRefused, StateError."""
        now = self._clock()
        parts = parts_in(token)
        token_row = proven(await self._entry(parts[0]), parts[1], now) if parts else None
        if token_row is None:
            raise TokenRefused("it is unknown, revoked or expired")
        if token_row.use_is_due(now) and self._noted.get(token_row.id, -USED_EVERY) + USED_EVERY < now:
            self._noted[token_row.id] = now
            await in_thread(self._tokens.note_use, token_row, now)
        return token_row.principal

    async def _entry(self, name: str) -> TokenEntry | None:
        if self._reads_at_once:
            return self._tokens.entry(name)
        now = monotonic()
        if name in self._read and now - self._read[name][0] < REMEMBERED:
            return self._read[name][1]
        if not self._is_notified:
            return await in_thread(self._tokens.entry, name)
        if name not in self._reading or now - self._reading[name][0] >= REMEMBERED:
            self._reading[name] = (now, asyncio.ensure_future(self._read_entry(name, now)))
        # One request that ends must not end the read of the others.
        return await asyncio.shield(self._reading[name][1])

    async def _read_entry(self, name: str, began: float) -> TokenEntry | None:
        read, reading = self._read, self._reading
        try:
            entry = await in_thread(self._tokens.entry, name)
        finally:
            if name in reading and reading[name][0] == began:
                del reading[name]
        if entry is not None:
            read[name] = (began, entry)
        return entry
