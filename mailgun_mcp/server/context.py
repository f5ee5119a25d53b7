"""The context that the SDK passes to each of our handlers, and who makes the request."""

from typing import Any

from mcp.server.context import ServerRequestContext

from mailgun_mcp.identity.principal import Principal

ServerContext = ServerRequestContext[dict[str, Any], Any]


def client_name(context: ServerContext) -> str:
    """Return the client's own name for itself. It proves nothing."""
    parameters = context.session.client_params
    return parameters.client_info.name if parameters and parameters.client_info else ""


def principal_of(context: ServerContext, only: Principal | None) -> Principal:
    """Return who makes the request: `only` if there is one caller, otherwise whom the HTTP layers authenticated.

    Raises KeyError for an unauthenticated request, so that it is not answered.
    """
    if only is not None:
        return only
    from mailgun_mcp.web.principal import principal_in

    return principal_in(context.request.scope if context.request is not None else {})
