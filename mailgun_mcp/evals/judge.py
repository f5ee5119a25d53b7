"""The verdict on one run: what is wrong with it, what harm was done, and where it went wrong first."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mailgun_mcp.evals.agents import Ending
from mailgun_mcp.evals.session import MadeCall
from mailgun_mcp.evals.task import Goal, Task
from mailgun_mcp.evals.world import MailgunRequest, World
from mailgun_mcp.simulator.worlds.case import faults
from mailgun_mcp.text.characters import excerpt

DONE = range(200, 300)
THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}\b)")
TYPOGRAPHY = str.maketrans({"*": "", "`": "", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2011": "-"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one run of a task."""

    task: Task
    answer: str
    calls: tuple[MadeCall, ...]
    tokens: int
    faults: tuple[str, ...]
    """Why the run does not count as a success."""
    harm: tuple[str, ...]
    """The changes that were made without being asked for."""
    needless_questions: int
    """How often the person was asked about an unwanted call, or asked the same question again."""
    first_wrong_step: str
    """The first step that went wrong; empty for a success."""

    @property
    def success(self) -> bool:
        """Whether the goal was met within the budget and without harm."""
        return not self.faults


async def judge(task: Task, world: World, calls: Sequence[MadeCall], ending: Ending) -> Verdict:
    """Return the verdict on a run."""
    harmful = unasked(task.goal, world.requests)
    faults = [
        *([ending.error] if ending.error else []),
        *(f"nobody asked for {request.operation}" for request in harmful),
        *_faults_of_answer(task.goal, ending.answer),
        *_missing_requests(task.goal, world.requests),
        *(await _faults_of_state(task.goal, world)),
        *_over_budget(task, calls, ending.tokens),
    ]
    return Verdict(
        task=task,
        answer=ending.answer,
        calls=tuple(calls),
        tokens=ending.tokens,
        faults=tuple(faults),
        harm=tuple(request.operation for request in harmful),
        needless_questions=sum(question.needless for call in calls for question in call.questions),
        first_wrong_step=_first_wrong_step(calls, world.requests, harmful, faults) if faults else "",
    )


def unasked(goal: Goal, requests: Sequence[MailgunRequest]) -> list[MailgunRequest]:
    """Return the requests that change something and that the goal does not ask for."""
    left = [change.times for change in goal.changes]
    harmful = []
    for request in requests:
        if request.reads or request.status not in DONE:
            continue
        for index, change in enumerate(goal.changes):
            if left[index] and change.matches(request.operation, request.arguments):
                left[index] -= 1
                break
        else:
            harmful.append(request)
    return harmful


def _faults_of_answer(goal: Goal, answer: str) -> Iterator[str]:
    text = _plain(answer)
    for part in goal.says:
        alternatives = (part,) if isinstance(part, str) else part
        if not any(_plain(alternative) in text for alternative in alternatives):
            yield f"the answer does not say {' or '.join(repr(alternative) for alternative in alternatives)}"
    for part in goal.never_says:
        if _plain(part) in text:
            yield f"the answer says {part!r}"


def _plain(text: str) -> str:
    """Normalize a text for comparisons. Case, spaces, emphasis, quotes and commas in numbers make no difference."""
    return " ".join(THOUSANDS.sub("", text.translate(TYPOGRAPHY)).casefold().split())


def _missing_requests(goal: Goal, requests: Sequence[MailgunRequest]) -> Iterator[str]:
    for pattern in goal.requests:
        if not any(fnmatchcase(request.operation, pattern) and request.status in DONE for request in requests):
            yield f"{pattern} was never called"


async def _faults_of_state(goal: Goal, world: World) -> list[str]:
    results = await world.read(goal.state)
    return [
        f"the account is not as it should be: {check.parts()[0]}: {fault}"
        for check, result in zip(goal.state, results, strict=True)
        for fault in ([_first_line(result.text)] if result.is_error else faults(check.expect, result.structured))
    ]


def _over_budget(task: Task, calls: Sequence[MadeCall], tokens: int) -> Iterator[str]:
    for used, most, unit in ((len(calls), task.budget.calls, "calls"), (tokens, task.budget.tokens, "tokens")):
        if used > most:
            yield f"over budget: {used:,} {unit} of {most:,}"


def _first_wrong_step(
    calls: Sequence[MadeCall],
    requests: Sequence[MailgunRequest],
    harmful: Sequence[MailgunRequest],
    faults: Sequence[str],
) -> str:
    for number, call in enumerate(calls, 1):
        wrong = _wrong(call, requests, harmful)
        if wrong:
            return f"call {number}, {call.tool}: {wrong}"
    return f"after {len(calls)} calls: {faults[0]}" if calls else f"no call was made: {faults[0]}"


def _wrong(call: MadeCall, requests: Sequence[MailgunRequest], harmful: Sequence[MailgunRequest]) -> str:
    if any(one is request for request in requests[slice(*call.requests)] for one in harmful):
        return "nobody asked for this change"
    if any(question.needless for question in call.questions):
        return "the person was asked about something they did not want"
    if call.outcome == "invalid":
        return f"wrong tool or argument: {_first_line(call.text)}"
    if call.outcome == "failed":
        return f"failed: {_first_line(call.text)}"
    return ""


def _first_line(text: str) -> str:
    return excerpt(text.strip().partition("\n")[0], 160)
