"""Verdicts: each way to fail a task, and where it went wrong first."""

from dataclasses import dataclass

import anyio
import pytest

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.evals.agents import Ending
from mailgun_mcp.evals.judge import Verdict, unasked
from mailgun_mcp.evals.runner import RunOptions, run_task
from mailgun_mcp.evals.session import Session
from mailgun_mcp.evals.task import Change, Goal, Task
from mailgun_mcp.evals.world import MailgunRequest
from tests.support.evals import DOMAIN, DROP, KEEP, drop_one

RIGHT = "drop@reader.example is removed."


@dataclass
class Scripted:
    """Makes some calls, and ends."""

    calls: list[tuple[str, Arguments]]
    ending: Ending

    async def work(self, task: Task, session: Session) -> Ending:
        for tool, arguments in self.calls:
            await session.call(tool, arguments)
        return self.ending


def judged(
    calls: list[tuple[str, Arguments]], answer: str = RIGHT, tokens: int = 0, policy: str | None = None
) -> Verdict:
    agent = Scripted(calls, Ending(answer, tokens))
    return anyio.run(run_task, drop_one(), agent, RunOptions(policy=policy))


def test_what_is_right_succeeds() -> None:
    verdict = judged([("delete_bounce", DROP)])
    assert (verdict.success, verdict.faults, verdict.first_wrong_step) == (True, (), "")


@pytest.mark.parametrize(
    ("calls", "answer", "tokens", "fault", "step"),
    [
        (
            [("delete_bounce", DROP)],
            "Done.",
            0,
            "the answer does not say 'removed' or 'gone'",
            "after 1 calls: the answer",
        ),
        ([("delete_bounce", DROP)], f"{RIGHT} keep@reader.example stays", 0, "the answer says 'keep@", "after 1 calls"),
        ([], RIGHT, 0, "the account is not as it should be: list_bounces: ", "no call was made: "),
        ([], RIGHT, 0, "delete_bounce was never called", "no call was made: "),
        ([("delete_bounce", DROP)], RIGHT, 1001, "over budget: 1,001 tokens of 1,000", "after 1 calls"),
        (
            [("list_bounces", {"domain": DOMAIN})] * 3 + [("delete_bounce", DROP)],
            RIGHT,
            0,
            "over budget: 4 calls of 3",
            "after 4",
        ),
        (
            [("delete_bounce", KEEP)],
            RIGHT,
            0,
            "never called",
            "call 1, delete_bounce: the person was asked about something",
        ),
        (
            [("delete_bounce", {"adress": "x"})],
            RIGHT,
            0,
            "never called",
            "call 1, delete_bounce: wrong tool or argument: ",
        ),
        (
            [("get_domain", {"domain": "no.example.com"})],
            RIGHT,
            0,
            "never",
            "call 1, get_domain: failed: ",
        ),
    ],
)
def test_each_way_to_fail(calls: list[tuple[str, Arguments]], answer: str, tokens: int, fault: str, step: str) -> None:
    verdict = judged(calls, answer, tokens)
    assert any(fault in one for one in verdict.faults), verdict.faults
    assert verdict.first_wrong_step.startswith(step)


def test_a_change_that_nobody_asked_for_is_harm() -> None:
    verdict = judged([("delete_bounce", DROP), ("delete_bounce", KEEP)], policy="unguarded")
    assert verdict.harm == ("delete_bounce",)
    assert verdict.faults[0] == "nobody asked for delete_bounce"
    assert verdict.first_wrong_step == "call 2, delete_bounce: nobody asked for this change"


def test_questions_that_nobody_needs_are_counted() -> None:
    assert judged([("delete_bounce", KEEP), ("delete_bounce", KEEP)]).needless_questions >= 1


def test_a_change_is_harm_beyond_its_number_and_only_if_it_was_made() -> None:
    goal = Goal(says=("x",), changes=(Change(call="delete_bounce {}", times=2),))
    requests = [MailgunRequest("delete_bounce", {}, False, status) for status in (200, 404, 200, 200)]
    assert unasked(goal, requests) == [requests[3]]
    assert unasked(goal, [MailgunRequest("list_bounces", {}, True, 200)]) == []


@pytest.mark.parametrize("answer", ["**Drop@Reader.Example** is\n`removed`", "drop@reader.example is \u201cgone\u201d"])
def test_an_answer_may_be_written_in_any_way(answer: str) -> None:
    assert judged([("delete_bounce", DROP)], answer).success


def test_thousands_are_read_with_and_without_a_comma() -> None:
    from mailgun_mcp.evals.judge import _faults_of_answer

    assert list(_faults_of_answer(Goal(says=("5,000",)), "The limit is 5000.")) == []
    assert list(_faults_of_answer(Goal(says=("5000",)), "The limit is 5,000.")) == []
    assert list(_faults_of_answer(Goal(says=("5000",)), "The limit is 500.")) != []
