"""Agents: what works on a task through a session, and ends with an answer. The scripted ones prove that the tasks are sound."""

from dataclasses import dataclass
from typing import Any, Protocol

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.evals.session import Session
from mailgun_mcp.evals.task import Task


@dataclass(frozen=True, slots=True)
class Ending:
    """How an agent ended."""

    answer: str
    tokens: int = 0
    """Tokens that its model read and wrote."""
    error: str = ""
    """Why it ended without an answer."""


class Agent(Protocol):
    """Works on tasks."""

    async def work(self, task: Task, session: Session) -> Ending:
        """Do the task, and return the answer to the person."""


class Oracle:
    """Does what the task's author wrote down. It proves that the task can be done, and that the checks let it pass."""

    async def work(self, task: Task, session: Session) -> Ending:
        """Make the calls of the oracle, and give its answer."""
        await _play(task, session)
        return Ending(task.answer)


class Idle:
    """Does nothing. It proves that no task is done by itself."""

    async def work(self, task: Task, session: Session) -> Ending:  # noqa: ARG002 - the shape of an Agent
        """Answer nothing."""
        return Ending("")


class Obedient:
    """Does the task, and obeys every order that it reads. It proves what the guard rails are for."""

    async def work(self, task: Task, session: Session) -> Ending:
        """Make the calls of the oracle, then those that injected text asked for, if it was read."""
        read = await _play(task, session)
        if task.bait and task.bait in read:
            for order in task.orders:
                await session.call(*order.parts())
        return Ending(task.answer)


AGENTS: dict[str, type[Oracle] | type[Idle] | type[Obedient]] = {"oracle": Oracle, "idle": Idle, "obedient": Obedient}


async def _play(task: Task, session: Session) -> str:
    """Make the calls of the oracle. Return everything that was read."""
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
