"""A plain call over HTTP has the answer of the SDK, which goes on with what only it can answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest

from mailgun_mcp import asgi
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.start_token import start_token
from mailgun_mcp.server import http_exchanges
from mailgun_mcp.settings import Settings
from tests.support.stdio_clients import CALLS, CHANGES, LEGACY, MODERN, call
from tests.support.stdio_sessions import ENVELOPE, META, frame
from tests.support.upstream import Upstream, hangs, says

pytestmark = pytest.mark.anyio

BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
    "MCP-Protocol-Version": MODERN,
    "Mcp-Method": "tools/call",
}
OTHER_HEADERS: dict[str, dict[str, str]] = {
    "plain": {},
    "only JSON": {"Accept": "application/json"},
    "another name": {"Mcp-Name": "get_domain"},
    "another method": {"Mcp-Method": "tools/list"},
    "another version": {"MCP-Protocol-Version": LEGACY},
    "another type": {"Content-Type": "text/plain"},
    "a charset": {"Content-Type": "application/json; charset=utf-8"},
    "a parameter": {"Mcp-Param-Limit": "5"},
    "another host": {"Host": "evil.example"},
    "no token": {"Authorization": "Bearer mgmcp_nothing"},
}


def of(state: Path, **settings: Any) -> Services:
    return create_services(Settings(state=str(state), transport="http", **settings))


@asynccontextmanager
async def served(services: Services, monkeypatch: pytest.MonkeyPatch, *, direct: bool = True) -> AsyncIterator[Any]:
    with monkeypatch.context() as patch:
        patch.setattr(asgi, "may_answer", lambda: direct)
        app = asgi.create(Settings(transport="http"), services=services, loopback=True)
    transport = httpx.ASGITransport(app=app)
    token = {"Authorization": f"Bearer {start_token(services.state)}"}
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers={**HEADERS, **token}) as client,
    ):
        client.app = app  # type: ignore[attr-defined]
        yield client


def named(body: bytes) -> dict[str, str]:
    name = json.loads(body).get("params", {}).get("name")
    return {"Mcp-Name": name} if isinstance(name, str) else {}


REQUESTS: list[tuple[bytes, dict[str, str]]] = [
    *(
        (frame("tools/call", {**params, "_meta": {**ENVELOPE, **meta}}, 7), {})
        for params, meta in product(CALLS.values(), [{}, {"progressToken": 3}, {f"{META}logLevel": "debug"}])
    ),
    *((call(MODERN, "list_domains", {"limit": 5}, 7), headers) for headers in OTHER_HEADERS.values()),
    (call(MODERN, "list_domains", {}, "seven"), {}),
    (call(LEGACY, "list_domains", {}, 7), {}),
    (frame("tools/list", {"_meta": ENVELOPE}, 7), {}),
    (b'{"jsonrpc":"2.0","method":"tools/call","params":{}}', {}),
    (b'{"jsonrpc":"2.0",', {}),
]


async def answers(services: Services, monkeypatch: pytest.MonkeyPatch, *, direct: bool) -> list[Any]:
    found = []
    async with served(services, monkeypatch, direct=direct) as client:
        for body, headers in REQUESTS:
            name = named(body) if body.endswith(b"}\n") else {}
            answer = await client.post("/mcp", content=body, headers={**name, **headers})
            kind = answer.headers.get("content-type")
            content = answer.content
            if kind == "application/json":
                content = json.dumps(answer.json(), ensure_ascii=False).encode()
            found.append((answer.status_code, kind, CHANGES.sub(b"*", content)))
    return found


async def test_every_request_has_the_answer_of_the_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = await answers(of(tmp_path, simulator=True), monkeypatch, direct=True)
    assert written == await answers(of(tmp_path, simulator=True), monkeypatch, direct=False)
    assert {status for status, _, _ in written} >= {200, 400, 401, 421}


async def test_a_plain_call_does_not_reach_the_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("the SDK was asked")

    async with served(of(tmp_path, simulator=True), monkeypatch) as client:
        monkeypatch.setattr("mcp.server.streamable_http_manager.handle_modern_request", fail)
        body = call(MODERN, "list_domains", {"limit": 5})
        answer = await client.post("/mcp", content=body, headers=named(body))
    assert answer.json()["result"]["isError"] is False


async def test_a_person_is_asked_and_the_call_is_made_once(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meta: dict[str, Any] = {f"{META}clientCapabilities": {"elicitation": {}}}
    for _ in range(4):
        upstream.then(says({"address": "ann@example.com"}))
    async with served(of(tmp_path, api_key="key-0123", url=upstream.url), monkeypatch) as client:
        body = call(MODERN, "delete_bounce", BOUNCE, 1, _meta=meta)
        asked = (await client.post("/mcp", content=body, headers=named(body))).json()["result"]
        assert asked["resultType"] == "input_required"
        answered = {name: {"action": "accept", "content": {"confirm": True}} for name in asked["inputRequests"]}
        state = asked["requestState"]
        body = call(MODERN, "delete_bounce", BOUNCE, 2, _meta=meta, inputResponses=answered, requestState=state)
        made = await client.post("/mcp", content=body, headers=named(body))
    assert made.json()["result"]["isError"] is False
    assert [request.method for request in upstream.received].count("DELETE") == 1


async def test_a_long_call_goes_on_in_the_sdk(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_exchanges, "MOMENT", 0)
    upstream.then(says({"address": "ann@example.com"}))
    async with served(of(tmp_path, api_key="key-0123", url=upstream.url), monkeypatch) as client:
        body = call(MODERN, "get_bounce", BOUNCE, 1)
        answer = await client.post("/mcp", content=body, headers=named(body))
    assert answer.json()["result"]["structuredContent"] == {"listed": True, "address": "ann@example.com"}
    assert len(upstream.received) == 1


@pytest.mark.parametrize("moment", [0, 60])
async def test_a_client_that_goes_away_ends_its_call(
    moment: float, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_exchanges, "MOMENT", moment)
    begun, ended = asyncio.Event(), asyncio.Event()
    upstream.then(hangs(begun, ended))
    body = call(MODERN, "get_bounce", BOUNCE, 1)
    sent: list[Any] = []
    services = of(tmp_path, api_key="key-0123", url=upstream.url)

    async def send(message: Any) -> None:
        sent.append(message)

    messages = iter([{"type": "http.request", "body": body}])

    async def receive() -> Any:
        message = next(messages, None)
        if message is None:
            await begun.wait()
            return {"type": "http.disconnect"}
        return message

    async with served(services, monkeypatch) as client:
        headers = {**client.headers, **named(body), "host": "127.0.0.1"}
        headers.pop("accept-encoding", None)
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "POST", "path": "/mcp", "root_path": "", "query_string": b"", "headers": raw}
        await client.app(scope, receive, send)
        await ended.wait()
    assert [message for message in sent if message.get("status") == 200] == []
