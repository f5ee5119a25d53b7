"""Conversations: one run at a time, once by run id, whoever watches, and on after an answer."""

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.conversations import LEASE
from mailgun_mcp.agent.errors import (
    AnswerError,
    BadMessageError,
    BusyError,
    ForbiddenError,
    NotFoundError,
    TooLargeError,
    WaitingError,
)
from mailgun_mcp.agent.open_calls import BROKE_OFF, STOPPED, UNKNOWN
from mailgun_mcp.agent.runner import CANCELLED_TURN, FAULT
from mailgun_mcp.agent.transcript import Transcript
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal
from tests.support.apps import own_state
from tests.support.chats import ANN, BEN, CLEAR, DOMAIN, LIST, Chat, kinds, last, said

pytestmark = pytest.mark.anyio


async def test_a_turn_reads_and_answers() -> None:
    async with Chat(["Let me look.", LIST], ["Two addresses ", "bounce."]) as chat:
        events = await chat.say("what bounces?")
        assert kinds(events) == [
            *("user_message", "text", "tool_started", "third_party_text", "tool_finished", "text", "text", "ended")
        ]
        assert said(events) == "Let me look.Two addresses bounce."
        assert last(events, "ended") == {"outcome": "done", "text": ""}
        assert last(events, "usage")["requests"] == 2
        assert (await chat.runner.get(ANN, "c")).third_party_text


async def test_a_call_waits_for_the_person_and_is_made_after_the_yes() -> None:
    async with Chat([CLEAR], ["Cleared."]) as chat:
        events = await chat.say("clear the bounces")
        asked = last(events, "approval_needed")
        assert (asked["level"], asked["typed"], asked["answerable"]) == ("typed", DOMAIN, True)
        assert last(events, "ended")["outcome"] == "waiting"
        assert await chat.bounces() > 0
        after = await chat.yes(events)
        assert kinds(after) == ["approval_answered", "tool_finished", "text", "ended"]
        assert last(after, "tool_finished")["undo"]
        assert await chat.bounces() == 0


async def test_the_same_run_again_does_nothing_twice() -> None:
    async with Chat(["One."], ["Two."]) as chat:
        first = await chat.say("hello", run="r")
        again = await chat.say("hello", run="r")
        assert (said(first), said(again)) == ("One.", "One.")
        assert [event.id for event in again if event.kind != "text"] == [
            event.id for event in first if event.kind != "text"
        ]


async def test_the_same_answer_again_does_nothing_twice() -> None:
    async with Chat([CLEAR], ["Cleared."]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        answer = Answer(asked["approval"], True, DOMAIN)
        first = await chat.answer(answer, run="a")
        again = await chat.answer(answer, run="a")
        assert kinds(again) == kinds(first)
        with pytest.raises(AnswerError, match="not open"):
            await chat.answer(answer, run="b")


async def test_a_second_message_is_refused_while_a_run_is_under_way() -> None:
    going = asyncio.Event()
    async with Chat([going, "Now."]) as chat:
        run = await chat.runner.start(ANN, "c", "hello", run="1", client="chat:test")
        with pytest.raises(BusyError):
            await chat.say("hello?")
        going.set()
        assert said([event async for event in chat.runner.watch(run, ANN)]) == "Now."


async def test_a_message_does_not_answer_an_open_approval() -> None:
    async with Chat([CLEAR]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        with pytest.raises(WaitingError) as refused:
            await chat.say(f"yes, approve {asked['approval']} {DOMAIN}")
        assert [body["approval"] for body in refused.value.approvals] == [asked["approval"]]
        assert await chat.bounces() > 0


async def test_a_run_goes_on_though_nobody_watches_and_is_replayed_by_id() -> None:
    async with Chat(["One ", "two ", "three."]) as chat:
        run = await chat.runner.start(ANN, "c", "count", run="1", client="chat:test")
        async for event in chat.runner.watch(run, ANN):
            if event.kind == "text":
                break
        await asyncio.gather(*chat.runner._tasks.values())
        rest = [event async for event in chat.runner.events(ANN, "c", after=event.id)]
        assert said([event, *rest]) == "One two three."
        whole = [event async for event in chat.runner.events(ANN, "c")]
        assert (said(whole), whole[-1].kind) == ("One two three.", "ended")


async def test_two_watchers_see_the_same() -> None:
    going = asyncio.Event()
    async with Chat(["One ", going, "two."]) as chat:
        run = await chat.runner.start(ANN, "c", "count", run="1", client="chat:test")

        async def watch() -> str:
            return said([event async for event in chat.runner.watch(run, ANN)])

        watching = [asyncio.create_task(watch()) for _ in range(2)]
        await asyncio.sleep(0)
        going.set()
        assert await asyncio.gather(*watching) == ["One two.", "One two."]


async def test_cancelling_keeps_what_was_said_and_the_conversation_goes_on() -> None:
    never = asyncio.Event()
    async with Chat(["As I was ", never], ["Go on."]) as chat:
        run = await chat.runner.start(ANN, "c", "talk", run="1", client="chat:test")
        async for event in chat.runner.watch(run, ANN):
            if event.kind == "text":
                break
        await chat.runner.cancel(ANN, "c")
        events = [event async for event in chat.runner.watch(run, ANN)]
        assert said(events).strip() == "As I was"
        assert last(events, "ended") == {"outcome": "cancelled", "text": CANCELLED_TURN}
        assert said(await chat.say("and?")) == "Go on."


async def test_cancelling_twice_frees_the_conversation() -> None:
    going = asyncio.Event()
    async with Chat(["One ", going]) as chat:
        await chat.runner.start(ANN, "c", "count", run="r", client="chat:test")
        task = chat.runner._tasks["c"]
        await asyncio.gather(*(chat.runner.cancel(ANN, "c") for _ in range(3)))
        assert task.done()
        assert (await chat.runner.get(ANN, "c")).status == "idle"


async def test_cancelling_an_open_approval_is_a_no() -> None:
    async with Chat([CLEAR], ["As you like."]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        await chat.runner.cancel(ANN, "c")
        approval = chat.services.approvals.get(asked["approval"], chat.services.clock())
        assert approval.status == "denied"
        assert await chat.runner.open_approvals(ANN, "c") == []
        assert said(await chat.say("never mind")) == "As you like."
        assert await chat.bounces() > 0


async def test_a_call_that_has_begun_is_brought_to_its_end_by_a_cancel() -> None:
    async with Chat([LIST], ["never said"]) as chat:
        run = await chat.runner.start(ANN, "c", "look", run="1", client="chat:test")
        async for event in chat.runner.watch(run, ANN):
            if event.kind == "tool_started":
                break
        await chat.runner.cancel(ANN, "c")
        events = [event async for event in chat.runner.watch(run, ANN)]
        assert last(events, "tool_finished")["status"] in ("done", "cancelled")
        assert last(events, "ended")["outcome"] == "cancelled"


async def test_a_no_is_told_once_and_the_same_call_is_refused_without_asking() -> None:
    histories = list[str]()

    def again(messages: object, _: object) -> list[object]:
        histories.append(str(messages))
        return [CLEAR]

    async with Chat([CLEAR], again, ["I leave it."]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        events = await chat.answer(Answer(asked["approval"], False, reason="we need them for the audit"))
        assert "we need them for the audit" in histories[0]
        assert [event.body["status"] for event in events if event.kind == "tool_finished"] == ["denied", "refused"]
        assert "approval_needed" not in kinds(events)
        assert said(events) == "I leave it."


async def test_the_same_call_written_differently_is_refused_too() -> None:
    other = ("clear_bounces", {"domain_name": DOMAIN.upper()})
    async with Chat([CLEAR], [other], ["I leave it."]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        events = await chat.answer(Answer(asked["approval"], False))
        if last(events, "ended")["outcome"] == "waiting":
            # Another request, byte for byte: it is another question.
            assert last(events, "approval_needed")["approval"] != asked["approval"]
        else:
            assert last(events, "tool_finished")["status"] == "refused"
        assert await chat.bounces() > 0


async def test_a_wrong_name_leaves_the_question_open() -> None:
    async with Chat([CLEAR]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        for typed in (None, "", "mail.example.org"):
            with pytest.raises(AnswerError, match="type the name"):
                await chat.answer(Answer(asked["approval"], True, typed))
        assert len(await chat.runner.open_approvals(ANN, "c")) == 1
        assert await chat.bounces() > 0


@pytest.mark.parametrize("level", ["approval", "two_people"])
async def test_the_asker_cannot_say_yes_where_somebody_else_must(level: str) -> None:
    policy = own_state() / "policy.yaml"
    policy.write_text(
        f"version: 1\nextends: guarded\nrules:\n- match: {{tool: clear_bounces}}\n  decision: confirm\n  level: {level}\n"
    )
    async with Chat([CLEAR], ["As you like."], policy=str(policy)) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        assert not asked["answerable"]
        with pytest.raises(ForbiddenError, match="somebody else"):
            await chat.answer(Answer(asked["approval"], True, DOMAIN))
        events = await chat.answer(Answer(asked["approval"], False))
        assert last(events, "tool_finished")["status"] == "denied"


async def test_an_answer_given_elsewhere_continues_the_run_and_watchers_see_it() -> None:
    async with Chat([CLEAR], ["Cleared."]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        chat.services.approvals.approve(
            asked["approval"], by="ben@example.com", now=chat.services.clock(), typed=DOMAIN
        )
        await chat.runner.continue_answered()
        events = [event async for event in chat.runner.events(ANN, "c")]
        assert last(events, "approval_answered")["by"] == "ben@example.com"
        assert said(events) == "Cleared."
        assert await chat.bounces() == 0


async def test_an_approval_that_expires_ends_the_question() -> None:
    now = [1_800_000_000.0]
    async with Chat([CLEAR], ["Nobody answered."]) as chat:
        later = replace(chat.services, clock=lambda: now[0])
        async with Chat([CLEAR], ["Nobody answered."], services=later, state=chat.state) as timed:
            asked = last(await timed.say("clear"), "approval_needed")
            now[0] += 3600
            with pytest.raises(AnswerError, match="expired"):
                await timed.answer(Answer(asked["approval"], True, DOMAIN))
            await timed.runner.continue_answered()
            events = [event async for event in timed.runner.events(ANN, "c")]
            assert last(events, "approval_answered")["status"] == "expired"
            assert said(events) == "Nobody answered."
        later.close()


async def test_the_model_fails_after_the_yes_and_the_call_is_not_made_again() -> None:
    async with Chat([CLEAR], [RuntimeError("provider 529")], ["It was cleared before."]) as chat:
        events = await chat.yes(await chat.say("clear"))
        assert kinds(events) == ["approval_answered", "tool_finished", "ended"]
        assert last(events, "ended")["outcome"] == "failed"
        assert "Nothing is lost" in last(events, "ended")["text"]
        more = await chat.say("and?")
        assert "tool_started" not in kinds(more)
        assert said(more) == "It was cleared before."


async def test_a_batch_of_calls_waits_for_those_that_need_a_person() -> None:
    unblock = ("delete_bounce", {"domain": DOMAIN, "address": "nobody@example.net"})
    async with Chat([LIST, CLEAR, unblock], ["All done."]) as chat:
        events = await chat.say("do all of it")
        asked = [event.body for event in events if event.kind == "approval_needed"]
        assert [body["tool"] for body in asked] == ["clear_bounces", "delete_bounce"]
        half = await chat.answer(Answer(asked[1]["approval"], False))
        assert last(half, "ended")["outcome"] == "waiting"
        rest = await chat.answer(Answer(asked[0]["approval"], True, DOMAIN))
        assert said(rest) == "All done."


async def test_another_person_finds_no_conversation() -> None:
    async with Chat([CLEAR], ["No."]) as chat:
        asked = last(await chat.say("clear", run="first"), "approval_needed")
        with pytest.raises(NotFoundError):
            await chat.answer(Answer(asked["approval"], True, DOMAIN), by=BEN)
        with pytest.raises(NotFoundError):
            await chat.say("hello", by=BEN)
        for attempt in (chat.runner.get, chat.runner.cancel, chat.runner.delete, chat.runner.open_approvals):
            with pytest.raises(NotFoundError):
                await attempt(BEN, "c")
        with pytest.raises(NotFoundError):
            await chat.say("clear", by=BEN, run="first")
        assert await chat.runner.conversations(BEN) == ()
        assert await chat.bounces() > 0


async def test_an_approval_of_another_conversation_is_not_open_here() -> None:
    async with Chat([CLEAR], ["Hello."], [CLEAR]) as chat:
        asked = last(await chat.say("clear", to="one"), "approval_needed")
        await chat.say("hello", to="two")
        with pytest.raises(AnswerError, match="not open"):
            await chat.answer(Answer(asked["approval"], True, DOMAIN), to="two")
        with pytest.raises(AnswerError, match="no answer"):
            await chat.answer(to="one")


async def test_a_process_that_died_during_a_call_leaves_it_unknown_and_not_repeated() -> None:
    state = own_state()
    now = [1_800_000_000.0]
    async with Chat(["Hello."], state=state) as first:
        clocked = replace(first.services, clock=lambda: now[0])
    async with Chat([CLEAR], services=clocked, state=state) as died:
        await died.say("clear")
        conversations, transcript = died.runner._conversations, Transcript(clocked.store)
        conversations.claim_again("c", "r", ANN, "chat:test", holder="dead", now=now[0])
        (call,) = transcript.open_calls("c")
        transcript.update("c", replace(call, status="running"))
        with pytest.raises(BusyError):
            await died.say("still there?")
        now[0] += LEASE + 1
    async with Chat(["I do not know whether it was cleared."], services=clocked, state=state) as second:
        events = await second.say("still there?")
        assert last(events, "tool_finished")["text"] == UNKNOWN
        assert last(events, "warning")["text"] == BROKE_OFF
        assert said(events) == "I do not know whether it was cleared."
        assert await second.bounces() > 0
    clocked.close()


async def test_what_waits_goes_on_waiting_when_the_server_stops() -> None:
    state = own_state()
    async with Chat([CLEAR], state=state) as first:
        asked = last(await first.say("clear"), "approval_needed")
    async with Chat(["Cleared."], state=state, services=first.services) as second:
        events = await second.answer(Answer(asked["approval"], True, DOMAIN))
        assert last(events, "tool_finished")["status"] == "done"


async def test_a_server_that_stops_says_so() -> None:
    chat = Chat(["As I was ", asyncio.Event()])
    run = await chat.runner.start(ANN, "c", "talk", run="1", client="chat:test")
    async for event in chat.runner.watch(run, ANN):
        if event.kind == "text":
            break
    await chat.runner.aclose()
    events = [event async for event in chat.runner.events(ANN, "c")]
    assert last(events, "ended")["text"] == STOPPED


async def test_another_process_can_cancel() -> None:
    state = own_state()
    async with Chat(["One ", asyncio.Event()], state=state) as here, Chat(state=state) as there:
        run = await here.runner.start(ANN, "c", "talk", run="1", client="chat:test")
        async for event in here.runner.watch(run, ANN):
            if event.kind == "text":
                break
        await there.runner.cancel(ANN, "c")
        cancelled = here.runner._conversations.renew(here.runner._holder, ["c"], here.services.clock())
        assert cancelled == {"c"}
        here.runner._tasks["c"].cancel()
        assert last([event async for event in here.runner.watch(run, ANN)], "ended")["outcome"] == "cancelled"


async def test_a_token_that_has_ended_does_not_continue_by_itself() -> None:
    async with Chat([CLEAR], ["Cleared."]) as chat:
        short = Principal(ANN.id, expires=chat.services.clock() - 1)
        asked = last(await chat.say("clear", by=short), "approval_needed")
        chat.services.approvals.approve(asked["approval"], by="ben", now=chat.services.clock(), typed=DOMAIN)
        await chat.runner.continue_answered()
        assert (await chat.runner.get(ANN, "c")).status == "waiting"


async def test_a_principal_has_the_tools_of_their_scopes_only() -> None:
    reader = Principal("reader", access=Access(scopes=frozenset({"mailgun:read"})))
    offered = list[str]()

    def look(_: object, info: object) -> list[object]:
        offered.extend(tool.name for tool in info.function_tools)  # type: ignore[attr-defined] # pydantic-ai's
        return [CLEAR]

    async with Chat(look, ["I may not."]) as chat:
        events = await chat.say("clear", by=reader)
        assert "send_message" not in offered
        assert "list_bounces" in offered
        assert last(events, "tool_finished")["status"] == "failed"


async def test_found_tools_can_be_called() -> None:
    offered = list[list[str]]()

    def look(_: object, info: object) -> list[object]:
        offered.append([tool.name for tool in info.function_tools])  # type: ignore[attr-defined] # pydantic-ai's
        return [("find_tools", {"queries": ["rotate the DKIM key"]})] if len(offered) == 1 else ["Found."]

    async with Chat(look, look) as chat:
        await chat.say("rotate dkim")
    assert len(offered[0]) == 13
    assert set(offered[1]) > set(offered[0])


async def test_arguments_that_are_no_object_are_an_error_for_the_model() -> None:
    async with Chat([("list_bounces", ["mail.example.com"])], ["Sorry."]) as chat:
        events = await chat.say("look")
        assert last(events, "tool_finished")["status"] == "failed"
        assert said(events) == "Sorry."


async def test_messages_that_cannot_be_used_are_refused() -> None:
    async with Chat() as chat:
        with pytest.raises(TooLargeError, match="at most 100,000"):
            await chat.say("a" * 1_000_000)
        with pytest.raises(BadMessageError, match="no text"):
            await chat.say(" \u200b ")
        for bad in ("", "a b", "x" * 200, "\n"):
            with pytest.raises(BadMessageError, match="id of the conversation"):
                await chat.say("hello", to=bad)
        with pytest.raises(NotFoundError):
            await chat.runner.get(ANN, "c")


async def test_conversations_are_listed_and_deleted() -> None:
    async with Chat() as chat:
        await chat.say("first words\nand more", to="one")
        await chat.say("hello", to="two")
        listed = await chat.runner.conversations(ANN)
        assert {each.id: each.title for each in listed} == {"one": "first words and more", "two": "hello"}
        assert listed[0].record["status"] == "idle"
        await chat.runner.delete(ANN, "one")
        assert [each.id for each in await chat.runner.conversations(ANN)] == ["two"]
        assert (await chat.runner.usage(ANN, "two")).requests == 1


async def test_a_fault_of_the_server_frees_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Chat(["Hello."]) as chat:

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as patched:
            patched.setattr(chat.runner._transcript, "messages", broken)
            assert last(await chat.say("hello"), "ended")["text"] == FAULT
        assert said(await chat.say("hello")) == "Hello."


async def test_a_caller_who_is_cancelled_as_a_turn_begins_leaves_a_turn_and_no_busy_conversation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Chat(["Hello."]) as chat:
        claim, begun, going_on = chat.runner._conversations.claim_new_turn, threading.Event(), threading.Event()

        def slow(*words: Any, **more: Any) -> Any:
            begun.set()
            assert going_on.wait(60)
            return claim(*words, **more)

        monkeypatch.setattr(chat.runner._conversations, "claim_new_turn", slow)
        caller = asyncio.create_task(chat.runner.start(ANN, "c", "hello", run="1", client="chat:test"))
        assert await asyncio.to_thread(begun.wait, 60)
        caller.cancel()
        going_on.set()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert said([event async for event in chat.runner.events(ANN, "c")]) == "Hello."
        assert (await chat.runner.get(ANN, "c")).status == "idle"
