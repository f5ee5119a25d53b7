"""A server that is told to stop while turns run: on every way who watches is told, and after it nothing is done twice."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from mailgun_mcp.agent.open_calls import STOPPED
from tests.support.agents import message
from tests.support.processes import HttpServer, environment, http_server

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
TEXT = " ".join(["word"] * 2_000)
SCRIPT = f"""
delay: 0.05
turns:
- user: and now
  steps: [{{say: Here I am again.}}]
- steps:
  - calls: [{{tool: clear_bounces, arguments: {{domain: mail.example.com}}}}]
  - {{say: "{TEXT}"}}
"""
USER = [{"role": "user", "content": "Begin."}]
UI = [{"id": "u1", "role": "user", "parts": [{"type": "text", "text": "Begin."}]}]
NAMED = {"X-Conversation-Id": "completions"}
REQUESTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "agui": ("/agent/agui", {"json": message("Begin.", thread="agui")}),
    "ui": ("/agent/chat", {"json": {"id": "ui", "messages": UI}}),
    "responses": ("/v1/responses", {"json": {"input": "Begin.", "stream": True}}),
    "whole response": ("/v1/responses", {"json": {"input": "Begin."}}),
    "completions": ("/v1/chat/completions", {"json": {"messages": USER, "stream": True}, "headers": NAMED}),
    "whole completion": ("/v1/chat/completions", {"json": {"messages": USER}}),
}
LASTS = {
    "agui": '"code":"FAILED"}\n\n',
    "ui": '"finishReason":"error"}\n\ndata: [DONE]\n\n',
    "responses": "event: response.failed",
    "whole response": '"status":"failed"',
    "completions": '"finish_reason":"stop"',
    "whole completion": '"finish_reason":"stop"',
    "events": '"outcome":"failed"',
    "resumed": "data: [DONE]\n\n",
}
"""Way -> what its last words contain, beside the sentence."""


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    script = tmp_path / "script.yaml"
    script.write_text(SCRIPT, encoding="utf-8")
    flags = ["--transport", "http", "--simulator", "--policy", "unguarded", "--drain-timeout", "3"]
    return [*flags, "--agent", "--model", f"script:{script}"]


def client_of(server: HttpServer) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.address, headers=server.headers, timeout=30)


async def read(client: httpx.AsyncClient, begun: asyncio.Event, method: str, path: str, **request: Any) -> str:
    """Read an answer to its end. Raises httpx.RemoteProtocolError where it is cut."""
    text = ""
    async with client.stream(method, path, **request) as answer:
        assert answer.status_code == 200
        async for piece in answer.aiter_text():
            text += piece
            if "word" in text:
                begun.set()
    begun.set()
    return text


async def stopped(words: list[str], home: Path) -> AsyncIterator[tuple[str, str]]:
    """Begin a turn on each way, stop the server, and yield what each was sent."""
    async with http_server(words, environment(home)) as server, client_of(server) as client:
        watching: dict[str, asyncio.Task[str]] = {}
        begun = []
        for name, (path, request) in REQUESTS.items():
            begun.append(asyncio.Event())
            watching[name] = asyncio.ensure_future(read(client, begun[-1], "POST", path, **request))
        await asyncio.gather(*(one.wait() for name, one in zip(REQUESTS, begun, strict=True) if "whole" not in name))
        for name, path in (("events", "/agent/conversations/agui/events"), ("resumed", "/agent/chat/ui/stream")):
            begun.append(asyncio.Event())
            watching[name] = asyncio.ensure_future(read(client, begun[-1], "GET", path))
            await begun[-1].wait()
        server.process.send_signal(signal.SIGTERM)
        for name, task in watching.items():
            yield name, await task
        await server.process.wait()


async def test_who_watches_is_told_and_the_turn_is_told_after_the_restart(words: list[str], tmp_path: Path) -> None:
    seen = {name: text async for name, text in stopped(words, tmp_path)}
    assert seen.keys() == LASTS.keys()
    for name, text in seen.items():
        assert STOPPED in text, (name, text[-300:])
        assert LASTS[name] in text, (name, text[-300:])
    async with http_server(words, environment(tmp_path)) as server, client_of(server) as client:
        listed = (await client.get("/agent/conversations")).json()["conversations"]
        assert [one["status"] for one in listed] == ["idle"] * len(REQUESTS)
        for one in listed:
            events = (await client.get(f"/agent/conversations/{one['id']}")).json()["events"]
            assert [event["kind"] for event in events].count("tool_finished") == 1
            assert events[-1]["text"] == STOPPED
        # The same request again is the same run: it is shown, and not made.
        again = await client.post(REQUESTS["agui"][0], **REQUESTS["agui"][1])
        assert again.text.count("TOOL_CALL_START") == 1
        assert STOPPED in again.text
        more = await client.post("/agent/agui", json=message("And now?", thread="agui", run="r2"))
        assert "again." in more.text
        assert json.loads(more.text.strip().splitlines()[-1].removeprefix("data: "))["outcome"] == {"type": "success"}
