"""Server-sent events of a run. The run goes on if the client disconnects."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse

from mailgun_mcp.text.compact_json import compact

DONE = "data: [DONE]\n\n"
KEEP_ALIVE = ": waiting\n\n"
QUIET = 15.0
"""Seconds without an event after which a comment is sent, to show proxies that the connection is alive."""
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


def data(value: Any) -> str:
    """Return one unnamed event."""
    return f"data: {compact(value)}\n\n"


def named(name: str, value: Any) -> str:
    """Return one named event."""
    return f"event: {name}\n{data(value)}"


def streaming(lines: AsyncIterator[str], **headers: str) -> StreamingResponse:
    """Return a streaming response with these events."""
    return StreamingResponse(alive(lines), media_type="text/event-stream", headers={**HEADERS, **headers})


async def alive(lines: AsyncIterator[str], quiet: float = QUIET) -> AsyncIterator[str]:
    """Yield the lines, with a comment after each time without one."""
    iterator = lines.__aiter__()
    coming: asyncio.Task[str] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(_next(iterator))
            done, _ = await asyncio.wait([coming], timeout=quiet)
            if not done:
                yield KEEP_ALIVE
                continue
            line, coming = coming.result(), None
            if line == "":
                return
            yield line
    finally:
        if coming is not None:
            coming.cancel()


async def _next(iterator: AsyncIterator[str]) -> str:
    try:
        return await anext(iterator)
    except StopAsyncIteration:
        return ""
