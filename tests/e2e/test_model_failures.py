"""Models' providers that fail or answer oddly: a clear sentence, nothing lost, nothing done twice, and the turn can be repeated."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelHTTPError

from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.models import open_model
from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.turn import CUT_OFF, EMPTY, FILTERED
from mailgun_mcp.agent.usage import Limits, Usage
from tests.support.all_chat_ways import WAYS
from tests.support.chat_ways import log_of
from tests.support.chats import ANN, CLEAR, DOMAIN, Chat, last, next_run, said
from tests.support.fake_provider import PROTOCOLS, SECRET, FakeProvider, Protocol, Status, Stream, fake_provider

pytestmark = pytest.mark.anyio
FAULTS: list[tuple[Status | Stream, str]] = [
    (Status(401), "its provider refused the API key (HTTP 401)"),
    (Status(403), "its provider refused the API key (HTTP 403)"),
    (Status(404), "its provider does not know this model (HTTP 404)"),
    (Status(400), "its provider rejected the request, and the server's log says why (HTTP 400)"),
    (Status(429), "its provider's rate limit is reached, or the credit there is used up (HTTP 429)"),
    (Status(429, (("Retry-After", "3600"),)), "used up (HTTP 429), and it asks to wait 3,600 s"),
    (Status(500), "its provider failed (HTTP 500)"),
    (Stream("Half of", end="cut"), "did not finish its answer: the connection to its provider broke off"),
    (Stream("Half of", end="error event"), "did not finish its answer: its provider"),
    (Stream("Half of", end="no JSON"), "did not finish its answer: its provider failed during the answer"),
    (Stream("Half of", end="length"), CUT_OFF),
    (Stream("Half of", end="refusal"), FILTERED),
    (Stream("", end="refusal"), FILTERED),
    (Stream(""), EMPTY),
    (Stream("  "), EMPTY),
]
DOMAINS = ("list_domains", "{}")
BOUNCES = ("list_bounces", f'{{"domain": "{DOMAIN}", "limit": 1}}')


@asynccontextmanager
async def chat_with(protocol: Protocol, **options: Any) -> AsyncIterator[tuple[FakeProvider, Chat]]:
    """Give a provider, and a chat whose model is behind it."""
    async with fake_provider(protocol) as provider, provider.model() as model, Chat() as chat:
        chat.runner = Runner(chat.services, model, AgentOptions(retry_pause=0.0, **options))
        yield provider, chat


async def hello(chat: Chat) -> list[Event]:
    run = await chat.runner.start(ANN, "c", "Hello", run=next_run(), client="chat:test")
    return [event async for event in chat.runner.watch(run, ANN)]


def finished(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.body["tool"], event.body["status"]) for event in events if event.kind == "tool_finished"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_each_fault_of_a_provider_is_a_sentence_and_the_conversation_goes_on_after_it(protocol: Protocol) -> None:
    async with chat_with(protocol) as (provider, chat):
        for fault, sentence in FAULTS:
            provider.next = [fault]
            events = await hello(chat)
            ended = last(events, "ended")
            assert ended["outcome"] in ("failed", "stopped"), fault
            assert sentence in ended["text"], (fault, ended["text"])
            assert SECRET not in str(events), fault
            if isinstance(fault, Stream):
                assert said(events).strip() == fault.text.strip(), fault
        provider.next = [Stream("Here I am.")]
        events = await hello(chat)
        assert (said(events), last(events, "ended")["outcome"]) == ("Here I am. ", "done")
        sent = str(provider.bodies[-1])
        assert sent.count("Hello") == len(FAULTS) + 1
        assert sent.count("Half of") == sum("Half of" in str(fault) for fault, _ in FAULTS)
        for blank in ("'text': ''", "'text': '  '", "'content': ''", "'content': '  '"):
            assert blank not in sent


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_provider_that_falls_silent_is_not_waited_for_for_ever(protocol: Protocol) -> None:
    async with chat_with(protocol, model_silence=0.3) as (provider, chat):
        provider.next = [Stream("Half of", end="silent")]
        assert "it took too long" in last(await hello(chat), "ended")["text"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_request_that_was_not_taken_is_made_again_and_the_person_sees_that(protocol: Protocol) -> None:
    async with chat_with(protocol) as (provider, chat):
        provider.next = [Status(429, (("Retry-After", "0"),)), Status(503), Stream("Here I am.")]
        events = await hello(chat)
        assert (said(events), last(events, "ended")["outcome"]) == ("Here I am. ", "done")
        warnings = [event.body["text"] for event in events if event.kind == "warning"]
        assert len(warnings) == 2
        assert all("Trying again in" in warning for warning in warnings)
        assert last(events, "usage")["requests"] == len(provider.bodies) == 3


@pytest.mark.parametrize("protocol", ["anthropic", "google"])  # of what is compatible with OpenAI, not all say it
async def test_what_is_cut_short_is_not_passed_off_as_whole_and_none_of_its_calls_is_made(protocol: Protocol) -> None:
    async with chat_with(protocol) as (provider, chat):
        for end in ("ends early", "cut"):
            provider.next = [Stream("Half of", (DOMAINS, BOUNCES), end)]
            events = await hello(chat)
            assert "broke off" in last(events, "ended")["text"]
            assert finished(events) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_parallel_calls_are_made_once_each_though_their_ids_are_the_same(protocol: Protocol) -> None:
    async with chat_with(protocol) as (provider, chat):
        for ids in ((), ("a", "a"), ("functions.a:0", "functions.a:0")):
            provider.next = [Stream("I read both.", (DOMAINS, BOUNCES), "calls", ids), Stream("Done.")]
            events = await hello(chat)
            assert finished(events) == [("list_domains", "done"), ("list_bounces", "done")]
            assert said(events) == "I read both. Done. "
        assert "functions" not in str(provider.bodies[-1])


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_calls_that_cannot_be_made_are_an_error_for_the_model_and_stay_valid_in_its_history(
    protocol: Protocol,
) -> None:
    calls = [("drop_tables", "{}"), ("", "{}"), ("functions.list bounces<|x|>", "{}")]
    if protocol != "google":  # whose arguments are JSON by themselves
        calls += [("list_bounces", '{"domain": '), ("list_bounces", "[1]")]
    async with chat_with(protocol) as (provider, chat):
        for call in calls:
            provider.next = [Stream("", (call,), "calls"), Stream("Done.")]
            events = await hello(chat)
            assert [status for _, status in finished(events)] == ["failed"], call
            assert last(events, "ended")["outcome"] == "done", call
        sent = str(provider.bodies[-1])
        assert "functions_list_bounces_" in sent
        assert "<|x|>" not in sent
        assert """'arguments': '{"domain": '""" not in sent


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_answer_that_the_filter_stopped_makes_no_calls(protocol: Protocol) -> None:
    async with chat_with(protocol) as (provider, chat):
        provider.next = [Stream("I will.", (DOMAINS,), "refusal")]
        events = await hello(chat)
        assert last(events, "ended")["text"] == FILTERED
        assert ("list_domains", "done") not in finished(events)


@pytest.mark.parametrize(
    ("protocol", "name"),
    [("anthropic", "claude-sonnet-5-5"), ("google", "gemini-3.8-flash"), ("openai", "gpt-6.1-sol")],
)
async def test_money_is_counted_though_the_provider_answers_with_another_name_for_the_model(
    protocol: Protocol, name: str
) -> None:
    limits = Limits(conversation=Usage(None, None, None, 0.0001, None, None))
    async with (
        fake_provider(protocol) as provider,
        provider.model(name) as model,
        Chat() as chat,
    ):
        chat.runner = Runner(chat.services, model, AgentOptions(limits=limits))
        assert 0.0001 < last(await hello(chat), "usage")["cost"] < 0.01
        ended = last(await hello(chat), "ended")
        assert ended["outcome"] == "stopped"
        assert "of 0.0001 US dollars used by this conversation" in ended["text"]
        assert len(provider.bodies) == 1


async def test_a_conversation_that_is_too_long_for_the_model_says_what_to_do() -> None:
    error = {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded"}
    async with chat_with("openai") as (provider, chat):
        provider.next = [Status(400, body={"error": error})]
        assert "start a new one, or lower --context-tokens" in last(await hello(chat), "ended")["text"]


async def test_a_provider_that_cannot_be_reached_is_said() -> None:
    async with open_model("openai:local", "http://127.0.0.1:9/v1") as model, Chat() as chat:
        chat.runner = Runner(chat.services, model, AgentOptions(retry_pause=0.0))
        assert "its provider cannot be reached" in last(await hello(chat), "ended")["text"]


@pytest.mark.parametrize("name", WAYS)
async def test_on_every_way_a_failure_is_said_and_the_next_message_is_answered(name: str) -> None:
    failing = [ModelHTTPError(429, "fake", {"error": SECRET})]
    async with Chat(["Half ", *failing], ["Here I am."]) as chat, WAYS[name](chat) as way:
        seen = await way.ask("Hello")
        assert "rate limit is reached" in seen.all, name
        assert SECRET not in seen.all
        assert "Here I am." in (await way.ask("Still there?")).text


@pytest.mark.parametrize("name", WAYS)
async def test_on_every_way_a_yes_before_the_failure_is_not_lost(name: str) -> None:
    failing = [ModelHTTPError(500, "fake", None)]
    async with Chat([CLEAR], failing, ["It is empty."]) as chat, WAYS[name](chat) as way:
        (asked,) = (await way.ask("Clear them.")).asked
        assert "its provider failed" in (await way.answer(asked, yes=True)).all
        assert "It is empty." in (await way.ask("And?")).text
        assert log_of(chat) == [("clear_bounces", "pending"), ("clear_bounces", "done")]
