"""Waiting for changes: at once when there is one, together with all others who wait."""

import anyio
import anyio.lowlevel
import pytest

from mailgun_mcp.confirm.approvals import Approval, Approvals, ApprovalStatus
from mailgun_mcp.store.database import Store, in_thread
from mailgun_mcp.web.approvals.changes import ApprovalChanges, digest_of
from tests.support.engines import on_both_engines
from tests.support.state import NOW, asked, request_approval

pytestmark = [pytest.mark.anyio, on_both_engines]


class Counted(Approvals):
    reads = 0

    def list(self, now: float, status: ApprovalStatus | None = None, *, since: float = 0.0) -> tuple[Approval, ...]:
        self.reads += 1
        return super().list(now, status, since=since)


async def test_who_waits_is_told_of_the_next_change(store: Store) -> None:
    changes = ApprovalChanges(store, Approvals(store), lambda: NOW)
    seen = await changes.wait("", 60)
    assert seen == digest_of(())
    told: list[str] = []

    async def wait() -> None:
        told.append(await changes.wait(seen, 60))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            approval = request_approval(store, asked())
    assert told == [digest_of((approval,))]
    denied = Approvals(store).deny(approval.id, by="ann", now=NOW)
    assert await changes.wait(told[0], 60) == digest_of((denied,))


async def test_without_a_change_the_wait_ends_in_time(store: Store) -> None:
    changes = ApprovalChanges(store, Approvals(store), lambda: NOW)
    assert await changes.wait(digest_of(()), 0.05) == digest_of(())


async def test_many_who_ask_at_once_read_once(store: Store) -> None:
    approvals = Counted(store)
    changes = ApprovalChanges(store, approvals, lambda: NOW)
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(changes.current)
    assert approvals.reads == 1
    await changes.current()
    assert approvals.reads == 2


async def test_what_another_process_answers_ends_the_wait(store: Store) -> None:
    approvals, other = Counted(store), store.reopened()
    approval = request_approval(store, asked())
    changes = ApprovalChanges(store, approvals, lambda: NOW)

    async def answer() -> None:
        await anyio.lowlevel.checkpoint()
        await in_thread(Approvals(other).approve, approval.id, by="ann", now=NOW)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(changes.wait_for, approval.id, 60)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(answer)
    other.close()
    assert approvals.reads < 6


async def test_that_an_approval_expires_ends_the_wait(store: Store) -> None:
    approval = request_approval(store, asked())
    times = iter([approval.expires - 0.1, approval.expires - 0.1])
    changes = ApprovalChanges(store, Approvals(store), lambda: next(times, approval.expires + 1))
    with anyio.fail_after(30):
        await changes.wait_for(approval.id, 60)
