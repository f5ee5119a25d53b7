"""The events of a run come from whichever process makes it, and its end is told when the conversation is free."""

import asyncio

import pytest

from mailgun_mcp.agent import following
from mailgun_mcp.agent.conversations import Conversations
from mailgun_mcp.agent.event_log import EventLog
from mailgun_mcp.agent.following import Following
from mailgun_mcp.store.database import Store
from tests.support.chats import ANN
from tests.support.engines import on_both_engines

pytestmark = [pytest.mark.anyio, on_both_engines]
PATIENCE = 20.0


async def test_the_end_of_a_run_elsewhere_is_told_when_the_next_run_may_begin(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "POLL", 0.01)
    there = store.reopened()
    conversations = Conversations(there)
    run, _ = conversations.claim_new_turn("c", "r", ANN, "chat:test", title="", holder="there", now=store.clock())
    log = EventLog(there, store.clock)
    live = log.begin("c", run.turn, run.after)
    live.add("text", message="m", text="Hello")
    here = Following(store, Conversations(store), EventLog(store, store.clock), store.clock)
    kinds: list[str] = []
    greeted = asyncio.Event()

    async def watch() -> None:
        async for event in here.events(ANN, "c", after=run.after, follow=True):
            kinds.append(event.kind)
            greeted.set()

    async with asyncio.timeout(PATIENCE):
        watching = asyncio.ensure_future(watch())
        await log.flush()
        await greeted.wait()
        live.end(outcome="done", text="")
        await log.flush()
        ended = asyncio.ensure_future(asyncio.wait_for(asyncio.shield(watching), 0.3))
        with pytest.raises(TimeoutError):
            await ended
        assert kinds == ["text"]
        conversations.release("c", "there", "idle", store.clock())
        await watching
    assert kinds == ["text", "ended"]
    there.close()
