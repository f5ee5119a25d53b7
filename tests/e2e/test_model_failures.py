"""A model's provider that fails: a clear sentence on every way in, nothing lost, and nothing done twice."""

from typing import get_args

import pytest
from pydantic_ai.exceptions import ModelHTTPError

from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.runner import Runner
from tests.support.all_chat_ways import WAYS
from tests.support.chat_ways import log_of
from tests.support.chats import ANN, CLEAR, Chat, last, next_run, said
from tests.support.fake_provider import Fault, fake_provider

pytestmark = pytest.mark.anyio
SAID: dict[Fault, str] = {
    "401": "its provider refused the API key (HTTP 401)",
    "404": "its provider does not know this model (HTTP 404)",
    "429": "its provider's rate limit or credit is used up (HTTP 429)",
    "500": "its provider failed (HTTP 500)",
    "cut": "the connection to its provider broke off",
    "silent": "it took too long",
    "error event": "its provider failed",
    "no JSON": "its provider failed",
}


async def test_each_fault_of_a_provider_is_a_sentence_and_the_conversation_goes_on_after_it() -> None:
    async with fake_provider() as provider, Chat() as chat:
        model = provider.model
        chat.runner = Runner(chat.services, model, AgentOptions(model_silence=1.0))
        for fault in SAID:
            provider.fault = fault
            run = await chat.runner.start(ANN, "c", "Hello", run=next_run(), client="chat:test")
            events = [event async for event in chat.runner.watch(run, ANN)]
            ended = last(events, "ended")
            assert ended["outcome"] == "failed", fault
            assert SAID[fault] in ended["text"], (fault, ended["text"])
            assert "secret detail" not in ended["text"]
            assert said(events) == ("" if fault.isdigit() else "Half "), fault
        provider.fault = "none"
        run = await chat.runner.start(ANN, "c", "Again", run=next_run(), client="chat:test")
        assert said([event async for event in chat.runner.watch(run, ANN)]) == "Half a sentence."
        await chat.runner.aclose()
        await model.client.close()
    assert {*SAID, "none"} == set(get_args(Fault))


@pytest.mark.parametrize("name", WAYS)
async def test_on_every_way_a_failure_is_said_and_the_next_message_is_answered(name: str) -> None:
    failing = [ModelHTTPError(429, "fake", {"error": "secret detail"})]
    async with Chat(["Half ", *failing], ["Here I am."]) as chat, WAYS[name](chat) as way:
        seen = await way.ask("Hello")
        assert "rate limit or credit is used up" in seen.all, name
        assert "secret detail" not in seen.all
        assert "Here I am." in (await way.ask("Still there?")).text


@pytest.mark.parametrize("name", WAYS)
async def test_on_every_way_a_yes_before_the_failure_is_not_lost(name: str) -> None:
    failing = [ModelHTTPError(500, "fake", None)]
    async with Chat([CLEAR], failing, ["It is empty."]) as chat, WAYS[name](chat) as way:
        (asked,) = (await way.ask("Clear them.")).asked
        assert "its provider failed" in (await way.answer(asked, yes=True)).all
        assert "It is empty." in (await way.ask("And?")).text
        assert log_of(chat) == [("clear_bounces", "pending"), ("clear_bounces", "done")]
