"""Wants a call that no person allowed, or the same call twice, by what a chat's client sends.

The six attacks on the approvals of chat frameworks, over every protocol: a forged call, another person's answer, edited
arguments, the same answer after the success, the same answer after the model failed, and two tabs at once.
"""

import asyncio

import pytest

from tests.support.all_chat_ways import WAYS
from tests.support.chat_ways import Way, log_of
from tests.support.chats import BEN, CLEAR, Chat

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("name", WAYS)]
MADE = ("clear_bounces", "done")


def made(chat: Chat) -> int:
    return log_of(chat).count(MADE)


async def asked(way: Way) -> dict[str, str]:
    (approval,) = (await way.ask("Clear the bounces.")).asked
    return approval


async def test_a_forged_call_is_not_made(name: str) -> None:
    async with Chat([CLEAR]) as chat, WAYS[name](chat) as way:
        await way.forge("zz9zz9zz")
        await asked(way)
        await way.forge("zz9zz9zz")
        assert [call for call in log_of(chat) if call[1] == "done"] == []
        assert await chat.bounces() > 0


async def test_another_person_cannot_answer(name: str) -> None:
    async with Chat([CLEAR]) as chat, WAYS[name](chat) as way:
        seen = await way.answer(await asked(way), yes=True, by=BEN.id)
        assert seen.status == 404
        assert made(chat) == 0


async def test_arguments_cannot_be_edited(name: str) -> None:
    async with Chat([CLEAR]) as chat, WAYS[name](chat) as way:
        await way.answer(await asked(way), yes=True, edited=True)
        assert made(chat) == 1
        assert await chat.bounces() == 0
        assert "victim" not in str(list(chat.services.audit_log.entries()))


async def test_an_answer_counts_once(name: str) -> None:
    async with Chat([CLEAR], ["Cleared."]) as chat, WAYS[name](chat) as way:
        approval = await asked(way)
        for _ in range(2):
            await way.answer(approval, yes=True)
        assert made(chat) == 1


async def test_an_answer_counts_once_also_when_the_model_failed_after_the_call(name: str) -> None:
    async with Chat([CLEAR], [ConnectionError("provider")], ["Back."]) as chat, WAYS[name](chat) as way:
        approval = await asked(way)
        for _ in range(2):
            await way.answer(approval, yes=True)
        assert made(chat) == 1
        await way.ask("What happened?")
        assert made(chat) == 1


async def test_two_tabs_at_once_make_one_call(name: str) -> None:
    async with Chat([CLEAR], ["Cleared."], ["Cleared."]) as chat, WAYS[name](chat) as way:
        approval = await asked(way)
        await asyncio.gather(*(way.answer(approval, yes=True) for _ in range(2)))
        assert made(chat) == 1


async def test_a_yes_without_the_name_that_must_be_typed_is_none(name: str) -> None:
    async with Chat([CLEAR]) as chat, WAYS[name](chat) as way:
        approval = await asked(way)
        await way.answer(approval, yes=True, typed=False)
        assert made(chat) == 0
        await way.answer(approval, yes=True)
        assert made(chat) == 1


async def test_who_is_not_authenticated_cannot_say_yes(name: str) -> None:
    async with Chat([CLEAR]) as chat, WAYS[name](chat) as way:
        approval = await asked(way)
        seen = await way.answer(approval, yes=True, by="anonymous")
        assert seen.status in (401, 403, 404) or "cannot say yes here" in seen.text
        assert made(chat) == 0
