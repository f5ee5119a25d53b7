"""An agent of the OpenAI Agents SDK with the Mailgun tools, in strict mode."""

import json
from typing import Any

from agents import Agent, FunctionTool, Model, Runner
from agents.tool_context import ToolContext

from mailgun_mcp import Toolkit


def agent_tools(mailgun: Toolkit, user: str) -> list[FunctionTool]:
    """Return the tools for an agent that works for `user`, whom your program has authenticated."""

    async def call(context: ToolContext[Any], arguments: str) -> str:
        return (await mailgun.call(context.tool_name, json.loads(arguments or "{}"), user)).text

    functions = [tool["function"] for tool in mailgun.tools("openai-strict")]
    return [
        FunctionTool(
            name=function["name"],
            description=function["description"],
            params_json_schema=function["parameters"],
            on_invoke_tool=call,
            strict_json_schema=True,
        )
        for function in functions
    ]


async def answer(question: str, user: str, model: Model | str) -> str:
    """Return the agent's answer."""
    async with Toolkit(preset="readonly-support") as mailgun:
        agent = Agent("Mailgun", model=model, tools=agent_tools(mailgun, user))
        return str((await Runner.run(agent, question)).final_output)
