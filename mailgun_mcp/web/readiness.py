"""Whether the server should get requests. Load balancers ask often, and send nothing to a server that says no.

Only the database is asked, on a separate connection, so that a busy server does not look broken. An answer counts for a
moment, and an outage no longer than a database restart changes nothing. Otherwise all servers would be taken out of
service at once, and clients would get no answer instead of a clear error.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse

from mailgun_mcp import __version__
from mailgun_mcp.errors import StateError
from mailgun_mcp.output.logs import logger
from mailgun_mcp.store.database import Store

EVERY = 2.0
"""Seconds for which the database's answer counts."""
BOUND = 1.0
"""Seconds for which a request waits for the database."""
GRACE = 15.0
"""Seconds without an answer after which the database counts as down."""


class Readiness:
    """Answers `/readyz`."""

    def __init__(self, store: Store, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store.reopened()
        self._monotonic = monotonic
        self._check: asyncio.Task[None] | None = None
        self._began: float | None = None
        self._answered: float | None = None
        self._was_ready = True

    async def answer(self, _: Request) -> JSONResponse:
        """Answer, without giving a reason: that is in the log."""
        if await self.is_ready():
            return JSONResponse({"status": "ok", "version": __version__})
        return JSONResponse({"status": "the database does not answer"}, 503, headers={"Retry-After": "2"})

    async def is_ready(self) -> bool:
        """Return whether the database has answered recently."""
        now = self._monotonic()
        if self._check is None and (self._began is None or now - self._began >= EVERY):
            self._began = now
            self._check = asyncio.create_task(self._ask())
        if self._check is not None:
            await asyncio.wait({self._check}, timeout=BOUND)
        return self._answered is not None and self._monotonic() - self._answered < GRACE

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Close the connection when the block ends."""
        try:
            yield
        finally:
            if self._check is not None:
                self._check.cancel()
                with suppress(asyncio.CancelledError):
                    await self._check
            self._store.close()

    async def _ask(self) -> None:
        fault: StateError | None = None
        try:
            # The server does not wait for this when it stops.
            await anyio.to_thread.run_sync(self._read, abandon_on_cancel=True)
            self._answered = self._monotonic()
        except StateError as error:
            fault = error
        finally:
            self._check = None
        if (fault is None) != self._was_ready:
            self._was_ready = fault is None
            if fault is None:
                logger().info("the database answers again")
            else:
                logger().warning("the database does not answer", reason=str(fault))

    def _read(self) -> None:
        if self._store.exists:
            with self._store.reading() as connection:
                connection.execute("SELECT id FROM approvals LIMIT 1").fetchone()
