"""Hosts, origins, paths and media types, as clients and browsers spell them."""

import re
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Message

from mailgun_mcp.errors import SettingsError
from mailgun_mcp.web.http_gate import HttpGate
from tests.support.processes import INITIALIZE, HttpServer, environment, http_server

pytestmark = pytest.mark.anyio

GREETING = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
FLAGS = ["--allowed-hosts", "host.docker.internal", "--allowed-origins", "https://app.example.com"]


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HttpServer]:
    env = environment(tmp_path_factory.mktemp("home"))
    async with http_server(["--transport", "http", "--simulator", *FLAGS], env) as process:
        yield process


@pytest.fixture(scope="module")
async def http(server: HttpServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.address, headers=server.headers, timeout=30) as client:
        yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("localhost", 200), ("LOCALHOST:80", 200), ("[::1]", 200), ("127.0.0.1", 200)),
        *(("Host.Docker.Internal:8000", 200), ("host.docker.internal", 200)),
        *(("evil.example", 421), ("localhost.evil.example", 421), ("localhost:80:80", 421), ("localhost@evil", 421)),
        ("x.host.docker.internal", 421),
        *(("localhost.", 200), ("Localhost.:8000", 200), ("host.docker.internal.", 200), ("localhost:", 200)),
        *(("localhost..", 421), (".", 421), ("evil.example.", 421), ("localhost.evil.", 421), ("[::1].", 421)),
    ],
)
async def test_a_host_is_allowed_by_its_name_whatever_its_port_and_case(
    host: str, status: int, http: httpx.AsyncClient
) -> None:
    assert (await http.post("/mcp", json=GREETING, headers={"Host": host})).status_code == status


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/mcp//"])
async def test_both_spellings_of_a_path_answer_without_a_redirect(path: str, http: httpx.AsyncClient) -> None:
    answer = await http.post(path, json=GREETING)
    assert (answer.status_code, answer.history) == (200, [])


@pytest.mark.parametrize("path", ["/sse", "/sse/"])
async def test_both_spellings_of_the_stream_open_it(path: str, http: httpx.AsyncClient) -> None:
    async with http.stream("GET", path) as answer:
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json", "application/json"),
        ("application/*;q=0.9", "application/json"),
        ("text/event-stream", "text/event-stream"),
        ("*/*", "text/event-stream"),
        ("", "text/event-stream"),
    ],
)
async def test_a_client_is_answered_in_what_it_reads(accept: str, media_type: str, http: httpx.AsyncClient) -> None:
    answer = await http.post("/mcp", json=GREETING, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, media_type)
    body = answer.json() if media_type == "application/json" else answer.text
    assert "mailgun-mcp" in str(body)
    assert answer.headers["mcp-session-id"]


async def test_a_client_that_reads_neither_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.post("/mcp", json=GREETING, headers={"Accept": "text/html, image/*"})).status_code == 406


PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type, mcp-protocol-version",
}


@pytest.mark.parametrize("origin", ["https://app.example.com", "http://localhost:6274", "http://localhost"])
async def test_a_page_of_an_allowed_origin_may_call_and_read(origin: str, http: httpx.AsyncClient) -> None:
    asked = await http.options("/mcp", headers={"Origin": origin, **PREFLIGHT})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, origin)
    assert asked.headers["access-control-allow-headers"] == PREFLIGHT["Access-Control-Request-Headers"]
    assert "POST" in asked.headers["access-control-allow-methods"]
    answer = await http.post("/mcp", json=GREETING, headers={"Origin": origin})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
    assert "Mcp-Session-Id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://app.example.com", "https://app.example.com:444", "null", ""]
)
async def test_a_page_of_another_origin_gets_no_permission(origin: str, http: httpx.AsyncClient) -> None:
    asked = await http.options("/mcp", headers={"Origin": origin, **PREFLIGHT})
    assert (asked.status_code, "access-control-allow-origin" in asked.headers) == (403, False)


async def test_a_body_that_breaks_off_writes_no_traceback(server: HttpServer, http: httpx.AsyncClient) -> None:
    match = re.fullmatch(r"http://(.+):(\d+)", server.address)
    assert match
    for path in ("/mcp", f"/messages/?session_id={'0' * 32}"):
        with socket.create_connection((match[1], int(match[2]))) as client:
            authorization = server.headers["Authorization"]
            head = f"Host: localhost\r\nAuthorization: {authorization}\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{{"
            client.sendall(f"POST {path} HTTP/1.1\r\n{head}".encode())
    assert (await http.post("/mcp", json=GREETING)).status_code == 200
    assert "Traceback" not in "".join(server.said)


@pytest.mark.parametrize(
    ("hosts", "origins"), [(["*"], []), (["http://x"], []), ([], ["*"]), ([], ["app.example.com"])]
)
def test_what_is_not_a_host_or_origin_is_refused(hosts: list[str], origins: list[str]) -> None:
    async def app(*_: object) -> None:
        raise AssertionError

    with pytest.raises(SettingsError, match="must be"):
        HttpGate(app, hosts=hosts, origins=origins)


async def test_a_query_that_is_not_encoded_is_refused_whatever_server_passes_it_on() -> None:
    async def app(*_: object) -> None:
        raise AssertionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    gate = HttpGate(app, hosts=[], origins=[])
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
    await gate({**scope, "query_string": b"a=\xff"}, receive, send)
    assert (sent[0]["status"], sent[1]["body"]) == (400, b"The query of the request must be percent-encoded\n")
    sent.clear()
    lengths = [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")]
    await gate({**scope, "headers": [*scope["headers"], *lengths], "query_string": b""}, receive, send)
    assert sent[0]["status"] == 400
    assert (b"connection", b"close") in sent[0]["headers"]
