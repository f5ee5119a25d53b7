"""The attacker runs a program on the same machine, as another user, and reaches the port of an HTTP server.

They want to call tools, to be asked for the person's yes and give it themselves, or to read what others get.
"""

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.store.database import Store
from tests.support.people import Desk
from tests.support.processes import INITIALIZE, HttpServer, command, environment, http_server, pointed_at
from tests.support.upstream import Upstream, serve_upstream

pytestmark = pytest.mark.anyio

MODERN = "2026-07-28"
BOUNCES = {"domain": "mg.example.com"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
async def upstream() -> AsyncIterator[Upstream]:
    async with serve_upstream() as stub:
        yield stub


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
async def server(upstream: Upstream, home: Path) -> AsyncIterator[HttpServer]:
    async with http_server(
        ["--transport", "http"], environment(home, pointed_at(upstream.url)), start=command
    ) as process:
        yield process


@pytest.fixture
async def stranger(server: HttpServer, upstream: Upstream) -> AsyncIterator[httpx.AsyncClient]:
    """A client that reaches the port, and cannot read the token."""
    upstream.forget()
    async with httpx.AsyncClient(base_url=server.address, headers=ACCEPT, timeout=30) as client:
        yield client


def frame(method: str, **params: Any) -> dict[str, Any]:
    """Return a message of the newer era, whose client says that it can ask a person."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "stranger", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}


GREETING = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
ROUTES = [
    ("POST", "/mcp"),
    ("GET", "/mcp"),
    ("DELETE", "/mcp"),
    ("POST", "/mcp/"),
    ("GET", "/sse"),
    ("GET", "/sse/"),
    ("POST", f"/messages/?session_id={'0' * 32}"),
    ("POST", f"/messages?session_id={'0' * 32}"),
    ("GET", "/"),
    ("GET", "/healthz/x"),
    ("GET", "/healthz/../mcp"),
    ("GET", "//healthz"),
    ("GET", "/.well-known/oauth-protected-resource"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_route_but_health_wants_the_token(method: str, path: str, stranger: httpx.AsyncClient) -> None:
    answer = await stranger.request(method, path, json=GREETING if method == "POST" else None)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="mailgun-mcp"')


@pytest.mark.parametrize("path", ["/healthz", "/healthz/"])
async def test_health_tells_only_that_the_server_is_up(path: str, stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get(path)
    assert (answer.status_code, set(answer.json())) == (200, {"status", "version"})


async def test_what_is_almost_the_token_is_not(server: HttpServer, stranger: httpx.AsyncClient) -> None:
    token = server.token
    right = [("Authorization", f"Bearer {token}")]
    assert (await stranger.post("/mcp", json=GREETING, headers=right)).status_code == 200
    wrong = [
        [("Authorization", f"Bearer {token[:-1]}")],
        [("Authorization", f"Bearer {token}x")],
        [("Authorization", f"Bearer {token.swapcase()}")],
        [("Authorization", f"Basic {token}")],
        [("Authorization", token)],
        [("Authorization", "Bearer")],
        [("X-Authorization", f"Bearer {token}")],
        [("Cookie", f"token={token}")],
        [*right, ("Authorization", "Bearer x")],
    ]
    for headers in wrong:
        assert (await stranger.post("/mcp", json=GREETING, headers=headers)).status_code == 401
    # A token in a URL would be in histories and logs.
    assert (await stranger.post(f"/mcp?token={token}&access_token={token}", json=GREETING)).status_code == 401


async def test_a_stranger_who_brings_the_person_along_deletes_nothing(
    stranger: httpx.AsyncClient, upstream: Upstream
) -> None:
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "clear_bounces"}
    call = frame("tools/call", name="clear_bounces", arguments=BOUNCES)
    answer = await stranger.post("/mcp", json=call, headers=headers)
    assert answer.status_code == 401
    assert "inputRequests" not in answer.text
    assert upstream.received == []


async def test_a_session_of_a_caller_is_no_use_without_the_token(
    server: HttpServer, stranger: httpx.AsyncClient
) -> None:
    greeting = await stranger.post("/mcp", json=GREETING, headers=server.headers)
    session = {"Mcp-Session-Id": greeting.headers["mcp-session-id"]}
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    assert (await stranger.post("/mcp", json=listing, headers={**session, **server.headers})).status_code == 200
    for method in ("POST", "GET", "DELETE"):
        answer = await stranger.request(method, "/mcp", json=listing if method == "POST" else None, headers=session)
        assert answer.status_code == 401


def command_line(pid: int) -> str:
    """Return what every user of the machine can read of the process, where the system has it."""
    path = Path(f"/proc/{pid}/cmdline")
    return path.read_text(encoding="utf-8") if path.exists() else ""


async def test_the_token_is_for_its_owner_alone_and_nowhere_else(server: HttpServer, home: Path) -> None:
    file = home / "state" / "http-token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    said = "".join(server.said)
    assert (server.token in said, str(file) in said) == (False, True)
    assert server.token not in command_line(server.process.pid)


async def test_a_preflight_tells_nothing_and_a_page_still_needs_the_token(stranger: httpx.AsyncClient) -> None:
    origin = {"Origin": "http://localhost:3000"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = await stranger.options("/mcp", headers={**origin, **asked})
    assert (preflight.status_code, preflight.headers["access-control-allow-headers"]) == (204, "authorization")
    refused = await stranger.post("/mcp", json=GREETING, headers=origin)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, origin["Origin"])


@pytest.mark.slow
@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_without_a_token_nobody_is_asked_in_the_client(era: Any, upstream: Upstream, tmp_path: Path) -> None:
    upstream.forget()
    env, desk = environment(tmp_path, pointed_at(upstream.url)), Desk()
    async with (
        http_server(["--transport", "http", "--without-token"], env) as server,
        streamable_http_client(f"{server.address}/mcp") as streams,
    ):
        assert not (tmp_path / "state" / "http-token").exists()
        assert "WITHOUT A TOKEN" in "".join(server.said)

        class Given:
            async def __aenter__(self) -> Any:
                return streams

            async def __aexit__(self, *_: object) -> None:
                """Whoever opened the streams closes them."""

        async with Client(Given(), mode=era, elicitation_callback=desk) as client:
            result = await client.call_tool("clear_bounces", BOUNCES)
    assert (result.is_error, desk.asked) == (True, [])
    assert result.meta is not None
    assert [line for line in upstream.lines if not line.startswith("GET ")] == []
    store = Store(tmp_path / "state")
    approval = Approvals(store).list(0)[0]
    assert (approval.id, approval.principal) == (result.meta["mailgun-mcp/approval"]["id"], "anonymous")
    assert "called by anonymous" in json.dumps(approval.text)
    store.close()
