"""openai-agents: its MCP server over stdio, and the function tools that it makes, strict or plain."""

import json
import os
from contextlib import asynccontextmanager
from typing import Any

from agents.mcp import MCPServerStdio, MCPUtil
from agents.tool_context import ToolContext
from judge import COMMAND, ENVIRONMENT, Heard, Sessions, run

STRICT = bool(os.environ.get("PROBE_STRICT"))


class AgentsSession:
    def __init__(self, server: Any) -> None:
        self._server = server
        self._tools: dict[str, Any] = {}
        self.strict: int | None = None
        """How many tools became strict. The others silently stay plain."""

    async def tools(self) -> int:
        listed = await self._server.list_tools()
        made = [MCPUtil.to_function_tool(tool, self._server, convert_schemas_to_strict=STRICT) for tool in listed]
        self._tools = {tool.name: tool for tool in made}
        self.strict = sum(tool.strict_json_schema for tool in made) if STRICT else None
        return len(made)

    async def call(self, name: str, arguments: dict[str, Any]) -> tuple[bool, str]:
        if not self._tools:
            await self.tools()
        tool = self._tools[name]
        if STRICT:
            # With a strict schema, a model gives every argument: null if it means none.
            arguments = {**dict.fromkeys(tool.params_json_schema["properties"]), **arguments}
        words = json.dumps(arguments)
        context = ToolContext(context=None, tool_name=name, tool_call_id="1", tool_arguments=words)
        result = await tool.on_invoke_tool(context, words)
        text = result["text"] if isinstance(result, dict) else str(result)
        return not text.startswith("{"), text


@asynccontextmanager
async def connect(_heard: Heard, _person: bool) -> Sessions:
    parameters = {"command": COMMAND[0], "args": COMMAND[1:], "env": ENVIRONMENT}
    async with MCPServerStdio(parameters, client_session_timeout_seconds=30) as server:
        yield AgentsSession(server)


run(connect)
