"""An agent of Pydantic AI with the Mailgun tools."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic_ai import Agent, Tool
from pydantic_ai.models import Model

from mailgun_mcp import Toolkit


def agent_tools(mailgun: Toolkit, user: str) -> list[Tool[None]]:
    """Return the tools for an agent that works for `user`, whom your program has authenticated."""

    def caller(name: str) -> Callable[..., Awaitable[str]]:
        async def call(**arguments: Any) -> str:
            return (await mailgun.call(name, arguments, user)).text

        return call

    return [
        Tool.from_schema(
            caller(tool["title"]),
            name=tool["title"],
            description=tool["description"],
            json_schema={"type": "object", "properties": tool["properties"], "required": tool.get("required", [])},
        )
        for tool in mailgun.tools("json-schema")
    ]


async def answer(question: str, user: str, model: Model | str) -> str:
    """Return the agent's answer."""
    async with Toolkit(preset="readonly-support") as mailgun:
        agent = Agent(model, tools=agent_tools(mailgun, user))
        return (await agent.run(question)).output
