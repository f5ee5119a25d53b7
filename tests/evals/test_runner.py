"""Runs: each has an account of its own, and every verdict is told as it comes."""

import anyio

from mailgun_mcp.evals.agents import Oracle
from mailgun_mcp.evals.judge import Verdict
from mailgun_mcp.evals.runner import RunOptions, run_tasks
from tests.support.evals import drop_one


def test_a_task_runs_as_often_as_asked_each_time_from_the_start() -> None:
    heard: list[tuple[str, int]] = []

    def hear(verdict: Verdict, number: int) -> None:
        heard.append((verdict.task.id, number))

    tasks = [drop_one(), drop_one(id="again")]
    verdicts = anyio.run(run_tasks, tasks, Oracle(), RunOptions(repeat=2), hear)
    assert [verdict.success for verdict in verdicts] == [True] * 4
    assert heard == [("drop-one", 1), ("again", 1), ("drop-one", 2), ("again", 2)]
