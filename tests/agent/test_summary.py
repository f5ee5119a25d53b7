"""Long conversations fit into what the model can read."""

import socket
from typing import Any

import pytest

from mailgun_mcp.agent import history
from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.summary import CHARACTERS_PER_TOKEN, PROMPT, older
from mailgun_mcp.agent.transcript import Message
from mailgun_mcp.agent.usage import Limits, Usage
from tests.support.chats import ANN, LIST, Chat, Say, last, model, said

pytestmark = pytest.mark.anyio
WINDOW = 32_000
ENDLESS = Limits(
    conversation=Usage(None, None, None, None, None, None), principal_per_day=Usage(None, None, None, None, None, None)
)


class Counting:
    """A model that counts what it is sent, and remembers in its summaries only what it reads."""

    def __init__(self, *, reads: bool = False) -> None:
        self.most = 0
        self.summaries = 0
        self._reads = reads
        self.last = ""

    def __call__(self, messages: list[Any], info: Any) -> list[Any]:
        self.most = max(self.most, history.size(messages) // CHARACTERS_PER_TOKEN)
        self.last = str(messages)
        newest = str(messages[-1].parts[-1].content)
        if newest == PROMPT:
            self.summaries += 1
            return [f"The code word is ZEBRA. Summary {self.summaries}."]
        return [LIST] if self._reads and "look" in newest and newest.startswith("look") else ["Yes, " * 50]


async def test_two_hundred_turns_fit_into_32k_and_what_was_said_first_is_known() -> None:
    counting = Counting()
    options = AgentOptions(context_tokens=WINDOW, limits=ENDLESS)
    async with Chat(*[counting] * 500, options=options) as chat:
        for number in range(200):
            events = await chat.say(f"turn {number} " + "x" * 1_500)
            assert last(events, "ended")["outcome"] == "done"
        assert counting.most < WINDOW
        assert counting.summaries > 2
        assert "ZEBRA" in counting.last
        assert said([event async for event in chat.runner.events(ANN, "c")]).count("Yes, ") == 200 * 50


async def test_a_summary_of_third_party_text_stays_fenced() -> None:
    counting = Counting(reads=True)
    async with Chat(*[counting] * 20, options=AgentOptions(context_tokens=4_000, limits=ENDLESS)) as chat:
        await chat.say("look at the bounces " + "x" * 4_000)
        for _ in range(3):
            await chat.say("and? " + "x" * 4_000)
        assert counting.summaries
        (summary,) = [each for each in chat.runner._transcript.messages("c") if each.kind == "summary"]
        assert summary.body.startswith("⟦")
        assert "ZEBRA" in summary.body


async def test_a_cheaper_model_summarizes_where_one_is_set() -> None:

    cheap, dear = Counting(), Counting()
    async with Chat() as chat:
        chat.runner = Runner(
            chat.services,
            model(*[dear] * 20),
            AgentOptions(context_tokens=4_000, limits=ENDLESS),
            summary_model=model(*[cheap] * 20),
        )
        for _ in range(4):
            await chat.say("and? " + "x" * 4_000)
        assert (bool(cheap.summaries), dear.summaries) == (True, 0)


@pytest.mark.parametrize("fault", [[""], [KeyError("gone")]])
async def test_where_the_cheaper_model_fails_the_other_one_summarizes(fault: list[Say]) -> None:
    dear = Counting()
    async with Chat() as chat:
        options = AgentOptions(context_tokens=4_000, limits=ENDLESS)
        chat.runner = Runner(chat.services, model(*[dear] * 20), options, summary_model=model(*[fault] * 20))
        for _ in range(4):
            assert last(await chat.say("and? " + "x" * 4_000), "ended")["outcome"] == "done"
        assert dear.summaries > 0


async def test_a_summary_that_fails_ends_the_run_and_loses_nothing() -> None:
    async with Chat(
        ["One."], RuntimeErrorOnce(), ["Three."], ["Four."], options=AgentOptions(context_tokens=2_000)
    ) as chat:
        await chat.say("one " + "x" * 5_000)
        assert last(await chat.say("two"), "ended")["outcome"] == "failed"
        assert last(await chat.say("three"), "ended")["outcome"] == "done"


class RuntimeErrorOnce:
    def __call__(self, *_: Any) -> list[Any]:
        return [RuntimeError("no")]


def test_what_is_only_a_summary_is_not_summarized_again() -> None:
    summary = Message(1, "a", "summary", "They said hello.")
    asked = Message(2, "b", "user", "and?")
    assert older([summary, asked], "b") is None
    assert older([Message(1, "a", "user", "hello"), asked], "b") == 2
    assert older([asked], "c") is None


async def test_no_socket_is_opened_but_the_models_and_mailguns(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = list[object]()

    def connect(_: socket.socket, address: object) -> None:
        opened.append(address)
        raise OSError("refused by the test")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    async with Chat([LIST], ["Done."]) as chat:
        assert said(await chat.say("look")) == "Done."
    assert opened == []
