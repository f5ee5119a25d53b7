"""Runs tasks. Each run has its own account, state directory and session."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mailgun_mcp.evals.agents import Agent
from mailgun_mcp.evals.judge import Verdict, judge
from mailgun_mcp.evals.session import Session, local_session, policy_file
from mailgun_mcp.evals.task import Task
from mailgun_mcp.evals.world import World

OnVerdict = Callable[[Verdict, int], None]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options for running tasks."""

    repeat: int = 1
    policy: str | None = None
    """A profile or policy file that replaces the tasks' own policies."""
    mode: str = "full"
    server: str | None = None
    """The command of another MCP server; None for the server in this process."""


def _nobody(_: Verdict, __: int) -> None:
    """Ignore a verdict."""


async def run_tasks(
    tasks: Sequence[Task], agent: Agent, options: RunOptions = RunOptions(), on_verdict: OnVerdict = _nobody
) -> list[Verdict]:
    """Run each task as often as the options say. `on_verdict` gets each verdict and the number of its run.

    Raises SetupError for a broken task.
    """
    verdicts = []
    for number in range(1, options.repeat + 1):
        for task in tasks:
            verdict = await run_task(task, agent, options)
            verdicts.append(verdict)
            on_verdict(verdict, number)
    return verdicts


async def run_task(task: Task, agent: Agent, options: RunOptions = RunOptions()) -> Verdict:
    """Run a task once."""
    with TemporaryDirectory(prefix="mailgun-mcp-eval-") as name:
        directory = Path(name)
        world = World(task, directory)
        await world.prepare(task.setup)
        async with _session(task, world, directory, options) as session:
            ending = await agent.work(task, session)
        return await judge(task, world, session.calls, ending)


@asynccontextmanager
async def _session(task: Task, world: World, directory: Path, options: RunOptions) -> AsyncIterator[Session]:
    policy = options.policy or policy_file(task, directory)
    opened: AbstractAsyncContextManager[Session]
    if options.server is None:
        opened = local_session(task, world, policy, options.mode)
    else:
        from mailgun_mcp.evals.mcp_session import mcp_session

        opened = mcp_session(task, world, directory, policy, options.server)
    async with opened as session:
        yield session
