"""Runs work on the store in a few threads. More would only wait for each other, and take time from the event loop."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec, TypeVar

import anyio.to_thread
from anyio.lowlevel import RunVar

P = ParamSpec("P")
R = TypeVar("R")
MOST = 2
_limiter: RunVar[anyio.CapacityLimiter] = RunVar("mailgun_mcp_agent_threads")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking method of the store without blocking the event loop."""
    limiter = _limiter.get(None)
    if limiter is None:
        limiter = anyio.CapacityLimiter(MOST)
        _limiter.set(limiter)
    return await anyio.to_thread.run_sync(partial(function, *args, **kwargs), limiter=limiter)


async def to_its_end(work: Coroutine[Any, Any, R]) -> R:
    """Run work that must not be left half done. A caller who is cancelled meanwhile is cancelled after it."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            # Nobody is left to hear of a failure.
            task.exception()
        raise
    return task.result()
