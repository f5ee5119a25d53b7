"""A chat in the terminal, with a person who has typed everything before."""

import asyncio
import io
import os
import signal
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from mailgun_mcp.cli import chat_session
from mailgun_mcp.cli.chat_screen import Screen
from mailgun_mcp.cli.chat_session import ChatSession
from mailgun_mcp.errors import StateError
from mailgun_mcp.identity.principal import Principal
from tests.support.apps import own_state
from tests.support.chats import ANN, CLEAR, DOMAIN, LIST, Chat

pytestmark = pytest.mark.anyio
YES = "(what the prompt wants)"
Typed = str | type[BaseException]


class Person:
    """Types these lines, then ends the chat."""

    def __init__(self, *lines: Typed) -> None:
        self._lines = list(lines)
        self.prompts = list[str]()

    async def read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        line = self._lines.pop(0) if self._lines else EOFError
        if line == YES:
            return prompt.removeprefix("type ").partition(" to do it")[0] if prompt.startswith("type ") else "y"
        if isinstance(line, str):
            return line
        raise line


async def talk(chat: Chat, *lines: Typed, by: Principal = ANN) -> str:
    written = io.StringIO()
    screen = Screen(Console(file=written, width=100, highlight=False))
    await ChatSession(chat.services, chat.runner, by, screen, Person(*lines).read).run()
    return written.getvalue()


async def test_a_person_asks_says_yes_and_undoes_it() -> None:
    async with Chat([LIST, CLEAR], ["Cleared, ", "as you wanted."]) as chat:
        text = await talk(chat, "clear the bounces", DOMAIN, "/undo", YES, "/cost", "/quit")
        assert "⚙ List bounces" in text
        assert "third parties" in text
        assert "Now there: 4 bounces" in text
        assert "approved by ann@example.com" in text
        assert "Cleared, as you wanted." in text
        assert "2 requests" in text
        assert await chat.bounces() == 4


async def test_undo_puts_back_what_the_chat_changed() -> None:
    async with Chat([CLEAR], ["Cleared."]) as chat:
        text = await talk(chat, "clear", DOMAIN)
        assert "/undo" in text
        assert await chat.bounces() == 0
        assert "no change of this chat to undo" in await talk(chat, "/undo")
    async with Chat([CLEAR], ["Cleared."]) as chat:
        await talk(chat, "clear", DOMAIN, "/undo", YES)
        assert await chat.bounces() == 4


async def test_any_other_line_is_a_no_with_a_reason() -> None:
    async with Chat([CLEAR], ["I leave it."]) as chat:
        text = await talk(chat, "clear", "", "mail.example.org")
        assert "denied by ann@example.com: mail.example.org" in text
        assert await chat.bounces() == 4


@pytest.mark.parametrize("key", [KeyboardInterrupt, EOFError])
async def test_leaving_a_question_is_a_no(key: type[BaseException]) -> None:
    async with Chat([CLEAR], ["I leave it."]) as chat:
        text = await talk(chat, "clear", key, "and?")
        assert "Cancelled." in text
        assert "I leave it." in text
        assert await chat.bounces() == 4


async def test_an_interrupt_stops_the_turn_and_not_the_program() -> None:
    def interrupt(*_: object) -> Sequence[object]:
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGINT)
        return ["As I was ", asyncio.Event()]

    async with Chat(interrupt, ["Still here."]) as chat:
        text = await talk(chat, "talk", KeyboardInterrupt, "there?")
        assert "As I was" in text
        assert "Cancelled." in text
        assert "Still here." in text


async def test_somebody_else_answers_and_the_chat_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = own_state() / "policy.yaml"
    rule = "{tool: clear_bounces}\n  decision: confirm\n  level: approval\n"
    policy.write_text(f"version: 1\nextends: guarded\nrules:\n- match: {rule}", encoding="utf-8")
    async with Chat([CLEAR], ["Cleared."], policy=str(policy)) as chat:

        async def meanwhile(_: ChatSession) -> None:
            approvals, now = chat.services.approvals, chat.services.clock()
            for each in approvals.list(now, "pending"):
                approvals.approve(each.id, by="ben", now=now, typed=each.typed)
            await chat.runner.continue_answered()

        monkeypatch.setattr(ChatSession, "_pause", meanwhile)
        text = await talk(chat, "clear")
        assert "Somebody else must approve this" in text
        assert "approved by ben" in text
        assert "Cleared." in text


async def test_chats_are_listed_resumed_and_begun_anew() -> None:
    async with Chat(["Hello."], [CLEAR], ["Cleared."]) as chat:
        await talk(chat, "good morning")
        (first,) = await chat.runner.conversations(ANN)
        text = await talk(chat, "/resume", f"/resume {first.id}", "/history", "/new", "/help", "/resume nothing")
        assert f"/resume {first.id}  good morning" in text
        assert text.count("> good morning") == 2
        assert "Ctrl+C stops the assistant" in text
        assert "There is no conversation 'nothing'" in text


async def test_an_open_question_is_asked_again_when_the_chat_is_resumed() -> None:
    async with Chat([CLEAR], ["Cleared."]) as chat:
        await chat.say("clear", to="waiting")
        text = await talk(chat, "/resume waiting", DOMAIN)
        assert "Cleared." in text
        assert await chat.bounces() == 0


async def test_what_cannot_be_done_is_said() -> None:
    async with Chat() as chat:
        text = await talk(chat, "/rewind", "/undo", "x" * 200_000, "")
        assert "There is no command /rewind" in text
        assert "There is no change of this chat to undo" in text
        assert "at most 100,000" in text


async def test_a_failure_of_the_model_is_shown() -> None:
    async with Chat([RuntimeError("no")]) as chat:
        assert "The model did not answer" in await talk(chat, "hello")


async def test_a_state_that_cannot_be_written_ends_no_chat(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Chat(["Hello."]) as chat:

        def full(*_: object, **__: object) -> None:
            raise StateError("the state cannot be used: the disk is full")

        monkeypatch.setattr(chat.runner._conversations, "claim_new_turn", full)
        assert "the disk is full" in await talk(chat, "hello")


async def test_after_a_stop_nothing_more_is_asked() -> None:
    unblock = ("delete_bounce", {"domain": DOMAIN, "address": "nobody@novak.example"})
    async with Chat([CLEAR, unblock]) as chat:
        text = await talk(chat, "both", KeyboardInterrupt)
        assert text.count("May the assistant do this?") == 1
        assert "Cancelled." in text
        assert await chat.bounces() == 4


async def test_a_question_that_is_answered_elsewhere_ends_here_and_the_turn_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chat_session, "POLL", 0.01)
    async with Chat([CLEAR], ["Cleared by ben."]) as chat:
        written = io.StringIO()
        screen = Screen(Console(file=written, width=100, highlight=False))
        lines = iter(["clear"])

        async def read(prompt: str) -> str:
            if prompt.startswith("> "):
                if line := next(lines, ""):
                    return line
                raise EOFError
            (asked,) = await chat.runner.open_approvals(ANN, session._conversation)
            chat.services.approvals.approve(asked["approval"], by="ben", now=chat.services.clock(), typed=DOMAIN)
            await chat.runner.continue_answered()
            await asyncio.Event().wait()
            return ""

        session = ChatSession(chat.services, chat.runner, ANN, screen, read)
        await asyncio.wait_for(session.run(), 30)
        assert "approved by ben" in written.getvalue()
        assert "Cleared by ben." in written.getvalue()


async def test_a_question_that_expires_while_the_person_thinks_is_said_and_the_turn_goes_on() -> None:
    now = [1_800_000_000.0]
    async with Chat() as first:
        timed = replace(first.services, clock=lambda: now[0])
        async with Chat([CLEAR], ["Nobody answered."], services=timed) as chat:
            person = Person("clear", YES)

            async def read(prompt: str) -> str:
                line = await person.read(prompt)
                if prompt.startswith("type "):
                    now[0] += 3600
                    loop = asyncio.get_running_loop()
                    loop.call_later(0.05, lambda: kept.append(loop.create_task(chat.runner.continue_answered())))
                return line

            kept = list[asyncio.Task[None]]()
            written = io.StringIO()
            screen = Screen(Console(file=written, width=100, highlight=False))
            await asyncio.wait_for(ChatSession(chat.services, chat.runner, ANN, screen, read).run(), 30)
            assert "has expired" in written.getvalue()
            assert "Nobody answered." in written.getvalue()
        timed.close()


async def test_a_chat_that_is_resumed_asks_what_waits_and_undoes_what_it_did() -> None:
    unblock = ("delete_bounce", {"domain": DOMAIN, "address": "nobody@novak.example"})
    async with Chat([unblock], ["Removed."], [CLEAR], ["Cleared."]) as chat:
        written = io.StringIO()
        screen = Screen(Console(file=written, width=100, highlight=False))
        session = ChatSession(chat.services, chat.runner, ANN, screen, Person("one", YES).read)
        await session.run()
        await chat.say("all", to=session._conversation)
        text = await talk(chat, f"/resume {session._conversation}", "no, thanks", "/undo", YES)
        assert "Removed." in text
        assert "denied by ann@example.com: no, thanks" in text
        assert "Cleared." in text
        assert await chat.bounces() == 4


async def test_leaving_the_question_of_an_undo_leaves_the_program_running() -> None:
    async with Chat([CLEAR], ["Cleared."], ["Still here."]) as chat:
        text = await talk(chat, "clear", DOMAIN, "/undo", KeyboardInterrupt, "hello?")
        assert "Still here." in text
        assert await chat.bounces() == 0


async def test_a_person_is_given_no_advice_for_models_and_is_told_how_to_leave() -> None:
    async with Chat([CLEAR], ["Cleared."]) as chat:
        text = await talk(chat, "clear", DOMAIN, "/undo", "something else", KeyboardInterrupt)
        assert "Not made: " in text
        assert "another way" not in text.partition("Cleared.")[2]
        assert "Ctrl+D or /quit ends the chat." in text
