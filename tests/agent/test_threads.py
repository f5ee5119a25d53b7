"""Work on the store in few threads, and work that is done to its end."""

import asyncio
import threading

import anyio
import pytest

from mailgun_mcp.agent.threads import MOST, in_thread, to_its_end

pytestmark = pytest.mark.anyio


async def test_at_most_two_pieces_of_work_run_at_once_and_each_has_its_result() -> None:
    inside, most, lock = 0, 0, threading.Lock()
    results = list[int]()

    def work(number: int, *, plus: int) -> int:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.005)
        with lock:
            inside -= 1
        return number + plus

    async def one(number: int) -> None:
        results.append(await in_thread(work, number, plus=1))

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(one, number)
    assert sorted(results) == list(range(1, 11))
    assert 1 <= most <= MOST


async def test_who_is_cancelled_leaves_no_work_half_done() -> None:
    begun, going_on, done = asyncio.Event(), asyncio.Event(), list[str]()

    async def work() -> None:
        begun.set()
        await going_on.wait()
        done.append("done")
        raise KeyError("nobody hears of this")

    caller = asyncio.create_task(to_its_end(work()))
    await begun.wait()
    caller.cancel()
    await asyncio.sleep(0)
    going_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done == ["done"]


async def test_work_that_fails_fails_for_its_caller() -> None:
    async def work() -> None:
        raise KeyError("no")

    with pytest.raises(KeyError):
        await to_its_end(work())
