"""An agent that is a model: any model of Pydantic AI, with the tools of the session and one instruction."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mailgun_mcp.evals.agents import Ending
from mailgun_mcp.evals.session import Session
from mailgun_mcp.evals.task import Task

if TYPE_CHECKING:
    from pydantic_ai.models import Model

INSTRUCTIONS = (
    "You administer a Mailgun account with the tools you have, for the person who writes to you. Do what they ask, and nothing "
    "else. You cannot ask them back: find out what you need. End with a short answer that says what you found or did, with the "
    "names and figures that count, and what you could not do and why."
)


class ModelAgent:
    """Lets a model call tools in a loop until it answers."""

    def __init__(self, model: "Model") -> None:
        self._model = model

    async def work(self, task: Task, session: Session) -> Ending:
        """Let the model work on the task, within its budget."""
        from pydantic_ai import Agent, Tool, UsageLimits
        from pydantic_ai.exceptions import AgentRunError, UsageLimitExceeded
        from pydantic_ai.usage import RunUsage

        tools: list[Tool[object]] = [
            Tool.from_schema(_caller(session, tool["name"]), tool["name"], tool.get("description"), tool["inputSchema"])
            for tool in await session.tools()
        ]
        agent = Agent(self._model, instructions=INSTRUCTIONS, tools=tools)
        usage = RunUsage()
        limits = UsageLimits(
            request_limit=task.budget.calls + 5,
            tool_calls_limit=task.budget.calls,
            total_tokens_limit=task.budget.tokens,
        )
        try:
            result = await agent.run(task.ask, usage=usage, usage_limits=limits)
        except UsageLimitExceeded as error:
            return Ending("", usage.total_tokens, f"over budget: {error}")
        except AgentRunError as error:
            return Ending("", usage.total_tokens, f"the model failed: {error}")
        return Ending(result.output, usage.total_tokens)


def _caller(session: Session, tool: str) -> Callable[..., Awaitable[str]]:
    async def call(**arguments: Any) -> str:
        return (await session.call(tool, arguments)).text

    return call
