"""Waiting for changes: at once when there is one, together with all others who wait."""

import anyio
import pytest

from mailgun_mcp.confirm.approvals import Approval, Approvals, ApprovalStatus
from mailgun_mcp.store.database import Store
from mailgun_mcp.web.approvals.changes import Changes, digest_of
from tests.support.state import NOW, asked, request_approval

pytestmark = pytest.mark.anyio


class Counted(Approvals):
    reads = 0

    def list(self, now: float, status: ApprovalStatus | None = None, *, since: float = 0.0) -> tuple[Approval, ...]:
        self.reads += 1
        return super().list(now, status, since=since)


async def test_who_waits_is_told_of_the_next_change(store: Store) -> None:
    changes = Changes(Approvals(store), lambda: NOW, interval=0.01)
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
    changes = Changes(Approvals(store), lambda: NOW, interval=0.01)
    assert await changes.wait(digest_of(()), 0.05) == digest_of(())


async def test_many_who_wait_read_once(store: Store) -> None:
    approvals = Counted(store)
    changes = Changes(approvals, lambda: NOW, interval=60)
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(changes.current)
    assert approvals.reads == 1
