"""The context that the SDK gives to every handler of ours, and who calls."""

from typing import Any

from mcp.server.context import ServerRequestContext

from mailgun_mcp.identity.principal import Principal

ServerContext = ServerRequestContext[dict[str, Any], Any]


def client_name(context: ServerContext) -> str:
    """Return what the client calls itself, which proves nothing."""
    parameters = context.session.client_params
    return parameters.client_info.name if parameters and parameters.client_info else ""


def principal_of(context: ServerContext, only: Principal | None) -> Principal:
    """Return who makes the request: `only`, where there is one caller, or whom the layers of HTTP authenticated.

    Raises KeyError for a request that nobody authenticated: it is not answered.
    """
    if only is not None:
        return only
    from mailgun_mcp.web.principal import principal_in

    return principal_in(context.request.scope if context.request is not None else {})
