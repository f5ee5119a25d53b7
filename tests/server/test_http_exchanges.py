"""A call in a session is answered as the SDK answers it, however its client goes on."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.results import CallResult
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.server import http_exchanges
from mailgun_mcp.server.direct_calls import BegunCall
from mailgun_mcp.server.http_exchanges import SessionExchange
from mailgun_mcp.server.plain_messages import Client
from mailgun_mcp.settings import Settings
from tests.support.http_sessions import PATIENCE, HttpClient, http_session, messages_in
from tests.support.stdio_clients import CALLS, CHANGES, LEGACY, MODERN, call
from tests.support.stdio_sessions import ENVELOPE, frame
from tests.support.upstream import Connection, Upstream, hangs, says

pytestmark = pytest.mark.anyio

BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}
NEW = {"domain": "mail.example.com", "name": "welcome", "template": "Hello"}
CANCELLED = {"code": -32800, "message": "Request cancelled"}
WAYS = pytest.mark.parametrize("direct", [True, False], ids=["direct", "SDK"])
"""Each behaviour is the SDK's, so a test of it passes either way."""

METAS: list[dict[str, Any]] = [
    {},
    {"progressToken": 3},
    {"progressToken": "größe"},
    {"progressToken": [1]},
    {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    ENVELOPE,
]
IDENTIFIERS: list[Any] = [0, 7, 2**40, "seven", "7", "", "größe 📬", 1.5, -1, None, True, [1], {}]
BODIES = [
    *(json.dumps({"jsonrpc": "2.0", "id": 7, "method": method}).encode() for method in ("ping", "tools/call", "none")),
    frame("tools/list", {"cursor": "none"}, 7),
    frame("resources/read", {"uri": "mailgun-mcp://nothing"}, 7),
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":[7]}',
    b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"list_domains"}}',
    b'{"jsonrpc":"2.0","id":7,"result":{}}',
    b'{"jsonrpc":"1.0","id":7,"method":"tools/call","params":{"name":"list_domains"}}',
    b'{"jsonrpc":"2.0","id":7,"id":8,"method":"tools/call","params":{"name":"list_domains"}}',
    b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"list_\\u0064omains"}}',
    b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"list_domains","arguments":{"limit":5.0}}}',
    b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"list_domains","arguments":{"limit":NaN}}}',
    b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":[]}',
    b'{"jsonrpc":"2.0","id":7,"method":"tools/call","more":1,"params":{"name":"list_domains"}}',
    b'[{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"list_domains"}}]',
    b'{"jsonrpc":"2.0",',
    b"\xff",
    b"",
]
HEADERS: list[dict[str, str]] = [
    {},
    {},
    *({"MCP-Protocol-Version": version} for version in ("2024-11-05", "2025-06-18", MODERN, "2025-11-26", "")),
    {"Mcp-Session-Id": "0" * 32},
    {"Mcp-Session-Id": ""},
    {"Mcp-Session-Id": "größe"},
    *({"Accept": accept} for accept in ("application/json", "text/event-stream", "*/*", "text/html")),
    *({"Content-Type": kind} for kind in ("application/json; charset=utf-8", "APPLICATION/JSON", "text/plain")),
    {"Mcp-Method": "tools/list", "Mcp-Name": "get_domain", "Mcp-Param-Limit": "5", "Last-Event-ID": "1"},
    {"Host": "evil.example"},
    {"Authorization": "Bearer mgmcp_nothing"},
]


def calls() -> st.SearchStrategy[bytes]:
    def made(params: dict[str, Any], meta: dict[str, Any], identifier: Any) -> bytes:
        return frame("tools/call", {**params, **({"_meta": meta} if meta else {})}, identifier)

    return st.builds(made, st.sampled_from([*CALLS.values()]), st.sampled_from(METAS), st.sampled_from(IDENTIFIERS))


def of(state: Path, **options: Any) -> Services:
    return create_services(Settings(state=str(state), transport="http", **options))


async def answer_of(client: HttpClient, body: bytes, headers: dict[str, str]) -> Any:
    session = client.headers["Mcp-Session-Id"].encode()
    status, names, content = await client.post(body, **headers).ended()
    kept = [(name, value.replace(session, b"*")) for name, value in names if name != b"content-length"]
    return status, kept, CHANGES.sub(b"*", content.replace(session, b"*"))


def test_every_message_has_the_answer_of_the_sdk(tmp_path: Path) -> None:
    statuses: set[int] = set()
    with start_blocking_portal() as portal:
        clients = [
            portal.wrap_async_context_manager(http_session(of(tmp_path, simulator=True), direct=direct))
            for direct in (True, False)
        ]
        with clients[0] as direct, clients[1] as sdk:

            def compare(body: bytes, headers: dict[str, str]) -> None:
                answer = portal.call(answer_of, direct, body, headers)
                assert answer == portal.call(answer_of, sdk, body, headers)
                statuses.add(answer[0])

            for body in BODIES:
                compare(body, {})
            for headers in HEADERS:
                compare(call(LEGACY, "list_domains", {}, 7), headers)
            messages = st.one_of(calls(), calls(), st.sampled_from(BODIES))
            settings(max_examples=120)(given(messages, st.sampled_from(HEADERS))(compare))()
    assert statuses >= {200, 202, 400, 401, 404}


@pytest.mark.parametrize("identifier", IDENTIFIERS[:7])
async def test_a_plain_call_does_not_reach_the_sdk(
    identifier: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("the SDK was asked")

    async with http_session(of(tmp_path, simulator=True), direct=True) as client:
        monkeypatch.setattr("mcp.server.streamable_http.StreamableHTTPServerTransport._handle_post_request", fail)
        answer = await client.post(call(LEGACY, "list_domains", {"limit": 5}, identifier)).answer()
    assert (answer["id"], answer["result"]["isError"]) == (identifier, False)


@WAYS
@pytest.mark.parametrize("cancelled", [7, "7"])
async def test_a_client_cancels_its_call(cancelled: Any, direct: bool, upstream: Upstream, tmp_path: Path) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    upstream.then(hangs(begun, ended), says({"address": "ann@example.com"}))
    async with http_session(of(tmp_path, api_key="key-0123", url=upstream.url), direct=direct) as client:
        called = client.post(call(LEGACY, "get_bounce", BOUNCE, 7))
        await begun.wait()
        # The accent is written as an escape, which is no plain message.
        assert await client.tell("notifications/cancelled", requestId=8, reason="not this one") == 202
        assert await client.tell("notifications/cancelled", requestId=cancelled, reason="trop long, désolé") == 202
        assert await called.answer() == {"jsonrpc": "2.0", "id": 7, "error": CANCELLED}
        with anyio.fail_after(PATIENCE):
            await ended.wait()
        again = await client.post(call(LEGACY, "get_bounce", BOUNCE, 7)).answer()
        assert again["result"]["isError"] is False


@WAYS
async def test_another_session_does_not_cancel_a_call(direct: bool, upstream: Upstream, tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(connection: Connection) -> None:
        begun.set()
        await go_on.wait()
        await says({"address": "ann@example.com"})(connection)

    upstream.then(wait)
    async with http_session(of(tmp_path, api_key="key-0123", url=upstream.url), direct=direct) as client:
        called = client.post(call(LEGACY, "get_bounce", BOUNCE, 7))
        await begun.wait()
        other = HttpClient(client.app, client.headers["Authorization"].removeprefix("Bearer "))
        await other.open()
        assert await other.tell("notifications/cancelled", requestId=7) == 202
        unknown = HttpClient(client.app, "")
        unknown.headers |= {**client.headers, "Authorization": "Bearer mgmcp_nothing"}
        assert await unknown.tell("notifications/cancelled", requestId=7) == 401
        go_on.set()
        assert (await called.answer())["result"]["isError"] is False


@WAYS
@pytest.mark.parametrize("moment", [0, 60])
async def test_the_end_of_a_session_ends_its_calls(
    moment: float, direct: bool, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_exchanges, "MOMENT", moment)
    begun, ended = asyncio.Event(), asyncio.Event()
    upstream.then(hangs(begun, ended))
    async with http_session(of(tmp_path, api_key="key-0123", url=upstream.url), direct=direct) as client:
        called = client.post(call(LEGACY, "get_bounce", BOUNCE, 7))
        await begun.wait()
        assert await client.delete() == 200
        status, headers, content = await called.ended()
        assert (status, dict(headers)[b"content-type"], content) == (200, b"text/event-stream", b"")
        with anyio.fail_after(PATIENCE):
            await ended.wait()
        assert (await client.post(call(LEGACY, "get_bounce", BOUNCE, 8)).ended())[0] == 404


@WAYS
async def test_the_call_of_a_client_that_has_left_goes_on_and_can_be_cancelled(
    direct: bool, upstream: Upstream, tmp_path: Path
) -> None:
    begun, ended, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    go_on = asyncio.Event()

    async def wait(connection: Connection) -> None:
        begun.set()
        await go_on.wait()
        await says({"message": "Bounced addresses for this domain have been removed"})(connection)
        done.set()

    services = of(tmp_path, api_key="key-0123", url=upstream.url, policy="unguarded")
    async with http_session(services, direct=direct) as client:
        upstream.then(wait)
        called = client.post(call(LEGACY, "create_template", {"domain": "mg.example.com", "name": "welcome"}, 7))
        await begun.wait()
        called.leave()
        assert messages_in((await called.ended())[2]) == []
        go_on.set()
        with anyio.fail_after(PATIENCE):
            await done.wait()
            while services.running:
                await anyio.lowlevel.checkpoint()
        begun.clear()
        upstream.then(hangs(begun, ended))
        called = client.post(call(LEGACY, "get_bounce", BOUNCE, 8))
        await begun.wait()
        called.leave()
        await called.ended()
        assert not ended.is_set()
        assert await client.tell("notifications/cancelled", requestId=8) == 202
        with anyio.fail_after(PATIENCE):
            await ended.wait()
    outcomes = [entry.fields["result"]["outcome"] for entry in services.audit_log.entries() if entry.kind == "outcome"]
    assert outcomes[0] == "done"


@WAYS
async def test_a_person_is_asked_on_the_stream_of_the_call(direct: bool, upstream: Upstream, tmp_path: Path) -> None:
    for _ in range(4):
        upstream.then(says({"address": "ann@example.com"}))
    services = of(tmp_path, api_key="key-0123", url=upstream.url)
    async with http_session(services, direct=direct, abilities={"elicitation": {}}) as client:
        called = client.post(call(LEGACY, "delete_bounce", BOUNCE, 1))
        [question, *_] = await called.messages(1)
        assert question["method"] == "elicitation/create"
        answered = {"action": "accept", "content": {"confirm": True}}
        reply = {"jsonrpc": "2.0", "id": question["id"], "result": answered}
        assert (await client.post(json.dumps(reply).encode()).ended())[0] == 202
        assert (await called.answer())["result"]["isError"] is False
    assert [request.method for request in upstream.received].count("DELETE") == 1
    made = [entry for entry in services.audit_log.entries() if entry.fields.get("tool") == "delete_bounce"]
    assert len({entry.call for entry in made}) == 1


@WAYS
async def test_progress_comes_on_the_stream_of_the_call(direct: bool, tmp_path: Path) -> None:
    async with http_session(of(tmp_path, simulator=True), direct=direct) as client:
        body = call(LEGACY, "check_domain_health", {"domain": "mg.example.com"}, 7, _meta={"progressToken": "p"})
        status, _, content = await client.post(body).ended()
    *reports, answer = messages_in(content)
    assert (status, answer["id"], len(reports) > 0) == (200, 7, True)
    assert [report["params"]["progress"] for report in reports] == [*range(1, len(reports) + 1)]
    assert {(report["method"], report["params"]["progressToken"]) for report in reports} == {
        ("notifications/progress", "p")
    }


@WAYS
async def test_a_subscriber_is_told_on_the_stream_of_the_session(direct: bool, tmp_path: Path) -> None:
    uri = "mailgun-mcp://domains/mail.example.com/templates"
    async with http_session(of(tmp_path, simulator=True, policy="unguarded"), direct=direct) as client:
        stream = client.get()
        await client.post(frame("resources/subscribe", {"uri": uri}, 1)).ended()
        made = client.post(call(LEGACY, "create_template", NEW, 2))
        assert [message.get("id") for message in messages_in((await made.ended())[2])] == [2]
        [notice] = await stream.messages(1)
        stream.leave()
        await stream.ended()
    assert (notice["method"], notice["params"]["uri"]) == ("notifications/resources/updated", uri)


async def test_calls_at_once_have_their_own_answers(upstream: Upstream, tmp_path: Path) -> None:
    upstream.answers.extend([upstream.echoes] * 24)
    async with http_session(of(tmp_path, api_key="key-0123", url=upstream.url), direct=True) as client:
        called = {
            number: client.post(call(LEGACY, "get_bounce", {**BOUNCE, "address": f"a{number}@example.com"}, number))
            for number in range(24)
        }
        for number, exchange in called.items():
            answer = await exchange.answer()
            assert (answer["id"], answer["result"]["structuredContent"]["address"]) == (
                number,
                f"a{number}@example.com",
            )


async def test_a_second_call_with_the_id_of_a_running_one_is_answered_too(upstream: Upstream, tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(connection: Connection) -> None:
        begun.set()
        await go_on.wait()
        await says({"address": "first@example.com"})(connection)

    upstream.then(wait, says({"address": "second@example.com"}))
    async with http_session(of(tmp_path, api_key="key-0123", url=upstream.url), direct=True) as client:
        first = client.post(call(LEGACY, "get_bounce", BOUNCE, 7))
        await begun.wait()
        second = await client.post(call(LEGACY, "get_bounce", BOUNCE, "7")).answer()
        go_on.set()
        assert (second["id"], second["result"]["structuredContent"]["address"]) == ("7", "second@example.com")
        assert (await first.answer())["result"]["structuredContent"]["address"] == "first@example.com"


async def test_a_long_call_goes_on_in_the_sdk(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_exchanges, "MOMENT", 0)
    upstream.then(says({"address": "ann@example.com"}))
    async with http_session(of(tmp_path, api_key="key-0123", url=upstream.url), direct=True) as client:
        answer = await client.post(call(LEGACY, "get_bounce", BOUNCE, 1)).answer()
    assert answer["result"]["structuredContent"] == {"listed": True, "address": "ann@example.com"}
    assert len(upstream.received) == 1


@pytest.fixture
def before_passing_on(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], Awaitable[int]]]:
    """What happens just before the SDK is given a call to go on with. The call is given at once."""
    actions: list[Callable[[], Awaitable[int]]] = []
    pass_on = SessionExchange._pass_on

    async def act_first(self: SessionExchange, *arguments: Any) -> None:
        for action in actions:
            await action()
        await pass_on(self, *arguments)

    monkeypatch.setattr(http_exchanges, "MOMENT", 0)
    monkeypatch.setattr(SessionExchange, "_pass_on", act_first)
    return actions


async def test_a_call_is_cancelled_just_before_it_goes_on_in_the_sdk(
    before_passing_on: list[Callable[[], Awaitable[int]]], upstream: Upstream, tmp_path: Path
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    upstream.then(hangs(begun, ended))
    async with http_session(of(tmp_path, api_key="key-0123", url=upstream.url), direct=True) as client:

        async def cancel() -> int:
            await begun.wait()
            return await client.tell("notifications/cancelled", requestId=7)

        before_passing_on.append(cancel)
        called = client.post(call(LEGACY, "get_bounce", BOUNCE, 7))
        assert await called.answer() == {"jsonrpc": "2.0", "id": 7, "error": CANCELLED}
        with anyio.fail_after(PATIENCE):
            await ended.wait()


async def test_a_session_ends_just_before_its_call_goes_on_in_the_sdk(
    before_passing_on: list[Callable[[], Awaitable[int]]], upstream: Upstream, tmp_path: Path
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    upstream.then(hangs(begun, ended))
    async with http_session(of(tmp_path, api_key="key-0123", url=upstream.url), direct=True) as client:

        async def end() -> int:
            await begun.wait()
            return await client.delete()

        before_passing_on.append(end)
        assert (await client.post(call(LEGACY, "get_bounce", BOUNCE, 7)).ended())[0] == 404
        with anyio.fail_after(PATIENCE):
            await ended.wait()


async def test_a_cancelled_call_asks_nobody() -> None:
    passed_on: list[BegunCall] = []
    asked = asyncio.Event()

    async def make(caller: Caller) -> CallResult:
        try:
            await asyncio.Event().wait()
        finally:
            with pytest.raises(asyncio.CancelledError):
                await caller.notify("still there")
            asked.set()
        raise AssertionError

    call = BegunCall(b"", 7, Client("tests", progress="p"), passed_on.append)
    call.start(local_user(), call.notify, make, lambda: None)
    await asyncio.sleep(0)
    call.cancel()
    with anyio.fail_after(PATIENCE):
        await asked.wait()
    assert passed_on == []
