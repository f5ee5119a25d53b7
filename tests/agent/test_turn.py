"""One run: what the model is sent, what is kept of its answers, and what is said when it fails."""

import asyncio
from dataclasses import replace

import pytest
from pydantic_ai.exceptions import ModelAPIError, ModelContextWindowExceededError, ModelHTTPError, UserError

from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.usage import Limits, Usage
from tests.support.chats import LIST, Chat, kinds, last, said

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModelHTTPError(401, "m"), "refused the API key"),
        (ModelHTTPError(404, "m"), "does not know this model"),
        (ModelHTTPError(429, "m"), "rate limit or credit"),
        (ModelHTTPError(503, "m"), "failed (HTTP 503)"),
        (TimeoutError(), "took too long"),
        (UserError("no such option"), "no such option"),
        (ConnectionResetError("secret://x"), "the connection to its provider broke off"),
        (ModelAPIError("m", "secret://x"), "its provider failed during the answer"),
        (ModelContextWindowExceededError("m", "secret://x"), "begin a new one"),
        (KeyError("secret://x"), "KeyError"),
    ],
)
async def test_a_model_that_fails_in_the_middle_is_told_and_nothing_is_lost(error: Exception, told: str) -> None:
    async with Chat(["Half a ", error], ["Whole."]) as chat:
        events = await chat.say("hello")
        assert said(events) == "Half a "
        ended = last(events, "ended")
        assert (ended["outcome"], told in ended["text"]) == ("failed", True)
        assert said(await chat.say("again")) == "Whole."


async def test_a_limit_stops_with_a_sentence_and_warns_before() -> None:
    limits = Limits(conversation=Usage(5, None, None, None, None, None))
    async with Chat(*[[LIST]] * 9, options=AgentOptions(limits=limits)) as chat:
        events = await chat.say("look for ever")
        assert kinds(events).count("warning") == 1
        assert last(events, "ended") == {
            "outcome": "stopped",
            "text": "Stopped at a limit: 5 of 5 requests to the model of this conversation are used. "
            "The operator can raise it.",
        }


async def test_a_turn_has_a_most_number_of_requests() -> None:
    options = AgentOptions(limits=replace(Limits(), requests_per_turn=3))
    async with Chat(*[[LIST]] * 9, options=options) as chat:
        assert "after 3 requests" in last(await chat.say("look for ever"), "ended")["text"]


async def test_the_operators_instructions_are_sent_and_the_calls_have_unique_ids() -> None:
    histories = list[list[object]]()

    def look(messages: list[object], _: object) -> list[object]:
        histories.append(list(messages))
        return [LIST]

    async with Chat(look, look, options=AgentOptions(instructions="Be kind.")) as chat:
        events = await chat.say("look")
        assert "Be kind." in str(histories[0][0])
        calls = [event.body["call"] for event in events if event.kind == "tool_started"]
        assert len(set(calls)) == 2


async def test_a_tool_result_is_kept_before_the_model_is_asked_again() -> None:
    kept = list[str]()
    asked = asyncio.Event()

    def look(*_: object) -> list[object]:
        kept.extend(call.status for call in chat.runner._transcript.calls("c"))
        asked.set()
        return ["Done."]

    async with Chat([LIST], look) as chat:
        await chat.say("look")
    assert asked.is_set()
    assert kept == ["done"]
