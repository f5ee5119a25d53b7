"""The HTTP server as a process: who may reach it, what it takes, and how it ends."""

import signal
import socket
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import anyio
import httpx
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from mailgun_mcp import __version__
from tests.support.processes import INITIALIZE, HttpServer, command, environment, http_server, pointed_at
from tests.support.upstream import Connection, Upstream, says, serve_upstream

pytestmark = pytest.mark.anyio

GREETING = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
ACCEPT = {"Accept": "application/json, text/event-stream"}
MAIL = {
    "domain": "mg.example.com",
    "from": "Ann <ann@example.com>",
    "to": ["ben@example.com"],
    "subject": "Report",
    "text": "Attached",
}


@pytest.fixture(scope="module")
async def upstream() -> AsyncIterator[Upstream]:
    async with serve_upstream() as stub:
        yield stub


@pytest.fixture(scope="module")
async def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HttpServer]:
    env = environment(tmp_path_factory.mktemp("home"), pointed_at(upstream.url))
    async with http_server(["--transport", "http"], env, start=command) as process:
        yield process


@pytest.fixture(scope="module")
async def http(server: HttpServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.address, headers={**ACCEPT, **server.headers}, timeout=30) as client:
        yield client


async def test_the_address_on_stderr_is_where_the_server_listens(server: HttpServer, http: httpx.AsyncClient) -> None:
    assert "".join(server.said).startswith(f"mailgun-mcp {__version__} listens on {server.address}/mcp\n")
    health = await http.get("/healthz")
    assert (health.status_code, health.json()) == (200, {"status": "ok", "version": __version__})


ORIGINS = {
    "another host": ({"Host": "evil.example"}, 421),
    "another host with our port in its name": ({"Host": "127.0.0.1.evil.example:80"}, 421),
    "another origin": ({"Origin": "https://evil.example"}, 403),
    "an origin that starts like ours": ({"Origin": "http://localhost.evil.example:80"}, 403),
    "an origin of null": ({"Origin": "null"}, 403),
    "https of ours": ({"Origin": "https://localhost:1234"}, 403),
}


@pytest.mark.parametrize(("headers", "status"), ORIGINS.values(), ids=ORIGINS)
async def test_a_page_of_another_site_cannot_call(
    headers: dict[str, str], status: int, http: httpx.AsyncClient
) -> None:
    assert (await http.post("/mcp", json=GREETING, headers=headers)).status_code == status


@pytest.mark.parametrize(("headers", "status"), ORIGINS.values(), ids=ORIGINS)
async def test_a_page_of_another_site_cannot_open_a_stream(
    headers: dict[str, str], status: int, http: httpx.AsyncClient
) -> None:
    assert (await http.get("/sse", headers=headers)).status_code == status


@pytest.mark.parametrize(("headers", "status"), ORIGINS.values(), ids=ORIGINS)
async def test_a_page_of_another_site_cannot_post_a_message(
    headers: dict[str, str], status: int, http: httpx.AsyncClient
) -> None:
    assert (await http.post(f"/messages/?session_id={'0' * 32}", json=GREETING, headers=headers)).status_code == status


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:1"])
async def test_a_page_of_this_machine_can_call(origin: str, http: httpx.AsyncClient) -> None:
    answer = await http.post("/mcp", json=GREETING, headers={"Origin": origin})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/mcp/other", 404),
        ("PUT", "/mcp", 405),
        ("GET", "/messages/", 405),
        ("POST", "/sse", 405),
    ],
)
async def test_other_paths_and_methods_are_refused(
    method: str, path: str, status: int, http: httpx.AsyncClient
) -> None:
    assert (await http.request(method, path)).status_code == status


BODIES: dict[str, tuple[bytes, int, int]] = {
    "no JSON": (b"nonsense", 400, -32700),
    "nothing": (b"", 400, -32700),
    "not UTF-8": (b'{"a": "\xff"}', 400, -32700),
    "nesting without end": (b"[" * 100_000, 400, -32700),
    "a lone surrogate": (rb'{"jsonrpc": "2.0", "id": 1, "method": "\ud83d"}', 400, -32700),
    "a list": (b"[]", 400, -32600),
    "no method": (b'{"jsonrpc": "2.0", "id": 1}', 400, -32600),
}


@pytest.mark.parametrize(("body", "status", "code"), BODIES.values(), ids=BODIES)
async def test_a_broken_body_is_refused_and_the_server_goes_on(
    body: bytes, status: int, code: int, http: httpx.AsyncClient
) -> None:
    answer = await http.post("/mcp", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert (await http.post("/mcp", json=GREETING)).status_code == 200


@pytest.mark.parametrize("route", ["/mcp", "/sse"])
async def test_an_attachment_of_ten_megabytes_passes(route: str, server: HttpServer, upstream: Upstream) -> None:
    upstream.forget()
    upstream.then(says({"id": "<1@mg.example.com>", "message": "Queued. Thank you."}))
    content = bytes(range(256)) * 40 * 1024
    attachment = {"base64": b64encode(content).decode(), "filename": "report.bin"}
    async with Client(server.target(route)) as client:
        result = await client.call_tool("send_message", {**MAIL, "attachments": [attachment]})
    assert result.structured_content == {
        "id": "<1@mg.example.com>",
        "message": "Queued. Thank you.",
        "asked_for": {"recipients": 1},
    }
    (request,) = upstream.received
    assert request.line == "POST /v3/mg.example.com/messages"
    assert content in request.body


async def test_a_body_above_the_limit_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/mcp", content=b" " * (41 * 1024 * 1024), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_a_client_is_told_why_its_call_is_too_large_and_the_way_out(
    era: Literal["legacy", "auto"], server: HttpServer, upstream: Upstream
) -> None:
    upstream.forget()
    async with Client(server.target("/mcp"), mode=era) as client:
        with pytest.raises(MCPError, match=r"more than the limit of 4\.0 MB.*\{base64\}.*--files DIR"):
            await client.call_tool("send_message", {**MAIL, "text": "x" * (5 * 1024 * 1024)})
        assert (await client.list_tools()).tools
    assert upstream.received == []


async def test_sse_alone_serves_no_other_transport(upstream: Upstream, tmp_path: Path) -> None:
    env = environment(tmp_path, pointed_at(upstream.url))
    async with (
        http_server(["--transport", "sse"], env) as server,
        httpx.AsyncClient(base_url=server.address, headers=server.headers) as http,
    ):
        assert server.path == "/sse"
        assert (await http.post("/mcp", json=GREETING)).status_code == 404
        assert (await http.get("/healthz")).status_code == 200


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            command("serve", "--simulator", "--transport", "http", "--port", port),
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"port {port} of 127.0.0.1 cannot be used" in done.stderr


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_signal_ends_the_server_while_clients_hold_streams_open(
    ending: signal.Signals, upstream: Upstream, tmp_path: Path
) -> None:
    env = environment(tmp_path, pointed_at(upstream.url))
    async with (
        http_server(["--transport", "http"], env, start=command) as server,
        httpx.AsyncClient(base_url=server.address, headers=server.headers) as http,
    ):
        greeting = await http.post("/mcp", json=GREETING, headers=ACCEPT)
        session = {"Mcp-Session-Id": greeting.headers["mcp-session-id"], **ACCEPT}
        async with http.stream("GET", "/mcp", headers=session) as first, http.stream("GET", "/sse") as second:
            assert (first.status_code, second.status_code) == (200, 200)
            server.process.send_signal(ending)
            with anyio.fail_after(20):
                await server.process.wait()
    assert "Traceback" not in "".join(server.said)


async def test_a_call_that_runs_when_the_server_is_ended_gets_its_answer(upstream: Upstream, tmp_path: Path) -> None:
    asked, ended = anyio.Event(), anyio.Event()

    async def answer_late(connection: Connection) -> None:
        asked.set()
        await ended.wait()
        await says({"address": "late@example.com"})(connection)

    upstream.then(answer_late)
    call = {"name": "get_bounce", "arguments": {"domain": "mg.example.com", "address": "late@example.com"}}
    async with (
        http_server(["--transport", "http"], environment(tmp_path, pointed_at(upstream.url))) as server,
        httpx.AsyncClient(base_url=server.address, headers={**server.headers, **ACCEPT}) as http,
        anyio.create_task_group() as tasks,
    ):
        greeting = await http.post("/mcp", json=GREETING)
        session = {"Mcp-Session-Id": greeting.headers["mcp-session-id"]}
        answers: list[httpx.Response] = []

        async def make() -> None:
            message = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}
            answers.append(await http.post("/mcp", json=message, headers=session))

        tasks.start_soon(make)
        with anyio.fail_after(20):
            await asked.wait()
            server.process.send_signal(signal.SIGTERM)
            ended.set()
            await server.process.wait()
    assert "late@example.com" in answers[0].text
    assert "Traceback" not in "".join(server.said)


async def test_a_dead_session_is_not_found(http: httpx.AsyncClient) -> None:
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    answer = await http.post("/mcp", json=listing, headers={"Mcp-Session-Id": "0" * 32})
    assert answer.status_code == 404


async def test_two_sessions_do_not_mix_their_answers(server: HttpServer, upstream: Upstream) -> None:
    upstream.forget()
    upstream.then(*[upstream.echoes] * 20)
    answers: dict[str, object] = {}

    async def call(address: str, client: Client) -> None:
        result = await client.call_tool("get_bounce", {"domain": "mg.example.com", "address": address})
        answers[address] = result.structured_content

    async with (
        Client(server.target("/mcp"), mode="legacy") as first,
        Client(server.target("/mcp")) as second,
        anyio.create_task_group() as tasks,
    ):
        for number in range(20):
            tasks.start_soon(call, f"p{number}@example.com", (first, second)[number % 2])
    addresses = [f"p{number}@example.com" for number in range(20)]
    assert answers == {address: {"listed": True, "address": address} for address in addresses}
