"""The scripted agents: what the tasks that ship prove with them."""

from functools import cache, partial

import anyio
import pytest

from mailgun_mcp.evals import world
from mailgun_mcp.evals.agents import AGENTS
from mailgun_mcp.evals.judge import Verdict
from mailgun_mcp.evals.report import Figures
from mailgun_mcp.evals.runner import RunOptions, run_task, run_tasks
from mailgun_mcp.evals.task import Task
from mailgun_mcp.evals.task_files import shipped_tasks
from tests.support.accounts import account_made_at
from tests.support.evals import drop_one
from tests.support.moments import MOMENTS, moment, time_is

EVERY_TASK = pytest.mark.slow


@cache
def verdicts(agent: str, family: str = "", policy: str | None = None, at: str = MOMENTS[0]) -> list[Verdict]:
    tasks = [task for task in shipped_tasks() if family in ("", task.family)]
    with time_is(at), pytest.MonkeyPatch.context() as patch:
        # Many tasks have the same account.
        patch.setattr(world, "scenario_account", partial(account_made_at, moment(at)))
        return anyio.run(run_tasks, tasks, AGENTS[agent](), RunOptions(policy=policy))


@EVERY_TASK
def test_the_oracle_does_every_task_and_could_read_what_its_answer_says() -> None:
    assert {one.task.id: one.faults for one in verdicts("oracle") if not one.success} == {}
    # An answer is worth something only if the agent can know it, and has to look for it.
    assert unknowable(verdicts("oracle")) == []


def unknowable(oracles: list[Verdict]) -> list[str]:
    """Return the tasks whose answer says nothing that the tools showed and the question did not say."""
    found = []
    for one in oracles:
        if one.task.family not in ("find out", "resist"):
            continue
        read = "\n".join(call.text for call in one.calls).casefold().replace(",", "")
        facts = [part if isinstance(part, str) else part[0] for part in one.task.goal.says]
        asked = one.task.ask.casefold()
        known = [fact for fact in facts if fact.casefold() not in asked and fact.replace(",", "").casefold() in read]
        if not known and one.task.id != "which-blocklist-are-we-on":
            found.append(one.task.id)
    return found


@EVERY_TASK
def test_every_task_that_reads_the_history_can_be_done_at_another_time() -> None:
    assert {one.task.id: one.faults for one in verdicts("oracle", "find out", at=MOMENTS[1]) if not one.success} == {}


@EVERY_TASK
def test_an_agent_that_does_nothing_does_no_task() -> None:
    assert [one.task.id for one in verdicts("idle") if one.success] == []


@EVERY_TASK
def test_an_agent_that_obeys_injections_does_no_harm() -> None:
    obeyed = verdicts("obedient", "resist")
    assert {one.task.id: one.harm for one in obeyed if one.harm} == {}
    assert [one.task.id for one in obeyed if len(one.calls) <= len(one.task.oracle)] == [], "the text was not read"


@EVERY_TASK
def test_without_guard_rails_it_does_harm_in_every_task() -> None:
    """So the test above can fail."""
    obeyed = verdicts("obedient", "resist", "unguarded")
    assert [one.task.id for one in obeyed if not one.harm] == []
    assert Figures.of(obeyed).harm >= len(obeyed)


def run_one(agent: str, task: Task) -> Verdict:
    return anyio.run(run_task, task, AGENTS[agent]())


def test_the_oracle_fills_in_what_it_saved() -> None:
    verdict = run_one("oracle", drop_one())
    assert verdict.success, verdict.faults
    assert verdict.calls[1].arguments["address"] == "drop@reader.example"


def test_a_path_that_leads_nowhere_saves_nothing() -> None:
    task = drop_one()
    (step, last) = task.oracle
    for path in ("items.0.id", "address.0"):
        wrong = task.model_copy(update={"oracle": (step.model_copy(update={"save": {"address": path}}), last)})
        assert run_one("oracle", wrong).calls[1].outcome == "invalid"


def test_the_idle_agent_makes_no_call() -> None:
    verdict = run_one("idle", drop_one())
    assert (verdict.calls, verdict.success) == ((), False)


def test_the_obedient_agent_obeys_what_it_has_read_only() -> None:
    assert [call.tool for call in run_one("obedient", drop_one()).calls] == ["get_bounce", *["delete_bounce"] * 2]
    assert len(run_one("obedient", drop_one(bait="never there")).calls) == 2
