"""The server's metadata as a protected resource (RFC 9728): who issues tokens for it, and which scopes exist."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mailgun_mcp.identity.access import READ

WELL_KNOWN = "/.well-known/oauth-protected-resource"
RESOURCES = ("/mcp", "/sse")
"""Paths that clients use. Each is its own resource, because a client asks for the metadata of its URL."""
PATHS = frozenset({WELL_KNOWN, *(f"{WELL_KNOWN}{path}" for path in RESOURCES)})


def metadata_path(path: str) -> str:
    """Return the metadata path of the resource that `path` belongs to."""
    return WELL_KNOWN + ("/sse" if path.startswith(("/sse", "/messages")) else "/mcp")


def metadata_routes(public_url: str, issuers: Sequence[str]) -> list[Route]:
    """Return the routes of the metadata. They need no token, because clients read them to get one."""

    def endpoint_of(resource: str) -> Route:
        document = {
            "resource": public_url + resource,
            "authorization_servers": list(issuers),
            # The minimum. Calls that need more scopes name them when they are made.
            "scopes_supported": [READ],
            "bearer_methods_supported": ["header"],
            "resource_name": "Mailgun",
        }

        async def metadata(_: Request) -> JSONResponse:
            return JSONResponse(document, headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=3600"})

        return Route(WELL_KNOWN + resource, metadata, methods=["GET"])

    routes = [endpoint_of(resource) for resource in RESOURCES]
    return [*routes, Route(WELL_KNOWN, routes[0].endpoint, methods=["GET"])]
