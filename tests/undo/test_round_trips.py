"""For every operation that can be undone: state A, the call, undo, and it is state A again, the whole of it."""

import pytest

from tests.support.operations import catalogue
from tests.support.requests import changing
from tests.support.undo_calls import CALLS, PREPARED, REFUSED, REMAINING
from tests.support.undoing import (
    Bench,
    account_to_change,
    bench,
    differences,
)

pytestmark = pytest.mark.anyio


UNSEEN = {tool for tool in CALLS if tool.startswith("import_")}
"""What happens in the background: nobody can look right after it, so a person is asked before it is undone."""


def test_every_operation_that_can_be_undone_is_tried() -> None:
    assert set(CALLS) == {operation.name for operation in catalogue() if operation.affects}


def test_what_is_not_put_back_is_said_of_the_operation() -> None:
    undos = {operation.name: operation.undo for operation in catalogue()}
    missing = {tool: undo.missing for tool in REMAINING if (undo := undos[tool])}
    assert [tool for tool in REMAINING if not missing.get(tool)] == []


CASES = [(tool, number) for tool, calls in CALLS.items() for number in range(len(calls))]


@pytest.mark.parametrize(("tool", "number"), CASES, ids=[f"{tool}-{number}" for tool, number in CASES])
async def test_after_the_undo_all_is_as_it_was_before_the_call(tool: str, number: int) -> None:
    account = account_to_change()
    if prepare := PREPARED.get(tool):
        prepare(account)
    async with bench(account) as tried:
        before = tried.state
        made = await tried.made(tool, CALLS[tool][number])
        assert differences(before, tried.state) != []
        undone = await tried.undo(made["undo"]["id"])
        assert set(differences(before, tried.state)) == REMAINING.get(tool, set())
        assert (undone["not_put_back"] != []) == (tool in REFUSED)
        assert (tried.person.asked != []) == (tool in UNSEEN)
        await again(tried, made["undo"]["id"], tool)


async def again(tried: Bench, call: str, tool: str) -> None:
    """Undo once more: nothing is sent."""
    state, sent = tried.state, len(changing(tried.mailgun.lines))
    undone = await tried.undo(call)
    assert (undone["put_back"], tried.state == state) == (0, True)
    assert len(changing(tried.mailgun.lines)) == sent + (1 if tool in REFUSED else 0)
