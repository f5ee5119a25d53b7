"""The layer that answers for missing scopes reads every message, and passes on what it cannot read."""

import json
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mailgun_mcp.identity.access import EVERYTHING, Access, parse_scopes
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.web.body_replay import replay
from mailgun_mcp.web.challenge import Challenge
from mailgun_mcp.web.principal import with_principal
from mailgun_mcp.web.scopes import LARGE, Scopes

pytestmark = pytest.mark.anyio
READER = Access(parse_scopes(["read"]))


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(await Request(scope, receive).body())(scope, receive, send)


async def missing(access: Access, tool: str, arguments: Any) -> frozenset[str]:
    assert access is READER
    return frozenset({"mailgun:send"}) if tool == "send" else frozenset()


async def answer_to(body: bytes, access: Access = READER) -> httpx.Response:
    layer = Scopes(app, missing, Challenge())

    async def authenticated(scope: Scope, receive: Receive, send: Send) -> None:
        whole = replay(await Request(scope, receive).body(), receive)
        await layer(with_principal(scope, Principal("ann", access=access)), whole, send)

    transport = httpx.ASGITransport(app=authenticated)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post("/other", content=body)


def call(tool: Any, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": more}}


LACKING = {
    "a call": call("send"),
    "a large call": call("send", text="x" * LARGE),
    "one of several": [call("read"), call("send")],
    "one inside of several": [[call("send")]],
}


@pytest.mark.parametrize("message", LACKING.values(), ids=LACKING)
async def test_a_message_that_lacks_a_scope_gets_no_further(message: Any) -> None:
    assert (await answer_to(json.dumps(message).encode())).status_code == 403


PASSED: dict[str, bytes] = {
    "a call within the scopes": json.dumps(call("read")).encode(),
    "another method": b'{"method": "tools/list", "params": {"name": "send"}}',
    "no JSON": b"nonsense",
    "nothing": b"",
    "nesting without end": b"[" * 100_000,
    "a number": b"7",
    "no object": b'{"method": "tools/call", "params": []}',
    "a name that is none": b'{"method": "tools/call", "params": {"name": ["send"]}}',
    "not UTF-8": b'{"a": "\xff"}',
}


@pytest.mark.parametrize("body", PASSED.values(), ids=PASSED)
async def test_everything_else_is_passed_on_as_it_came(body: bytes) -> None:
    answer = await answer_to(body)
    assert (answer.status_code, answer.content) == (200, body)


async def test_who_may_do_everything_is_not_looked_at() -> None:
    assert (await answer_to(json.dumps(call("send")).encode(), EVERYTHING)).status_code == 200
