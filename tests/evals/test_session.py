"""The server in this process, as a session: results, questions, approvals and what reached Mailgun."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from mailgun_mcp.evals.session import LocalSession, local_session, policy_file
from mailgun_mcp.evals.task import NOT_ASKED, Task
from mailgun_mcp.evals.world import World
from tests.support.evals import DROP, KEEP, drop_one

pytestmark = pytest.mark.anyio
Opening = Callable[[Task], AbstractAsyncContextManager[LocalSession]]

APPROVAL = """\
version: 1
extends: guarded
rules:
  - match: {tool: delete_bounce}
    decision: confirm
    level: LEVEL
    reason: people look at it
"""


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    @asynccontextmanager
    async def opened(task: Task) -> AsyncIterator[LocalSession]:
        world = World(task, tmp_path)
        await world.prepare(task.setup)
        async with local_session(task, world, policy_file(task, tmp_path), "full") as session:
            yield session

    return opened


async def test_the_person_is_asked_and_their_answer_decides(opening: Opening) -> None:
    async with opening(drop_one()) as session:
        yes, no = await session.call("delete_bounce", DROP), await session.call("delete_bounce", KEEP)
    assert (yes.outcome, [question.yes for question in yes.questions]) == ("done", [True])
    assert (no.outcome, [question.reason for question in no.questions]) == ("refused", [NOT_ASKED])
    assert NOT_ASKED in no.text
    assert session.calls == [yes, no]
    changes = [request.operation for request in session.world.requests if not request.reads]
    assert changes == ["delete_bounce"]
    assert any(not request.reads for request in session.world.requests[slice(*yes.requests)])


async def test_a_call_that_waits_for_an_approval_is_made_after_the_yes(opening: Opening) -> None:
    async with opening(drop_one(policy=APPROVAL.replace("LEVEL", "approval"))) as session:
        yes, no = await session.call("delete_bounce", DROP), await session.call("delete_bounce", KEEP)
    assert (yes.outcome, no.outcome) == ("done", "refused")
    assert NOT_ASKED in no.text


async def test_one_yes_is_not_enough_for_two_people(opening: Opening) -> None:
    async with opening(drop_one(policy=APPROVAL.replace("LEVEL", "two_people"))) as session:
        made = await session.call("delete_bounce", DROP)
    assert made.outcome == "refused"
    assert "Pending approval" in made.text
    assert not any(request.operation == "delete_bounce" for request in session.world.requests)


async def test_an_unknown_tool_is_an_invalid_call(opening: Opening) -> None:
    async with opening(drop_one()) as session:
        made = await session.call("delete_bounces", {})
    assert made.outcome == "invalid"
    assert "delete_bounce" in made.text


async def test_search_mode_lists_few_tools(tmp_path: Path) -> None:
    task = drop_one()
    world = World(task, tmp_path)
    await world.prepare(task.setup)
    async with local_session(task, world, "guarded", "search") as session:
        names = [tool["name"] for tool in await session.tools()]
        made = await session.call("call_tool", {"name": "delete_bounce", "arguments": DROP})
    assert "search_tools" in names
    assert len(names) < 20
    assert made.outcome == "done"
