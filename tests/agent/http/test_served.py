"""The agent of a server: it runs with the server, and continues what is answered elsewhere."""

import asyncio

import pytest

from mailgun_mcp.agent import upkeep
from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.errors import StoppingError
from mailgun_mcp.agent.http.page import SECTIONS
from mailgun_mcp.agent.http.routes import agent_routes
from mailgun_mcp.agent.http.served import ServedAgent
from mailgun_mcp.agent.open_calls import STOPPED
from tests.support.chats import ANN, CLEAR, DOMAIN, Chat, last

pytestmark = pytest.mark.anyio


async def test_an_answer_that_is_given_elsewhere_continues_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "WATCH", 0.01)
    continued = asyncio.Event()

    def goes_on(*_: object) -> list[str]:
        continued.set()
        return ["Cleared."]

    async with Chat([CLEAR], goes_on) as chat:
        agent = ServedAgent(chat.runner, agent_routes(chat.runner))
        assert agent.sections == SECTIONS
        asked = last(await chat.say("clear"), "approval_needed")
        async with agent.running():
            chat.services.approvals.approve(asked["approval"], by="kim", now=chat.services.clock(), typed=DOMAIN)
            await asyncio.wait_for(continued.wait(), 10)
            async for _ in chat.runner.events(ANN, "c"):
                """Until the run has ended."""
        assert await chat.bounces() == 0


async def test_a_server_that_stops_ends_its_turns_and_begins_none() -> None:
    never = asyncio.Event()
    async with Chat(["As I was ", never]) as chat:
        agent = ServedAgent(chat.runner, agent_routes(chat.runner))
        run = await chat.runner.start(ANN, "c", "talk", run="1", client="chat:test")
        agent.drain(0.0)
        events = [event async for event in chat.runner.watch(run, ANN)]
        assert last(events, "ended") == {"outcome": "failed", "text": STOPPED}
        for refused in (chat.say("and?"), chat.answer(Answer("a", yes=True))):
            with pytest.raises(StoppingError, match="Nothing was done"):
                await refused


async def test_who_follows_the_turn_of_another_server_is_let_go_when_this_one_stops() -> None:
    async with Chat(["One ", asyncio.Event()]) as other, Chat(services=other.services) as chat:
        await other.runner.start(ANN, "c", "count", run="1", client="chat:test")
        following = asyncio.ensure_future(anext(chat.runner.events(ANN, "c", after=99), None))
        await chat.runner.aclose()
        assert await asyncio.wait_for(following, 20) is None
