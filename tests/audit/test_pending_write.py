"""A call waits for the write of its entry only if that has not ended."""

import asyncio

import pytest

from mailgun_mcp.audit.pending_write import PendingWrite
from mailgun_mcp.errors import StateError

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("fault", [None, StateError("the disk is full")])
async def test_a_write_that_has_ended_wakes_nobody(fault: StateError | None) -> None:
    pending = PendingWrite()
    assert pending.end(fault) is None
    if fault is None:
        await pending.wait()
    else:
        with pytest.raises(StateError, match="the disk is full"):
            await pending.wait()


@pytest.mark.parametrize("fault", [None, StateError("the disk is full")])
async def test_whoever_waits_is_woken_and_learns_of_the_fault(fault: StateError | None) -> None:
    pending = PendingWrite()
    waiting = asyncio.create_task(pending.wait())
    await asyncio.sleep(0)
    waiter = pending.end(fault)
    assert waiter is not None
    loop, written = waiter
    assert loop is asyncio.get_running_loop()
    assert not waiting.done()
    written.set_result(None)
    if fault is None:
        await waiting
    else:
        with pytest.raises(StateError, match="the disk is full"):
            await waiting
