"""The HTTP server as an ASGI app in the test's own process, and callers with tokens of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from mailgun_mcp import asgi
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import Access, parse_scopes
from mailgun_mcp.identity.tokens import Tokens
from mailgun_mcp.settings import Settings
from mailgun_mcp.web.issuer_http import IssuerHttp
from tests.support.processes import INITIALIZE

MODERN = "2026-07-28"
BASE = "http://localhost"
ACCEPT = {"Accept": "application/json, text/event-stream"}
GREETING = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def token_of(services: Services, name: str, scopes: str, **bounds: Any) -> dict[str, str]:
    """Make a static token, and return the header that sends it."""
    expires = bounds.pop("expires", None)
    access = Access(parse_scopes(scopes.split()), **bounds)
    text = Tokens(services.store).create(name, access, by="tests", now=services.clock(), expires=expires)[1]
    return bearer(text)


@asynccontextmanager
async def team_server(
    services: Services,
    settings: Settings | None = None,
    *,
    loopback: bool = False,
    http: IssuerHttp | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """Give an HTTP client of the app, which sends no token by itself."""
    app = asgi.create(settings or Settings(), services=services, loopback=loopback, http=http)
    async with app.lifespan(), client_of(app) as client:
        yield client


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE, headers=ACCEPT, timeout=30)


def client_of_url(url: str, token: dict[str, str]) -> httpx.AsyncClient:
    """Return a client of a server that listens."""
    return httpx.AsyncClient(base_url=url, headers={**ACCEPT, **token}, timeout=30)


def request(method: str, number: int = 1, **params: Any) -> dict[str, Any]:
    """Return a message of the older era."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def modern(method: str, **params: Any) -> dict[str, Any]:
    """Return a message of the newer era."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    return request(method, **params, _meta=meta)


def modern_headers(method: str, name: str | None = None) -> dict[str, str]:
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method, "Accept": "application/json"}
    return {**headers, "Mcp-Name": name} if name else headers


async def call_modern(
    client: httpx.AsyncClient, token: dict[str, str], tool: str, arguments: dict[str, Any], path: str = "/mcp"
) -> httpx.Response:
    """Call a tool in the newer era."""
    message = modern("tools/call", name=tool, arguments=arguments)
    return await client.post(path, json=message, headers={**token, **modern_headers("tools/call", tool)})


async def list_modern(client: httpx.AsyncClient, token: dict[str, str], path: str = "/mcp") -> set[str]:
    """Return the names of the tools that are listed."""
    answer = await client.post(path, json=modern("tools/list"), headers={**token, **modern_headers("tools/list")})
    return {tool["name"] for tool in answer.json()["result"]["tools"]}


async def open_session(client: httpx.AsyncClient, token: dict[str, str], path: str = "/mcp") -> dict[str, str]:
    """Open a session of the older era, and return its header."""
    answer = await client.post(path, json=GREETING, headers=token)
    assert answer.status_code == 200, answer.text
    session = {"Mcp-Session-Id": answer.headers["mcp-session-id"]}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    await client.post(path, json=ready, headers={**token, **session})
    return session
