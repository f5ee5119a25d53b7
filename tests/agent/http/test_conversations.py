"""Conversations as JSON: listed, read, streamed, cancelled, deleted, and each only by its owner."""

import asyncio

import pytest

from tests.support.chat_ways import WHO, client_of, stream_of
from tests.support.chats import BEN, CLEAR, LIST, Chat

pytestmark = pytest.mark.anyio
BASE = "/agent/conversations"


async def test_a_conversation_is_listed_read_and_deleted() -> None:
    async with Chat([LIST], ["Two."]) as chat, client_of(chat.runner) as client:
        started = await client.post(f"{BASE}/c/messages", json={"text": "What bounces?", "run": "r"})
        assert started.status_code == 202
        stream = await client.get(f"{BASE}/c/events")
        assert [event["kind"] for event in stream_of(stream.text)][-1] == "ended"
        assert "id: 1\n" in stream.text
        (listed,) = (await client.get(BASE)).json()["conversations"]
        assert (listed["id"], listed["title"], listed["third_party_text"]) == ("c", "What bounces?", True)
        whole = (await client.get(f"{BASE}/c")).json()
        assert (whole["usage"]["tool_calls"], whole["open_approvals"]) == (1, [])
        assert whole["events"][0]["text"] == "What bounces?"
        assert (await client.delete(f"{BASE}/c")).status_code == 204
        assert (await client.get(f"{BASE}/c")).status_code == 404


async def test_a_stream_continues_after_an_event() -> None:
    async with Chat(["One."]) as chat, client_of(chat.runner) as client:
        await chat.say("hello")
        every = stream_of((await client.get(f"{BASE}/c/events")).text)
        rest = await client.get(f"{BASE}/c/events", headers={"last-event-id": str(every[-2]["id"])})
        assert [event["id"] for event in stream_of(rest.text)] == [every[-1]["id"]]
        assert (await client.get(f"{BASE}/c/events", params={"after": "x"})).status_code == 400


async def test_another_persons_conversation_does_not_exist() -> None:
    async with Chat([CLEAR]) as chat, client_of(chat.runner) as client:
        await chat.say("clear")
        headers = {WHO: BEN.id}
        statuses = [
            (await client.get(f"{BASE}/c", headers=headers)).status_code,
            (await client.get(f"{BASE}/c/events", headers=headers)).status_code,
            (await client.delete(f"{BASE}/c", headers=headers)).status_code,
            (await client.post(f"{BASE}/c/cancel", headers=headers)).status_code,
            (await client.post(f"{BASE}/c/messages", json={"text": "x", "run": "r9"}, headers=headers)).status_code,
        ]
        assert statuses == [404] * 5
        assert (await client.get(BASE, headers=headers)).json() == {"conversations": []}


async def test_a_run_is_cancelled() -> None:
    async with Chat(["Half ", asyncio.Event()]) as chat, client_of(chat.runner) as client:
        await client.post(f"{BASE}/c/messages", json={"text": "hello", "run": "r"})
        assert (await client.post(f"{BASE}/c/messages", json={"text": "again", "run": "r2"})).status_code == 409
        assert (await client.post(f"{BASE}/c/cancel")).status_code == 204
        assert (await client.get(f"{BASE}/c")).json()["events"][-1]["outcome"] == "cancelled"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("messages", {"text": 1, "run": "r"}),
        ("messages", {"text": "hello"}),
        ("answers", {}),
        ("answers", {"answers": [{"approval": "k", "yes": "true"}]}),
        ("answers", {"answers": [{"approval": "k", "yes": True, "typed": 1}]}),
    ],
)
async def test_a_body_of_another_form_is_refused(path: str, body: object) -> None:
    async with Chat() as chat, client_of(chat.runner) as client:
        answer = await client.post(f"{BASE}/c/{path}", json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "BadMessage"
