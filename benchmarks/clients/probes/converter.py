"""Converters of tools for a model's API: those of google-genai, anthropic and openai. Calls use the Python SDK.

`PROBE_CONVERTER` names the converter. Nothing is sent to a model.
"""

import os
from contextlib import asynccontextmanager
from typing import Any

from judge import COMMAND, ENVIRONMENT, Heard, Sessions, run, text_of
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import ElicitResult


def to_gemini(_: Any, tools: list[Any]) -> int:
    """Return how many function declarations google-genai makes, in the same way as its MCP helper."""
    from google.genai._mcp_utils import mcp_to_gemini_tools
    from google.genai.types import Tool

    made = mcp_to_gemini_tools(tools)
    return sum(len(Tool.model_validate(tool).function_declarations or ()) for tool in made)


def to_anthropic(session: Any, tools: list[Any]) -> int:
    """Return how many tools anthropic's MCP helper makes."""
    from anthropic.lib.tools.mcp import async_mcp_tool

    made = [async_mcp_tool(tool, session).to_dict() for tool in tools]
    return sum(bool(tool["name"] and tool["input_schema"]["type"] == "object") for tool in made)


def to_openai(_: Any, tools: list[Any]) -> int:
    """Return how many function tools openai's types accept."""
    from openai.types.responses import FunctionTool

    made = [
        FunctionTool.model_validate(
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.input_schema,
                "strict": False,
            }
        )
        for tool in tools
    ]
    return sum("properties" in (tool.parameters or {}) for tool in made)


CONVERT = {"google-genai": to_gemini, "anthropic": to_anthropic, "openai": to_openai}[os.environ["PROBE_CONVERTER"]]


class ConvertingSession:
    def __init__(self, session: Any, heard: Heard) -> None:
        self._session, self._heard = session, heard

    async def tools(self) -> int:
        return CONVERT(self._session, (await self._session.list_tools()).tools)

    async def call(self, name: str, arguments: dict[str, Any]) -> tuple[bool, str]:
        async def report(_progress: float, _total: float | None, message: str | None) -> None:
            self._heard.reports.append(message or "")

        result = await self._session.call_tool(name, arguments, progress_callback=report)
        return bool(result.is_error), text_of(result)


@asynccontextmanager
async def connect(heard: Heard, person: bool) -> Sessions:
    async def ask(_context: Any, params: Any) -> Any:
        heard.questions.append(params.message)
        return ElicitResult(action="accept", content={"confirm": True})

    parameters = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=ENVIRONMENT)
    async with (
        stdio_client(parameters) as (read, write),
        ClientSession(read, write, elicitation_callback=ask if person else None) as session,
    ):
        await session.initialize()
        yield ConvertingSession(session, heard)


run(connect)
