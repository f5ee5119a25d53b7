"""What a client can read before it connects: the server card (SEP-2127), and the catalog that links to it.

Both are public, and contain only the program's name and address. Without a public URL there are none: a card needs
absolute URLs.
"""

import json
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailgun_mcp import __version__

CARD_PATH = "/mcp/server-card"
CATALOG_PATH = "/.well-known/ai-catalog.json"
CARD_TYPE = "application/mcp-server-card+json"
CATALOG_TYPE = "application/ai-catalog+json"
SCHEMA = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json"
NAME = "io.github.mailgun-mcp/mailgun-mcp"
"""The name in the MCP registry, as in server.json."""
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "Content-Type, If-None-Match",
    "Access-Control-Expose-Headers": "ETag",
    "Cache-Control": "public, max-age=3600",
}
TOKEN = {
    "name": "Authorization",
    "description": "`Bearer TOKEN`, with a token of the person who runs the server",
    "isRequired": True,
    "isSecret": True,
}


def discovery_routes(public_url: str | None, *, transport: str, oauth: bool) -> list[Route]:
    """Return the routes of the card and the catalog. `oauth`: whether clients get a token by themselves."""
    if public_url is None:
        return []
    base = public_url.rstrip("/")
    return [
        Route(CARD_PATH, _document(server_card(base, transport=transport, oauth=oauth), CARD_TYPE), methods=["GET"]),
        Route(CATALOG_PATH, _document(catalog(base), CATALOG_TYPE), methods=["GET"]),
    ]


def server_card(base: str, *, transport: str, oauth: bool) -> dict[str, Any]:
    """Return the card of the server at the URL `base`."""
    versions = {"supportedProtocolVersions": [*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS]}
    headers = {} if oauth else {"headers": [TOKEN]}
    streamable = {"type": "streamable-http", "url": f"{base}/mcp", **headers, **versions}
    return {
        "$schema": SCHEMA,
        "name": NAME,
        "version": __version__,
        "title": "Mailgun",
        "description": "Every Mailgun operation as a typed, guarded tool",
        "websiteUrl": "https://documentation.mailgun.com",
        "remotes": [
            *([streamable] if transport != "sse" else []),
            {"type": "sse", "url": f"{base}/sse", **headers},
        ],
    }


def catalog(base: str) -> dict[str, Any]:
    """Return the catalog of the servers under the URL `base`: only this one."""
    host = urlsplit(base).hostname or "localhost"
    entry = {"identifier": f"urn:air:{host}:mcp:mailgun", "type": CARD_TYPE, "url": base + CARD_PATH}
    return {"specVersion": "1.0", "entries": [entry]}


def _document(document: dict[str, Any], kind: str) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    content = json.dumps(document, ensure_ascii=False).encode()
    tag = f'"{sha256(content).hexdigest()}"'
    headers = {**HEADERS, "ETag": tag}

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)

    return answer
