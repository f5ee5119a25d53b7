"""Two servers of one state and one conversation: answered on one, watched on the other, and on after one has died."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from mailgun_mcp.agent import following, upkeep
from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.conversations import LEASE
from mailgun_mcp.agent.errors import AgentError, BusyError
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.open_calls import BROKE_OFF
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.call.services import Services
from mailgun_mcp.settings import Settings
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.postgresql import PostgresStore
from tests.support.chats import ANN, CLEAR, DOMAIN, LIST, Chat, kinds, last, said
from tests.support.engines import on_both_engines

pytestmark = [pytest.mark.anyio, on_both_engines]

PATIENCE = 20.0
MADE = ("done", "unknown")


@dataclass
class Clock:
    """The clock of both servers."""

    ahead: float = 0.0


@dataclass
class Pair:
    """Two servers of one state, in front of the same account."""

    one: Services
    two: Services
    clock: Clock

    def made(self, tool: str) -> int:
        """Return how many calls of a tool were made. The outcome of a read is written a moment later."""
        log = AuditLog(self.one.store)
        assert log.verify().broken is None
        return len([call for call in log.calls() if call.fields.get("tool") == tool and call.outcome in MADE])


@pytest.fixture
async def pair(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    for module, name in ((following, "POLL"), (upkeep, "WATCH")):
        monkeypatch.setattr(module, name, 0.02)
    clock = Clock()
    first = create_services(Settings(simulator=True, state=str(store.directory)))
    one = replace(first, state_store=store, clock=lambda: store.clock() + clock.ahead)
    # What `reopened` gives has one connection, and a server needs more.
    other = store.reopened()
    if isinstance(store, PostgresStore):
        other = PostgresStore(store.directory, store._url, store._sealer)
    two = replace(one, state_store=other)
    async with one:
        yield Pair(one, two, clock)
        two.close()


async def watched(chat: Chat, run: Any) -> list[Event]:
    async with asyncio.timeout(PATIENCE):
        return [event async for event in chat.runner.watch(run, ANN)]


async def test_a_question_of_one_server_is_answered_at_the_other_and_both_show_it(pair: Pair) -> None:
    async with Chat([CLEAR], services=pair.one) as one, Chat(["Cleared."], services=pair.two) as two:
        asked = last(await one.say("clear the bounces"), "approval_needed")
        continued = await two.runner.answer(
            ANN, "c", [Answer(asked["approval"], True, asked["typed"])], run="yes", client="chat:test"
        )
        here, there = await asyncio.gather(watched(one, continued), watched(two, continued))
        assert kinds(there) == ["approval_answered", "tool_finished", "text", "ended"]
        assert (kinds(here), said(here), said(there)) == (kinds(there), "Cleared.", "Cleared.")
        assert [event.id for event in here] == [event.id for event in there]
    assert pair.made("clear_bounces") == 1


async def test_one_answer_at_both_servers_makes_one_call(pair: Pair) -> None:
    async with Chat([CLEAR], ["One."], services=pair.one) as one, Chat(["Two."], services=pair.two) as two:
        asked = last(await one.say("clear the bounces"), "approval_needed")

        async def answer(chat: Chat, run: str) -> list[Event] | AgentError:
            try:
                return await chat.answer(Answer(asked["approval"], True, DOMAIN), run=run)
            except AgentError as error:
                return error

        async with asyncio.timeout(PATIENCE):
            answers = await asyncio.gather(answer(one, "a"), answer(two, "b"))
        assert sum(isinstance(one, list) for one in answers) == 1, answers
    assert pair.made("clear_bounces") == 1


async def test_while_one_server_is_at_it_the_other_refuses_a_message_and_follows(pair: Pair) -> None:
    going = asyncio.Event()
    async with Chat(["One ", going, "two."], services=pair.one) as one, Chat(services=pair.two) as two:
        started = await one.runner.start(ANN, "c", "count", run="r", client="chat:test")
        with pytest.raises(BusyError):
            await two.say("hello?")
        following = asyncio.ensure_future(watched(two, started))
        await asyncio.sleep(0)
        going.set()
        assert said(await following) == "One two."


async def test_what_one_server_asks_to_cancel_the_other_cancels(pair: Pair) -> None:
    async with Chat([asyncio.Event()], services=pair.one) as one, Chat(services=pair.two) as two:
        started = await one.runner.start(ANN, "c", "count", run="r", client="chat:test")
        await two.runner.cancel(ANN, "c")
        assert last(await watched(two, started), "ended")["outcome"] == "cancelled"


async def test_a_server_that_died_in_a_turn_is_taken_over_when_its_lease_ends(pair: Pair) -> None:
    """It is killed as a process is: its tasks write nothing more, and its lease runs out."""
    dead = Chat(["Let me look.", LIST], [asyncio.Event()], services=pair.one)
    async with Chat(["Here again."], services=pair.two) as two:
        started = await dead.runner.start(ANN, "c", "look", run="r", client="chat:test")
        async with asyncio.timeout(PATIENCE):
            async for event in dead.runner.watch(started, ANN):
                if event.kind == "tool_finished":
                    break
        await dead.runner._log.flush()
        tasks = [*dead.runner._tasks.values(), *dead.runner._upkeep._tasks]

        async def write_nothing(*_: object, **__: object) -> None:
            """A dead process writes nothing."""

        dead.runner._log._write = lambda *_, **__: None  # type: ignore[method-assign]
        dead.runner._finish = write_nothing  # type: ignore[method-assign]
        dead.runner._open_calls.ended = dead.runner._open_calls.cancelled = write_nothing  # type: ignore[method-assign, assignment]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

        with pytest.raises(BusyError):
            await two.say("are you there?")
        pair.clock.ahead += LEASE + 1
        events = await two.say("are you there?")
        assert last(events, "warning")["text"] == BROKE_OFF
        assert said(events) == "Here again."
        earlier = [event async for event in two.runner.events(ANN, "c", follow=False)]
        assert "tool_finished" in kinds(earlier)
    assert pair.made("list_bounces") == 1
