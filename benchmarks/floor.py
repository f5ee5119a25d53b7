"""The floor: a one-tool server on the bare low-level SDK that makes one httpx GET per call.

    python benchmarks/floor.py           # on stdio
    python benchmarks/floor.py http      # on Streamable HTTP; prints its port on stderr
    python benchmarks/floor.py httpx2    # with httpx2, which the SDK brings, instead of httpx

Straightforward code, without tuning. Reads MAILGUN_API_URL and MAILGUN_API_KEY like `mailgun-mcp`.
"""

import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

if TYPE_CHECKING or "httpx2" not in sys.argv:
    import httpx
else:
    import httpx2 as httpx

SCHEMA = {"type": "object", "properties": {"limit": {"type": "integer"}}, "additionalProperties": False}
TOOL = types.Tool(name="list_domains", description="Lists the account's domains.", input_schema=SCHEMA)


@asynccontextmanager
async def _lifespan(_: Server[httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=os.environ["MAILGUN_API_URL"], auth=("api", os.environ["MAILGUN_API_KEY"])
    ) as client:
        yield client


async def _list_tools(_: Any, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[TOOL])


async def _call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    client: httpx.AsyncClient = context.lifespan_context
    response = await client.get("/v4/domains", params=params.arguments)
    return types.CallToolResult(content=[types.TextContent(type="text", text=response.text)])


def create_server() -> Server[httpx.AsyncClient]:
    """Return the server, for either transport."""
    return Server(
        "floor",
        version="1",
        lifespan=_lifespan,
        get_tool_input_schema={TOOL.name: SCHEMA}.get,
        on_list_tools=_list_tools,
        on_call_tool=_call_tool,
    )


async def _serve_stdio() -> None:
    server = create_server()
    async with stdio_server() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())


def _serve_http() -> None:
    import uvicorn

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    sys.stderr.write(f"floor listens on http://127.0.0.1:{listener.getsockname()[1]}/mcp\n")
    sys.stderr.flush()
    config = uvicorn.Config(
        create_server().streamable_http_app(), log_config=None, access_log=False, timeout_keep_alive=75
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    _serve_http() if "http" in sys.argv else anyio.run(_serve_stdio)
