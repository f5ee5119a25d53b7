"""The official Python SDK 2: its `Client`, which speaks the newest protocol that the server offers."""

from contextlib import asynccontextmanager
from typing import Any

from judge import COMMAND, ENVIRONMENT, Heard, Sessions, run, text_of
from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult


class SdkSession:
    def __init__(self, client: Any, heard: Heard) -> None:
        self._client, self._heard = client, heard

    async def tools(self) -> int:
        return len((await self._client.list_tools()).tools)

    async def call(self, name: str, arguments: dict[str, Any]) -> tuple[bool, str]:
        async def report(_progress: float, _total: float | None, message: str | None) -> None:
            self._heard.reports.append(message or "")

        result = await self._client.call_tool(name, arguments, progress_callback=report)
        return bool(result.is_error), text_of(result)


@asynccontextmanager
async def connect(heard: Heard, person: bool) -> Sessions:
    async def ask(_context: Any, params: Any) -> Any:
        heard.questions.append(params.message)
        return ElicitResult(action="accept", content={"confirm": True})

    parameters = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=ENVIRONMENT)
    async with Client(parameters, elicitation_callback=ask if person else None) as client:
        yield SdkSession(client, heard)


run(connect)
