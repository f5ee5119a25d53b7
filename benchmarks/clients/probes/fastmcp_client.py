"""FastMCP's client."""

from contextlib import asynccontextmanager
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from judge import COMMAND, ENVIRONMENT, Heard, Sessions, run, text_of


class FastSession:
    def __init__(self, client: Any, heard: Heard) -> None:
        self._client, self._heard = client, heard

    async def tools(self) -> int:
        return len(await self._client.list_tools())

    async def call(self, name: str, arguments: dict[str, Any]) -> tuple[bool, str]:
        async def report(_progress: float, _total: float | None, message: str | None) -> None:
            self._heard.reports.append(message or "")

        result = await self._client.call_tool(name, arguments, progress_handler=report, raise_on_error=False)
        return bool(result.is_error), text_of(result)


@asynccontextmanager
async def connect(heard: Heard, person: bool) -> Sessions:
    async def ask(message: str, response_type: Any, _params: Any, _context: Any) -> Any:
        heard.questions.append(message)
        return response_type(confirm=True)

    transport = StdioTransport(COMMAND[0], COMMAND[1:], env=ENVIRONMENT, keep_alive=False)
    async with Client(transport, elicitation_handler=ask if person else None) as client:
        yield FastSession(client, heard)


run(connect)
