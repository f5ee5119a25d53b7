"""Answers to approvals: whose count, and what becomes of those that somebody gave elsewhere."""

import pytest

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.errors import AnswerError
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import Principal
from tests.support.chats import ANN, CLEAR, DOMAIN, Chat, kinds, last, said

pytestmark = pytest.mark.anyio
DELETE = ("delete_bounce", {"domain_name": DOMAIN, "address": "nobody@example.net"})


async def test_of_several_answers_either_all_count_or_none() -> None:
    async with Chat([CLEAR, DELETE], ["Done."]) as chat:
        asked = [event.body for event in await chat.say("both") if event.kind == "approval_needed"]
        with pytest.raises(AnswerError, match="type the name"):
            await chat.answer(
                Answer(asked[1]["approval"], True, asked[1]["typed"]), Answer(asked[0]["approval"], True, "wrong")
            )
        assert len(await chat.runner.open_approvals(ANN, "c")) == 2


async def test_an_answer_that_was_given_elsewhere_stands() -> None:
    async with Chat([CLEAR], ["As they like."]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        chat.services.approvals.deny(asked["approval"], by="ben", now=chat.services.clock(), reason="no")
        events = await chat.answer(Answer(asked["approval"], True, DOMAIN))
        assert last(events, "approval_answered") == {
            "call": asked["call"],
            "approval": asked["approval"],
            "status": "denied",
            "by": "ben",
            "reason": "no",
        }
        assert said(events) == "As they like."
        assert await chat.bounces() > 0


async def test_a_yes_for_what_has_changed_meanwhile_asks_again() -> None:
    async with Chat([CLEAR], [DELETE], ["Done."]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        added = {"domain_name": DOMAIN, "bounces": [{"address": "late@example.net"}]}
        result = await run(chat.services, "add_bounces", added, Caller(Principal("somebody")))
        assert not result.is_error, result.text
        events = await chat.answer(Answer(asked["approval"], True, DOMAIN))
        assert kinds(events)[:3] == ["approval_answered", "third_party_text", "approval_needed"]
        assert last(events, "approval_needed")["approval"] != asked["approval"]
        assert await chat.bounces() > 0


async def test_forms_show_no_live_links() -> None:
    mail = {"domain_name": DOMAIN, "from": "a@mail.example.com", "to": ["x@example.org"], "subject": "s"}
    send = ("send_message", {**mail, "text": "see https://evil.example/x"})
    read = ("list_bounces", {"domain": DOMAIN, "limit": 1})
    async with Chat([read], [send]) as chat:
        form = last(await chat.say("send it"), "approval_needed")["form"]
        assert "https[:]//evil[.]example/x" in form


async def test_what_was_denied_in_one_turn_is_asked_anew_in_a_later_one() -> None:
    async with Chat([CLEAR], ["I leave it."], [CLEAR], ["Cleared."]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        await chat.answer(Answer(asked["approval"], False, reason="not before noon"))
        again = last(await chat.say("It is noon: clear them now."), "approval_needed")
        assert again["approval"] != asked["approval"]
        await chat.answer(Answer(again["approval"], True, DOMAIN))
        assert await chat.bounces() == 0


async def test_what_was_cancelled_is_asked_anew() -> None:
    async with Chat([CLEAR], [CLEAR]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        await chat.runner.cancel(ANN, "c")
        assert last(await chat.say("clear after all"), "approval_needed")["approval"] != asked["approval"]
