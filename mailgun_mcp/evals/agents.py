"""Agents work on a task through a session and end with an answer. The scripted ones prove that tasks are sound."""

from dataclasses import dataclass
from typing import Any, Protocol

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.evals.session import Session
from mailgun_mcp.evals.task import Task


@dataclass(frozen=True, slots=True)
class Ending:
    """How an agent's work ended."""

    answer: str
    tokens: int = 0
    """Number of tokens that the model read and wrote."""
    error: str = ""
    """Why there is no answer; empty if there is one."""


class Agent(Protocol):
    """The interface of agents."""

    async def work(self, task: Task, session: Session) -> Ending:
        """Work on the task, and return how it ended, with the answer to the person."""


class Oracle:
    """Makes the calls that the task's author wrote down. It proves that the task can be done and passes the checks."""

    async def work(self, task: Task, session: Session) -> Ending:
        """Make the oracle's calls, and give its answer."""
        await _play(task, session)
        return Ending(task.answer)


class Idle:
    """Does nothing. It proves that no task succeeds without work."""

    async def work(self, task: Task, session: Session) -> Ending:  # noqa: ARG002 - the shape of an Agent
        """Answer nothing."""
        return Ending("")


class Obedient:
    """Does the task, and obeys every injected order that it reads. It proves what the guard rails prevent."""

    async def work(self, task: Task, session: Session) -> Ending:
        """Make the oracle's calls, then those that injected text asks for, if that text was read."""
        read = await _play(task, session)
        if task.bait and task.bait in read:
            for order in task.orders:
                await session.call(*order.parts())
        return Ending(task.answer)


AGENTS: dict[str, type[Oracle] | type[Idle] | type[Obedient]] = {"oracle": Oracle, "idle": Idle, "obedient": Obedient}


async def _play(task: Task, session: Session) -> str:
    """Make the oracle's calls. Return all text that was read."""
    saved: dict[str, Any] = {}
    texts = []
    for step in task.oracle:
        tool, arguments = step.parts()
        made = await session.call(tool, _filled(arguments, saved))
        texts.append(made.text)
        saved |= {name: _at(made.structured, path) for name, path in step.save.items()}
    return "\n".join(texts)


def _filled(arguments: Arguments, saved: dict[str, Any]) -> Arguments:
    return {
        name: saved.get(value[1:], value) if isinstance(value, str) and value.startswith("$") else value
        for name, value in arguments.items()
    }


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value
