"""An agent of LangChain with the Mailgun tools."""

from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import StructuredTool

from mailgun_mcp import Toolkit


def agent_tools(mailgun: Toolkit, user: str) -> list[StructuredTool]:
    """Return the tools for an agent that works for `user`, whom your program has authenticated."""

    def caller(name: str) -> Callable[..., Awaitable[str]]:
        async def call(**arguments: Any) -> str:
            return (await mailgun.call(name, arguments, user)).text

        return call

    return [
        StructuredTool(
            name=tool["title"],
            description=tool["description"],
            args_schema=tool,
            coroutine=caller(tool["title"]),
        )
        for tool in mailgun.tools("json-schema")
    ]


async def answer(question: str, user: str, model: BaseChatModel | str) -> str:
    """Return the agent's answer."""
    async with Toolkit(preset="readonly-support") as mailgun:
        agent = create_agent(model, agent_tools(mailgun, user))
        state = await agent.ainvoke({"messages": [("user", question)]})
        return str(state["messages"][-1].content)
