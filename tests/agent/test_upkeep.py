"""What a server does at intervals: it ends the runs of processes that died, and continues what was answered elsewhere."""

import asyncio
from typing import Any

import pytest

from mailgun_mcp.agent import upkeep
from mailgun_mcp.agent.open_calls import NOT_MADE, STOPPED, UNKNOWN
from mailgun_mcp.errors import StateError
from tests.support.chats import ANN, CLEAR, DOMAIN, LIST, Chat, kinds, last, said

pytestmark = pytest.mark.anyio


def die(chat: Chat, *, calls: str = "status") -> None:
    """Leave the state as a process leaves it that was killed: running, with a lease that ends. `calls` is their status."""
    with chat.services.store.writing() as connection:
        connection.execute(f"UPDATE agent_calls SET status = {calls}")
        connection.execute("UPDATE agent_conversations SET status = 'running', lease_by = 'dead', lease_until = 1")


async def after(chat: Chat) -> list[Any]:
    """Look once for runs of processes that died, and return the events that come of it."""
    before = [event.id async for event in chat.runner.events(ANN, "c", follow=False)]
    await chat.runner._upkeep.close_broken()
    return [event async for event in chat.runner.events(ANN, "c", after=before[-1])]


async def test_the_run_of_a_process_that_died_is_ended_and_said() -> None:
    async with Chat([LIST], ["Three."], ["Here again."]) as chat:
        await chat.say("look")
        die(chat)
        events = await after(chat)
        assert [(event.kind, event.body["outcome"], event.body["text"]) for event in events] == [
            ("ended", "failed", STOPPED)
        ]
        assert (await chat.runner.get(ANN, "c")).status == "idle"
        more = await chat.say("and?")
        assert (said(more), "warning" in kinds(more)) == ("Here again.", False)


@pytest.mark.parametrize(
    ("left", "status", "text"), [("'running'", "unknown", UNKNOWN), ("'new'", "cancelled", NOT_MADE)]
)
async def test_its_calls_are_closed_and_none_is_made(left: str, status: str, text: str) -> None:
    async with Chat([CLEAR]) as chat:
        await chat.say("clear")
        die(chat, calls=left)
        finished = last(await after(chat), "tool_finished")
        assert (finished["status"], finished["text"]) == (status, text)
        assert await chat.bounces() > 0


async def test_what_waits_for_a_person_goes_on_waiting() -> None:
    async with Chat([CLEAR], ["Cleared."]) as chat:
        asked = await chat.say("clear")
        die(chat)
        events = await after(chat)
        assert kinds(events) == ["warning", "ended"]
        assert last(events, "warning")["text"] == STOPPED
        assert last(events, "ended")["outcome"] == "waiting"
        assert said(await chat.yes(asked)) == "Cleared."
        assert await chat.bounces() == 0


async def test_a_run_whose_lease_holds_is_left_alone() -> None:
    never = asyncio.Event()
    async with Chat(["One ", never]) as chat:
        await chat.runner.start(ANN, "c", "count", run="1", client="chat:test")
        await chat.runner._upkeep.close_broken()
        assert (await chat.runner.get(ANN, "c")).status == "running"


async def test_the_run_of_a_process_that_died_can_be_cancelled_by_the_person() -> None:
    async with Chat([CLEAR]) as chat:
        await chat.say("clear")
        die(chat)
        await chat.runner.cancel(ANN, "c")
        assert (await chat.runner.get(ANN, "c")).status == "idle"
        assert await chat.runner.open_approvals(ANN, "c") == []


async def test_a_run_that_could_not_be_written_keeps_no_later_one_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise StateError("the state cannot be used: the disk is full")

    async with Chat(["One."], ["Two."], ["Three."]) as chat:
        with monkeypatch.context() as patched:
            patched.setattr(chat.runner._log, "_write", full)
            # Nobody watches: a watcher would be told of the failure, too.
            await chat.runner.start(ANN, "c", "hello", run="1", client="chat:test")
            await asyncio.wait([chat.runner._tasks["c"]])
        with chat.services.store.writing() as connection:
            connection.execute("UPDATE agent_conversations SET lease_until = 1")
        assert said(await chat.say("again")) == "Two."
        assert said(await chat.say("elsewhere", to="other")) == "Three."
        for conversation in ("c", "other"):
            assert (await chat.runner.get(ANN, conversation)).status == "idle"
            events = [event async for event in chat.runner.events(ANN, conversation)]
            assert last(events, "ended")["outcome"] == "done"


async def test_it_looks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "LOOK_FOR_BROKEN", 0.01)
    async with Chat(["Hello."]) as chat:
        run = await chat.runner.start(ANN, "c", "hello", run="1", client="chat:test")
        async for _ in chat.runner.watch(run, ANN):
            """Until it has ended."""
        die(chat)
        begun = asyncio.Event()
        chat.runner.on_begin(lambda *_: begun.set())
        await asyncio.wait_for(begun.wait(), 20)
        events = [event async for event in chat.runner.events(ANN, "c")]
        assert last(events, "ended")["text"] == STOPPED


async def test_an_answer_given_elsewhere_in_a_deleted_conversation_changes_nothing() -> None:
    async with Chat([CLEAR]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        await chat.runner.delete(ANN, "c")
        await chat.runner.continue_answered()
        assert chat.services.approvals.get(asked["approval"], chat.services.clock()).status == "denied"
        assert await chat.runner.conversations(ANN) == ()
        assert DOMAIN in asked["form"]
