"""Sessions, through which an agent lists and calls tools. The session here is with the server in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.errors import UnknownToolError
from mailgun_mcp.evals.person import Person, Question
from mailgun_mcp.evals.task import Task
from mailgun_mcp.evals.world import World
from mailgun_mcp.identity.principal import Principal

Outcome = Literal["done", "invalid", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class MadeCall:
    """A call that the agent made."""

    tool: str
    arguments: Arguments
    outcome: Outcome
    text: str
    """The text that the agent could read."""
    structured: Any = None
    questions: tuple[Question, ...] = ()
    """The questions to the person about the call."""
    requests: tuple[int, int] = (0, 0)
    """The range of the world's requests that the call made: index of the first, and index after the last."""


class Session(Protocol):
    """The interface that an agent works with."""

    calls: list[MadeCall]

    async def tools(self) -> list[dict[str, Any]]:
        """Return the tools: name, description, inputSchema."""

    async def call(self, tool: str, arguments: Arguments) -> MadeCall:
        """Make a call."""


@dataclass(slots=True)
class LocalSession:
    """The server in this process, with the same stages, guard rails and texts as for every client."""

    world: World
    services: Services
    person: Person
    calls: list[MadeCall] = field(default_factory=list)

    async def tools(self) -> list[dict[str, Any]]:
        """Return the tools as the server lists them."""
        return self.services.listed_tools

    async def call(self, tool: str, arguments: Arguments) -> MadeCall:
        """Make a call. If it needs an approval, let the person answer, and then make it again, as in a chat."""
        asked, first = len(self.person.questions), len(self.world.requests)
        self.person.watch(tool, arguments)
        result = await self._run(tool, arguments)
        if result.approval is not None and self._answer_approval(result.approval):
            result = await self._run(tool, arguments)
        questions = tuple(self.person.questions[asked:])
        requests = (first, len(self.world.requests))
        made = MadeCall(tool, arguments, result.kind, result.text, result.structured, questions, requests)
        self.calls.append(made)
        return made

    async def _run(self, tool: str, arguments: Arguments) -> CallResult:
        try:
            return await run(
                self.services, tool, arguments, Caller(Principal("agent"), client="eval", asker=self.person)
            )
        except UnknownToolError as error:
            return CallResult(str(error), kind="invalid")

    def _answer_approval(self, approval: dict[str, Any]) -> bool:
        """Let the person answer a pending approval. Return whether the call can now be made again."""
        question, now = self.person.answer(), self.services.clock()
        approvals = self.services.approvals
        if not question.yes:
            approvals.deny(approval["id"], by="person", now=now, reason=question.reason)
            return True
        pending = approvals.get(approval["id"], now)
        return approvals.approve(pending.id, by="person", now=now, typed=pending.typed).status == "approved"


@asynccontextmanager
async def local_session(task: Task, world: World, policy: str, mode: str) -> AsyncIterator[LocalSession]:
    """Open a session with the server in this process."""
    async with world.services(policy, search_mode=mode == "search") as services:
        yield LocalSession(world, services, Person(task.person))


def policy_file(task: Task, directory: Path) -> str:
    """Return the task's policy as a setting: the name of a profile, or the path of a file written here."""
    if "\n" not in task.policy:
        return task.policy
    path = directory / "policy.yaml"
    path.write_text(task.policy, encoding="utf-8")
    return str(path)
