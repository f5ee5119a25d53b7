"""Whether a server takes requests: it asks the state, seldom, not for long, and not through the connections of calls."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from mailgun_mcp.errors import StateError
from mailgun_mcp.store import postgresql
from mailgun_mcp.store.connection import Connection
from mailgun_mcp.store.database import Store
from mailgun_mcp.web import readiness as module
from mailgun_mcp.web.readiness import EVERY, GRACE, Readiness
from tests.support.engines import on_both_engines, on_postgresql
from tests.support.team import BASE

pytestmark = [pytest.mark.anyio, on_both_engines]


class Clock:
    """Seconds that only the test lets pass."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Away(Store):
    """A database that can be away, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))
        self.fault: str | None = None
        self.asked = 0
        self.hold: Event | None = None

    @property
    def exists(self) -> bool:
        return True

    def reopened(self) -> Store:
        return self

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        self.asked += 1
        if self.hold is not None:
            self.hold.wait(10)
        if self.fault is not None:
            raise StateError(self.fault)
        with ExitStack() as stack:
            import sqlite3

            connection = sqlite3.connect(":memory:")
            stack.callback(connection.close)
            connection.execute("CREATE TABLE approvals (id TEXT)")
            yield connection


def client_of(readiness: Readiness) -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/readyz", readiness.answer)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE)


async def test_a_state_that_answers_is_ready(store: Store) -> None:
    readiness = Readiness(store)
    async with readiness.running(), client_of(readiness) as client:
        for _ in range(2):
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.json()["status"]) == (200, "ok")


@on_postgresql
async def test_a_server_whose_connections_are_all_used_is_still_ready(store: Store) -> None:
    readiness = Readiness(store)
    with ExitStack() as stack:
        # One thread cannot take more than one by itself: the pool is emptied from below.
        with store.reading():
            pass
        pool = store._pool  # type: ignore[attr-defined] # what the test is about
        for _ in range(postgresql.CONNECTIONS):
            stack.callback(pool.putconn, pool.getconn())
        async with readiness.running():
            assert await readiness.is_ready()


async def test_it_asks_once_in_a_while_however_often_it_is_asked() -> None:
    store, clock = Away(), Clock()
    readiness = Readiness(store, monotonic=clock)
    async with readiness.running():
        assert await asyncio.gather(*(readiness.is_ready() for _ in range(20))) == [True] * 20
        assert await readiness.is_ready()
        assert store.asked == 1
        clock.now += EVERY
        assert await readiness.is_ready()
        assert store.asked == 2


async def test_a_database_that_is_away_for_a_moment_takes_no_server_out() -> None:
    store, clock = Away(), Clock()
    readiness = Readiness(store, monotonic=clock)
    async with readiness.running(), client_of(readiness) as client:
        assert (await client.get("/readyz")).status_code == 200
        store.fault = "the state in postgresql://db.internal/mailgun cannot be used: secret reason"
        clock.now += GRACE - 1
        assert (await client.get("/readyz")).status_code == 200
        clock.now += EVERY
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "the database does not answer"})
        assert "internal" not in answer.text
        assert answer.headers["Retry-After"] == "2"
        store.fault = None
        clock.now += EVERY
        assert (await client.get("/readyz")).status_code == 200


async def test_a_server_that_never_reached_its_database_is_not_ready() -> None:
    store = Away()
    store.fault = "connection refused"
    readiness = Readiness(store)
    async with readiness.running():
        assert not await readiness.is_ready()


async def test_a_database_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BOUND", 0.01)
    store, clock = Away(), Clock()
    store.hold = Event()
    readiness = Readiness(store, monotonic=clock)
    try:
        async with readiness.running():
            assert not await readiness.is_ready()
            clock.now += EVERY
            assert not await readiness.is_ready()
            # The first question is still open: no second thread waits with it.
            assert store.asked == 1
    finally:
        store.hold.set()
