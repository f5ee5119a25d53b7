"""Requests to models: each attempt is counted and within the limits, and what is wrong with the state is not the model's fault."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelServerError

from mailgun_mcp.agent.model_requests import TOO_MANY_REQUESTS, ShownText
from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.runner import NOT_STORED, Runner
from mailgun_mcp.agent.summary import PROMPT
from mailgun_mcp.agent.turn import NO_SUMMARY
from mailgun_mcp.agent.usage import Limits, Usage
from mailgun_mcp.errors import StateError
from tests.support.chats import LIST, Chat, kinds, last, model, said

pytestmark = pytest.mark.anyio
BUSY = [ModelServerError("m", "busy")]
LONG = "x" * 4_000


def options(limits: Limits, **others: Any) -> AgentOptions:
    return AgentOptions(limits=limits, retry_pause=0.0, **others)


async def test_each_attempt_is_a_request_of_the_turn() -> None:
    limits = replace(Limits(), requests_per_turn=2)
    async with Chat(BUSY, BUSY, ["Never asked."], options=options(limits)) as chat:
        events = await chat.say("hello")
        assert last(events, "ended") == {"outcome": "stopped", "text": TOO_MANY_REQUESTS.format(2)}
        assert last(events, "usage")["requests"] == 2


async def test_no_attempt_is_made_once_a_limit_is_reached() -> None:
    limits = Limits(conversation=Usage(1, None, None, None, None, None))
    async with Chat(BUSY, ["Never asked."], options=options(limits)) as chat:
        events = await chat.say("hello")
        assert last(events, "ended")["text"].startswith("Stopped at a limit: 1 of 1 requests")
        assert said(events) == ""


async def test_one_answer_cannot_make_more_calls_than_the_limit() -> None:
    limits = Limits(conversation=Usage(None, None, None, None, 2, None))
    async with Chat([LIST] * 5, ["Never asked."], options=options(limits)) as chat:
        events = await chat.say("look five times")
        ends = [event.body["status"] for event in events if event.kind == "tool_finished"]
        assert ends == ["done", "done", "cancelled", "cancelled", "cancelled"]
        assert last(events, "ended")["text"].startswith("Stopped at a limit: 2 of 2 calls of tools")


class Summarizing:
    """A model that gives these answers when it is asked for a summary, and is brief otherwise."""

    def __init__(self, *answers: list[Any]) -> None:
        self.left = list(answers)
        self.asked = 0

    def __call__(self, messages: list[Any], _: Any) -> list[Any]:
        if str(messages[-1].parts[-1].content) != PROMPT:
            return ["Yes."]
        self.asked += 1
        return self.left.pop(0) if self.left else ["A summary."]


async def until_summary(chat: Chat, summarizing: Summarizing) -> tuple[int, list[Any]]:
    """Say long messages until a summary is asked for. Return how many there were, and what happened last."""
    for number in range(1, 9):
        events = await chat.say(LONG)
        if summarizing.asked:
            return number, events
    raise AssertionError("no summary was needed")


async def test_a_summary_that_the_provider_did_not_take_is_asked_again_and_counted() -> None:
    summarizing = Summarizing(BUSY, BUSY)
    async with Chat(*[summarizing] * 20, options=options(Limits(), context_tokens=4_000)) as chat:
        said_so_far, events = await until_summary(chat, summarizing)
        assert summarizing.asked == 3
        assert kinds(events).count("warning") == 2
        assert last(events, "ended")["outcome"] == "done"
        assert last(events, "usage")["requests"] == said_so_far + 3


async def test_a_summary_is_not_asked_for_once_the_turn_has_made_its_requests() -> None:
    summarizing = Summarizing(*[BUSY] * 9)
    limits = replace(Limits(), requests_per_turn=2)
    async with Chat(*[summarizing] * 20, options=options(limits, context_tokens=4_000)) as chat:
        _, events = await until_summary(chat, summarizing)
        assert summarizing.asked == 2
        assert last(events, "ended") == {"outcome": "stopped", "text": TOO_MANY_REQUESTS.format(2)}


async def test_a_model_that_falls_silent_in_a_summary_is_not_waited_for_for_ever() -> None:
    summarizing = Summarizing(*[[asyncio.Event()]] * 9)
    async with Chat(*[summarizing] * 20, options=options(Limits(), context_tokens=4_000, model_silence=0.2)) as chat:
        _, events = await until_summary(chat, summarizing)
        assert "it took too long" in last(events, "ended")["text"]


async def test_a_summary_without_a_word_is_said_as_such() -> None:
    summarizing = Summarizing(*[[""]] * 9)
    async with Chat(*[summarizing] * 20, options=options(Limits(), context_tokens=4_000)) as chat:
        _, events = await until_summary(chat, summarizing)
        assert last(events, "ended")["text"] == NO_SUMMARY


async def test_what_is_wrong_with_the_state_is_not_reported_as_the_models_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Chat(["Whole."], ["Again."]) as chat:

        def full(*_: object) -> None:
            raise StateError("the state cannot be used: the disk is full.")

        with monkeypatch.context() as patched:
            patched.setattr(chat.runner._usage, "count", full)
            events = await chat.say("hello")
        text = NOT_STORED.format("the state cannot be used: the disk is full")
        assert last(events, "ended") == {"outcome": "failed", "text": text}
        assert last(await chat.say("again"), "ended")["outcome"] == "done"


def test_a_text_is_shown_once_it_is_known_to_be_safe() -> None:
    shown = list[str]()
    text = ShownText(lambda _, more: shown.append(more))
    for piece in ("See ", "", "https://evil", ".example/x"):
        text.add(piece)
    text.end()
    text.end()
    assert text.text == "See https://evil.example/x"
    assert "".join(shown) == "See https[:]//evil[.]example/x"


async def test_the_cheaper_model_is_asked_again_before_the_other_one() -> None:
    cheap, dear = Summarizing(BUSY), Summarizing()
    async with Chat() as chat:
        chat.runner = Runner(
            chat.services,
            model(*[dear] * 20),
            options(Limits(), context_tokens=4_000),
            summary_model=model(*[cheap] * 20),
        )
        for _ in range(4):
            await chat.say(LONG)
        assert (cheap.asked >= 2, dear.asked) == (True, 0)
