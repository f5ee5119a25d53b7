"""langchain-mcp-adapters: the LangChain tools that it makes from the server's tools."""

from contextlib import asynccontextmanager
from typing import Any

from judge import COMMAND, ENVIRONMENT, Heard, Sessions, run
from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp.types import ElicitResult


class LangChainSession:
    def __init__(self, client: Any) -> None:
        self._client = client
        self._tools: dict[str, Any] = {}

    async def tools(self) -> int:
        self._tools = {tool.name: tool for tool in await self._client.get_tools()}
        return len(self._tools)

    async def call(self, name: str, arguments: dict[str, Any]) -> tuple[bool, str]:
        if not self._tools:
            await self.tools()
        message = await self._tools[name].ainvoke({"type": "tool_call", "id": "1", "name": name, "args": arguments})
        content = message.content
        text = content if isinstance(content, str) else "\n".join(block.get("text", "") for block in content)
        return message.status == "error", text


@asynccontextmanager
async def connect(heard: Heard, person: bool) -> Sessions:
    async def ask(_mcp_context: Any, params: Any, _context: Any) -> Any:
        heard.questions.append(params.message)
        return ElicitResult(action="accept", content={"confirm": True})

    async def report(_progress: float, _total: float | None, message: str | None, _context: Any) -> None:
        heard.reports.append(message or "")

    server = {"transport": "stdio", "command": COMMAND[0], "args": COMMAND[1:], "env": ENVIRONMENT}
    callbacks = Callbacks(on_progress=report, on_elicitation=ask if person else None)
    yield LangChainSession(MultiServerMCPClient({"mailgun": server}, callbacks=callbacks))


run(connect)
