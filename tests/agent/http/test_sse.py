"""Streams: comments keep a quiet connection open, and a client that leaves stops only its own stream."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mailgun_mcp.agent.http.sse import KEEP_ALIVE, alive, data, named, streaming

pytestmark = pytest.mark.anyio


def test_an_event_is_one_line_of_json() -> None:
    assert data({"a": "b\nc"}) == 'data: {"a":"b\\nc"}\n\n'
    assert named("x", 1) == "event: x\ndata: 1\n\n"


async def test_a_comment_comes_where_nothing_else_does() -> None:
    go_on = asyncio.Event()

    async def lines() -> AsyncIterator[str]:
        yield "one"
        await go_on.wait()
        yield "two"

    seen = []
    async for line in alive(lines(), quiet=0.01):
        seen.append(line)
        if line == KEEP_ALIVE:
            go_on.set()
    assert [seen[0], KEEP_ALIVE in seen, seen[-1]] == ["one", True, "two"]


async def test_a_client_that_leaves_ends_its_stream() -> None:
    async def lines() -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield "never"

    stream = alive(lines(), quiet=0.01)
    assert await anext(stream) == KEEP_ALIVE
    await stream.aclose()  # type: ignore[attr-defined]


def test_proxies_are_told_not_to_wait() -> None:
    async def lines() -> AsyncIterator[str]:
        yield ""

    assert streaming(lines(), extra="1").headers["x-accel-buffering"] == "no"
