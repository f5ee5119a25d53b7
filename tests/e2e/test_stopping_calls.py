"""A server that is told to stop while calls run: those that end in time are answered, the callers of others are told."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from tests.support.calls import BOUNCE
from tests.support.processes import PATIENCE, HttpServer, environment, http_server, pointed_at
from tests.support.upstream import Connection, Upstream, hangs, says

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
OPENED = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}


def message(method: str, number: int | None = None, **params: Any) -> dict[str, Any]:
    numbered = {} if number is None else {"id": number}
    return {"jsonrpc": "2.0", **numbered, "method": method, "params": params}


CALL = {"name": "get_bounce", "arguments": BOUNCE}


async def modern(http: httpx.AsyncClient) -> str:
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "get_bounce"}
    answer = await http.post("/mcp", json=message("tools/call", 1, **CALL, _meta=META), headers=headers)
    return answer.text


async def legacy(http: httpx.AsyncClient) -> str:
    """Make the call in a session, beside the stream on which a client listens."""
    opened = await http.post("/mcp", json=message("initialize", 1, **OPENED))
    session = {"Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-11-25"}
    await http.post("/mcp", json=message("notifications/initialized"), headers=session)

    async def listen() -> None:
        async with http.stream("GET", "/mcp", headers=session) as answer:
            await answer.aread()

    listening = asyncio.ensure_future(listen())
    answer = await http.post("/mcp", json=message("tools/call", 2, **CALL), headers=session)
    # It is ended as it should: what is cut raises an error here.
    await listening
    return answer.text


async def sse(http: httpx.AsyncClient) -> str:
    """Make the call on the older transport, and return everything on its stream, which ends as it should."""
    text, said = "", 0
    async with http.stream("GET", "/sse") as answer:
        async for line in answer.aiter_lines():
            text += line
            if line.startswith("data: /messages"):
                path = line.removeprefix("data: ")
                await http.post(path, json=message("initialize", 1, **OPENED))
            elif line.startswith("data: {"):
                said += 1
                if said == 1:
                    await http.post(path, json=message("notifications/initialized"))
                    await http.post(path, json=message("tools/call", 2, **CALL))
    return text


@asynccontextmanager
async def stopping(home: Path, upstream: Upstream, *, seconds: float, begun: list[asyncio.Event]) -> AsyncIterator[Any]:
    """Start a server with a call on each way, and have it stop when Mailgun has all three."""
    variables = environment(home, pointed_at(upstream.url))
    words = ["--transport", "http", "--policy", "unguarded", "--drain-timeout", f"{seconds:g}"]
    async with http_server(words, variables) as server, client_of(server) as http:
        calls = [asyncio.ensure_future(way(http)) for way in (modern, legacy, sse)]
        with anyio.fail_after(PATIENCE):
            await asyncio.gather(*(event.wait() for event in begun))
            server.process.send_signal(signal.SIGTERM)
            yield calls
            await server.process.wait()
    assert "Traceback" not in "".join(server.said)


def client_of(server: HttpServer) -> httpx.AsyncClient:
    headers = {**server.headers, "Accept": "application/json, text/event-stream"}
    return httpx.AsyncClient(base_url=server.address, headers=headers, timeout=PATIENCE)


async def test_calls_that_end_in_time_are_answered_on_every_way(tmp_path: Path, upstream: Upstream) -> None:
    begun, go_on = [asyncio.Event() for _ in range(3)], asyncio.Event()

    def slow(event: asyncio.Event) -> Any:
        async def answer(connection: Connection) -> None:
            event.set()
            await go_on.wait()
            await says({"address": "ann@example.com", "code": "550"})(connection)

        return answer

    upstream.then(*map(slow, begun))
    async with stopping(tmp_path, upstream, seconds=PATIENCE, begun=begun) as calls:
        await asyncio.sleep(1)
        assert not any(call.done() for call in calls)
        go_on.set()
        answers = await asyncio.gather(*calls)
    assert ['"code":"550"' in answer.replace("\\", "") for answer in answers] == [True] * 3


async def test_a_stream_of_subscriptions_ends_as_it_should_and_keeps_no_server_up(tmp_path: Path) -> None:
    asked = message(
        "subscriptions/listen", 7, _meta=META, notifications={"resourceSubscriptions": ["mailgun-mcp://domains"]}
    )
    headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}
    words = ["--transport", "http", "--simulator", "--drain-timeout", "3600"]
    async with http_server(words, environment(tmp_path)) as server, client_of(server) as http:
        text = ""
        async with http.stream("POST", "/mcp", json=asked, headers=headers) as answer:
            async for line in answer.aiter_lines():
                text += line
                if "acknowledged" in line:
                    server.process.send_signal(signal.SIGTERM)
        with anyio.fail_after(PATIENCE):
            await server.process.wait()
    assert '"id":7,"result"' in text
    assert "Traceback" not in "".join(server.said)


async def test_the_callers_of_the_others_are_told_on_every_way(tmp_path: Path, upstream: Upstream) -> None:
    begun = [asyncio.Event() for _ in range(3)]
    upstream.then(*(hangs(event, asyncio.Event()) for event in begun))
    async with stopping(tmp_path, upstream, seconds=2, begun=begun) as calls:
        answers = await asyncio.gather(*calls)
    assert ["The server stopped before Mailgun answered" in answer for answer in answers] == [True] * 3
