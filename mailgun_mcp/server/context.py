"""The context that the SDK gives to every handler of ours."""

from typing import Any

from mcp.server.context import ServerRequestContext

ServerContext = ServerRequestContext[dict[str, Any], Any]


def client_name(context: ServerContext) -> str:
    """Return what the client calls itself, which proves nothing."""
    parameters = context.session.client_params
    return parameters.client_info.name if parameters and parameters.client_info else ""
