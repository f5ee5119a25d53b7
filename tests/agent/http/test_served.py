"""The agent of a server: it runs with the server, and continues what is answered elsewhere."""

import asyncio

import pytest

from mailgun_mcp.agent import runner as runners
from mailgun_mcp.agent.http.page import SECTIONS
from mailgun_mcp.agent.http.routes import agent_routes
from mailgun_mcp.agent.http.served import ServedAgent
from tests.support.chats import ANN, CLEAR, DOMAIN, Chat, last

pytestmark = pytest.mark.anyio


async def test_an_answer_that_is_given_elsewhere_continues_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "WATCH", 0.01)
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
