"""The UI message stream: its chunks, and Vercel's own transport in Node over the real server."""

import asyncio
import json
from pathlib import Path

import pytest
from anyio import to_thread

from tests.support.chat_ways import Pause, client_of, stream_of
from tests.support.chats import CLEAR, DOMAIN, LIST, Chat
from tests.support.processes import environment, http_server
from tests.support.sdk import need_command, run, without

pytestmark = pytest.mark.anyio
AI_SDK = Path(__file__).parent / "ai-sdk"
USER = {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "What bounces?"}]}


async def chunks_of(chat: Chat, message: object = USER) -> list[dict[str, object]]:
    async with client_of(chat.runner) as client:
        answer = await client.post("/agent/chat", json={"id": "c", "messages": [message]})
        assert answer.headers["x-vercel-ai-ui-message-stream"] == "v1"
        assert answer.text.endswith("data: [DONE]\n\n")
        return stream_of(answer.text)


async def test_text_tools_and_marks_are_chunks() -> None:
    async with Chat(["Let me look.", LIST], ["Two ", "bounce."]) as chat:
        chunks = await chunks_of(chat)
        assert [chunk["type"] for chunk in chunks if chunk["type"] != "message-metadata"] == [
            *("start", "start-step", "text-start", "text-delta", "text-end", "tool-input-available"),
            *("data-third-party-text", "tool-output-available", "finish-step", "start-step", "text-start"),
            *("text-delta", "text-delta", "text-end", "finish-step", "finish"),
        ]
        assert chunks[-1]["finishReason"] == "stop"


@pytest.mark.parametrize(
    ("response", "kinds", "reason"),
    [
        ([CLEAR], {"tool-approval-request"}, "tool-calls"),
        ([("get_bounce", {"domain": DOMAIN})], {"tool-output-error"}, "stop"),
        ([ConnectionError("x")], {"error"}, "error"),
    ],
)
async def test_how_calls_and_runs_end(response: list[object], kinds: set[str], reason: str) -> None:
    async with Chat(response) as chat:
        chunks = await chunks_of(chat)
        assert kinds <= {str(chunk["type"]) for chunk in chunks}
        assert chunks[-1]["finishReason"] == reason


async def test_a_denied_call_is_a_denied_output() -> None:
    async with Chat([CLEAR], ["As you like."]) as chat:
        (asked,) = [chunk for chunk in await chunks_of(chat) if chunk["type"] == "tool-approval-request"]
        part = {"type": "dynamic-tool", "state": "approval-responded"}
        part |= {"approval": {"id": asked["approvalId"], "approved": False, "reason": "no"}}  # type: ignore[dict-item]
        old = {**part, "approval": {"id": "before", "approved": True}}
        chunks = await chunks_of(chat, {"id": "a", "role": "assistant", "parts": [old, part, "x"]})
        assert {"data-approval", "tool-output-denied"} <= {str(chunk["type"]) for chunk in chunks}


async def test_a_run_is_watched_again_and_cancelled() -> None:
    pause = Pause()
    async with Chat(pause) as chat, client_of(chat.runner) as client:
        first = asyncio.create_task(client.post("/agent/chat", json={"id": "c", "messages": [USER]}))
        await pause.reached.wait()
        again = asyncio.create_task(client.get("/agent/chat/c/stream"))
        await asyncio.sleep(0)
        assert (await client.post("/agent/chat/c/cancel")).status_code == 204
        for stream in (await first, await again):
            assert [chunk["type"] for chunk in stream_of(stream.text)][-1] == "finish"
        assert (await client.get("/agent/chat/c/stream")).status_code == 204
        assert (await client.get("/agent/chat/other/stream")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "c"},
        {"id": "c", "messages": []},
        {"messages": [USER]},
        {"id": "c", "messages": [{"role": "assistant"}]},
    ],
)
async def test_a_request_of_another_form_is_refused(body: object) -> None:
    async with Chat() as chat, client_of(chat.runner) as client:
        assert (await client.post("/agent/chat", json=body)).status_code == 400


async def test_the_same_message_again_is_the_same_run() -> None:
    async with Chat(["One."], ["Two."]) as chat:
        for _ in range(2):
            texts = [chunk["delta"] for chunk in await chunks_of(chat) if chunk["type"] == "text-delta"]
            assert texts == ["One."]


SCRIPT = """\
turns:
  - steps:
      - calls: [{tool: clear_bounces, arguments: {domain: mail.example.com}}]
      - say: Cleared.
"""


@pytest.fixture(scope="module")
def node() -> str:
    """The command `node`, with the SDK installed as the lock says."""
    found, npm = need_command("node", provided=True), need_command("npm", provided=True)
    if not (AI_SDK / "node_modules" / "ai").is_dir():
        done = run([npm, "ci", "--ignore-scripts"], AI_SDK)
        if done.returncode:
            without(f"`npm ci` in tests/agent/http/ai-sdk failed: {done.stderr[-400:]}", provided=True)
    return found


@pytest.mark.slow
async def test_the_transport_of_the_ai_sdk_asks_approves_and_continues(node: str, tmp_path: Path) -> None:
    script, state = tmp_path / "script.yaml", tmp_path / "state"
    script.write_text(SCRIPT, encoding="utf-8")
    flags = ("--transport", "http", "--simulator", "--agent", "--model", f"script:{script}", "--state", str(state))
    env = environment(tmp_path, {"MAILGUN_MCP_STATE": str(state)})
    async with http_server(flags, env) as server:
        done = await to_thread.run_sync(
            lambda: run([node, "chat.mjs"], AI_SDK, URL_OF_SERVER=server.address, TOKEN=server.token)
        )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert "To confirm, type: mail.example.com" in seen.pop("form")
    assert seen == {
        "states": ["output-available"],
        "texts": ["Cleared."],
        "messages": ["user", "assistant"],
        "resumed": None,
    }
