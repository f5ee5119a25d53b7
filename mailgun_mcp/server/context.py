"""The type of the context that the SDK gives to every handler of ours."""

from typing import Any

from mcp.server.context import ServerRequestContext

ServerContext = ServerRequestContext[dict[str, Any], Any]
