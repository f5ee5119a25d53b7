"""What becomes of calls that a run left open."""

import pytest

from tests.support.chats import ANN, CLEAR, Chat, last

pytestmark = pytest.mark.anyio


async def test_a_call_that_waits_is_denied_when_the_person_cancels() -> None:
    async with Chat([CLEAR]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        await chat.runner.cancel(ANN, "c")
        approval = chat.services.approvals.get(asked["approval"], chat.services.clock())
        assert approval.status == "denied"
        events = [event async for event in chat.runner.events(ANN, "c")]
        assert last(events, "tool_finished")["status"] == "cancelled"


async def test_a_call_that_waits_goes_on_waiting_when_the_server_stops() -> None:
    async with Chat([CLEAR]) as chat:
        asked = last(await chat.say("clear"), "approval_needed")
        await chat.runner.aclose()
        assert [one["approval"] for one in await chat.runner.open_approvals(ANN, "c")] == [asked["approval"]]


async def test_what_a_process_left_open_when_it_died_is_unknown_and_is_not_made_again() -> None:
    async with Chat([CLEAR], ["I read what is there."]) as chat:
        await chat.say("clear")
        with chat.services.store.writing() as connection:
            connection.execute("UPDATE agent_calls SET status = 'running'")
            connection.execute("UPDATE agent_conversations SET status = 'running', lease_until = 1")
        events = await chat.say("And?")
        assert last(events, "tool_finished")["status"] == "unknown"
        assert "stopped during the answer" in last(events, "warning")["text"]
        assert await chat.bounces() > 0
