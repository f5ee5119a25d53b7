"""pydantic-ai: its MCP toolset, and the tool definitions that its agents get."""

from contextlib import asynccontextmanager
from typing import Any

from fastmcp.client.transports import StdioTransport
from judge import COMMAND, ENVIRONMENT, Heard, Sessions, run
from mcp_types import ElicitResult
from pydantic_ai import RunContext
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models.test import TestModel
from pydantic_ai.usage import RunUsage


class ToolsetSession:
    def __init__(self, toolset: Any) -> None:
        self._toolset = toolset
        self._context = RunContext(deps=None, model=TestModel(), usage=RunUsage())

    async def tools(self) -> int:
        return len(await self._toolset.get_tools(self._context))

    async def call(self, name: str, arguments: dict[str, Any]) -> tuple[bool, str]:
        try:
            return False, str(await self._toolset.direct_call_tool(name, arguments))
        except Exception as error:  # noqa: BLE001 - a failed call is an exception here, of several kinds
            return True, str(error)


@asynccontextmanager
async def connect(heard: Heard, person: bool) -> Sessions:
    async def ask(message: str, _response_type: Any, _params: Any, _context: Any) -> Any:
        heard.questions.append(message)
        return ElicitResult(action="accept", content={"confirm": True})

    async def report(_progress: float, _total: float | None, message: str | None) -> None:
        heard.reports.append(message or "")

    transport = StdioTransport(COMMAND[0], COMMAND[1:], env=ENVIRONMENT, keep_alive=False)
    toolset: Any = MCPToolset(
        transport, init_timeout=60, elicitation_handler=ask if person else None, progress_handler=report
    )
    async with toolset:
        yield ToolsetSession(toolset)


run(connect)
