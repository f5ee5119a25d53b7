"""The official Python SDK 1: its `ClientSession`, as most of today's Python clients use it."""

from contextlib import asynccontextmanager
from typing import Any

from judge import COMMAND, ENVIRONMENT, Heard, Sessions, run, text_of
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import ElicitResult


class SdkSession:
    def __init__(self, session: Any, heard: Heard) -> None:
        self._session, self._heard = session, heard

    async def tools(self) -> int:
        return len((await self._session.list_tools()).tools)

    async def call(self, name: str, arguments: dict[str, Any]) -> tuple[bool, str]:
        async def report(_progress: float, _total: float | None, message: str | None) -> None:
            self._heard.reports.append(message or "")

        result = await self._session.call_tool(name, arguments, progress_callback=report)
        return bool(result.isError), text_of(result)


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
        yield SdkSession(session, heard)


run(connect)
