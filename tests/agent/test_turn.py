"""One run: what the model is sent, what is kept of its answers, and what is said when it fails."""

import asyncio
from dataclasses import replace

import pytest
from pydantic_ai.exceptions import ModelAPIError, ModelContextWindowExceededError, ModelHTTPError, UserError
from pydantic_ai.messages import FinishReason, ModelResponse, TextPart, ToolCallPart

from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.turn import CUT_OFF, EMPTY, FILTERED, _arguments, _ended
from mailgun_mcp.agent.usage import Limits, Usage
from tests.support.chats import ANN, LIST, Chat, kinds, last, said

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModelHTTPError(401, "m"), "refused the API key"),
        (ModelHTTPError(404, "m"), "does not know this model"),
        (ModelHTTPError(429, "m"), "rate limit is reached, or the credit there is used up"),
        (ModelHTTPError(503, "m"), "failed (HTTP 503)"),
        (TimeoutError(), "took too long"),
        (UserError("no such option"), "no such option"),
        (ConnectionResetError("secret://x"), "the connection to its provider broke off"),
        (ModelAPIError("m", "secret://x"), "its provider failed during the answer"),
        (ModelContextWindowExceededError("m", "secret://x"), "start a new one"),
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
            "text": "Stopped at a limit: 5 of 5 requests to the model used by this conversation. "
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


async def test_half_of_a_character_is_replaced_and_keeps_nobody_from_anything() -> None:
    broken = ("list_bounces", {"domain": "mail\ud83d.example.com"})
    async with Chat(["One \ud83d", broken], ["Two."], ["Three."]) as chat:
        events = await chat.say("look")
        assert said(events) == "One \ufffdTwo."
        assert last(events, "tool_started")["arguments"]["domain"] == "mail\ufffd.example.com"
        assert last(events, "tool_finished")["status"] == "failed"
        kept = [event async for event in chat.runner.events(ANN, "c", follow=False)]
        assert said(kept) == "One \ufffdTwo."
        assert said(await chat.say("and?")) == "Three."


async def test_arguments_that_are_nested_too_deeply_are_no_object() -> None:
    part = ToolCallPart("list_bounces", '{"domain": ' + "[" * 100_000 + "]" * 100_000 + "}")
    assert _arguments(part) is None


@pytest.mark.parametrize(
    ("reason", "text", "outcome", "told"),
    [
        ("length", "Half an ", "stopped", CUT_OFF),
        ("content_filter", "", "failed", FILTERED),
        ("stop", " ", "failed", EMPTY),
        ("stop", "Whole.", "done", ""),
        (None, "Whole.", "done", ""),
    ],
)
def test_an_answer_that_is_not_whole_is_not_passed_off_as_one(
    reason: FinishReason | None, text: str, outcome: str, told: str
) -> None:
    ended = _ended(ModelResponse(parts=[TextPart(text)], finish_reason=reason))
    assert (ended.outcome, ended.text) == (outcome, told)


async def test_an_answer_without_anything_in_it_is_not_kept() -> None:
    async with Chat([" \n"], ["Whole."]) as chat:
        assert last(await chat.say("hello"), "ended") == {"outcome": "failed", "text": EMPTY}
        assert [message.kind for message in chat.runner._transcript.messages("c")] == ["user"]
        assert said(await chat.say("again")) == "Whole."
