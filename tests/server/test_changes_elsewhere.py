"""Who is subscribed hears of what other processes changed, once, and not of what failed or was only read."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.errors import StateError
from mailgun_mcp.server.changes_elsewhere import MOST_OPEN, ChangesElsewhere
from mailgun_mcp.store import postgresql_driver as driver
from mailgun_mcp.store.database import Store, in_thread
from tests.support.calls import LOCAL_USER
from tests.support.engines import on_both_engines
from tests.support.recorder import Recorder, recorded_services
from tests.support.state import NOW

pytestmark = [pytest.mark.anyio, on_both_engines]

PATIENCE = 15.0


class Told:
    """What was told, and a way to wait for it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self._news = anyio.Event()

    async def __call__(self, tool: str, arguments: Any) -> None:
        self.calls.append((tool, arguments["domain"]))
        self._news.set()

    async def news(self) -> None:
        with anyio.fail_after(PATIENCE):
            await self._news.wait()
        self._news = anyio.Event()


@pytest.fixture
async def services(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    monkeypatch.setattr(driver, "READ_EVERY", 0.1)
    monkeypatch.setattr(driver, "NOTICED", 0.1)
    async with replace(recorded_services(Recorder()), state=store.directory, state_store=store) as services:
        yield services


def write(
    store: Store, call: str, domain: str, *, outcome: str = "done", risk: str = "write", undoes: str | None = None
) -> None:
    """Write a call as another process does."""
    body = {"tool": "create_template", "risk": risk, "arguments": {"domain": domain}, "undoes": undoes}
    log = AuditLog(store)
    log.append([LogEntry(call, "intent", body)], NOW, durable=True)
    log.append([LogEntry(call, "outcome", {"result": {"outcome": outcome}})], NOW, durable=True)


async def test_a_call_of_an_undo_is_not_told_beside_the_undo(services: Services, store: Store) -> None:
    other, told = store.reopened(), Told()
    elsewhere = ChangesElsewhere(services, told)
    await elsewhere.start()
    await in_thread(write, other, "step", "step.example", undoes="earlier")
    await in_thread(write, other, "after", "after.example")
    await told.news()
    assert told.calls == [("create_template", "after.example")]


async def test_what_another_process_changed_is_told_once(services: Services, store: Store) -> None:
    other, told = store.reopened(), Told()
    await in_thread(write, other, "before", "before.example")
    elsewhere = ChangesElsewhere(services, told)
    await elsewhere.start()
    await elsewhere.start()
    await in_thread(write, other, "read", "read.example", risk="read")
    await in_thread(write, other, "failed", "failed.example", outcome="failed")
    await in_thread(write, other, "one", "one.example")
    await told.news()
    await in_thread(write, other, "two", "two.example")
    await told.news()
    assert told.calls == [("create_template", "one.example"), ("create_template", "two.example")]
    other.close()


async def test_a_call_that_had_begun_before_is_told_when_it_ends(services: Services, store: Store) -> None:
    log, told = AuditLog(store.reopened()), Told()
    body = {"tool": "create_template", "risk": "write", "arguments": {"domain": "a.example"}}
    await in_thread(log.append, [LogEntry("one", "intent", body)], NOW, durable=True)
    await ChangesElsewhere(services, told).start()
    ended = LogEntry("one", "outcome", {"result": {"outcome": "done"}})
    await in_thread(log.append, [ended], NOW, durable=True)
    await told.news()
    assert told.calls == [("create_template", "a.example")]
    log._store.close()


async def test_calls_of_this_process_are_told_by_itself(services: Services, store: Store) -> None:
    other, told = store.reopened(), Told()
    await ChangesElsewhere(services, told).start()
    arguments = {"domain": "own.example", "name": "welcome", "template": "Hello"}
    await run(services, "create_template", arguments, Caller(LOCAL_USER))
    await in_thread(write, other, "one", "other.example")
    await told.news()
    assert told.calls == [("create_template", "other.example")]
    other.close()


async def test_a_state_that_cannot_be_read_is_read_again(
    services: Services, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, told = store.reopened(), Told()
    elsewhere = ChangesElsewhere(services, told)
    read, faults = elsewhere._read, [StateError("away")]

    def fail_once(*, start: bool) -> Any:
        if faults and not start:
            raise faults.pop()
        return read(start=start)

    monkeypatch.setattr(elsewhere, "_read", fail_once)
    await elsewhere.start()
    await in_thread(write, other, "one", "one.example")
    with anyio.fail_after(PATIENCE):
        while faults:  # noqa: ASYNC110 - nothing tells of a failed read
            await anyio.sleep(0.01)
    await in_thread(write, other, "two", "two.example")
    while len(told.calls) < 2:
        await told.news()
    assert [domain for _, domain in told.calls] == ["one.example", "two.example"]
    other.close()


async def test_calls_that_never_end_are_forgotten(services: Services, tmp_path: Path) -> None:
    elsewhere = ChangesElsewhere(services, Told())
    body = {"tool": "create_template", "risk": "write", "arguments": {}}
    entries = [LogEntry(f"call{number}", "intent", body) for number in range(MOST_OPEN + 5)]
    await in_thread(services.audit_log.append, entries, NOW, durable=True)
    await in_thread(elsewhere._read, start=False)
    assert len(elsewhere._open) == MOST_OPEN
