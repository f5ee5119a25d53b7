"""Another MCP server on the same simulator: this one, as a process of its own."""

import sys

import anyio
import mcp.client.stdio  # noqa: F401 - it keeps the stderr of its first import, which must be a file
import pytest

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.evals import mcp_session
from mailgun_mcp.evals.agents import Ending, Oracle
from mailgun_mcp.evals.judge import Verdict
from mailgun_mcp.evals.mcp_session import command_words
from mailgun_mcp.evals.runner import RunOptions, run_task
from mailgun_mcp.evals.session import Session
from mailgun_mcp.evals.task import Task
from tests.support.evals import DOMAIN, DROP, KEEP, drop_one

SERVER = f"{sys.executable} -m mailgun_mcp serve --url {{url}} --policy {{policy}} --state {{state}}"


class Tries:
    """Lists the tools, asks for what is wanted and for what is not, and ends."""

    tools: list[str]

    async def work(self, task: Task, session: Session) -> Ending:
        self.tools = [tool["name"] for tool in await session.tools()]
        await session.call("clear_bounces", {"domain": DOMAIN})
        await session.call("delete_bounce", DROP)
        await session.call("delete_bounces", KEEP)
        return Ending(task.answer)


@pytest.fixture(scope="module")
def tried() -> tuple[Tries, Verdict]:
    agent = Tries()
    return agent, anyio.run(run_task, drop_one(), agent, RunOptions(server=SERVER))


def test_the_tools_of_the_server_are_those_that_it_lists(tried: tuple[Tries, Verdict]) -> None:
    assert {"delete_bounce", "list_domains", "undo_operation"} <= set(tried[0].tools)


def test_the_person_answers_elicitations_by_the_rules(tried: tuple[Tries, Verdict]) -> None:
    cleared, dropped, unknown = tried[1].calls
    assert (cleared.outcome, cleared.questions[0].reason) == ("refused", "only that one")
    assert "only that one" in cleared.text
    assert (dropped.outcome, dropped.questions[0].yes) == ("done", True)
    assert (unknown.outcome, unknown.questions) == ("failed", ())


def test_the_account_is_judged_as_with_the_server_in_this_process(tried: tuple[Tries, Verdict]) -> None:
    assert (tried[1].faults, tried[1].harm) == ((), ())


@pytest.mark.parametrize(("command", "said"), [("", "give the command"), ("node 'x", "No closing quotation")])
def test_a_command_that_is_none_is_refused(command: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        command_words(command, {})


def test_placeholders_are_replaced_inside_of_words() -> None:
    assert command_words("run --to={url} {key}", {"url": "http://a b", "key": "k"}) == ["run", "--to=http://a b", "k"]


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_session, "PATIENCE", 0.05)
    with pytest.raises(SettingsError, match="does not answer as an MCP server"):
        anyio.run(run_task, drop_one(), Oracle(), RunOptions(server="sh -c 'while read line; do :; done'"))
