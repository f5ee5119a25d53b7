"""A session over HTTP belongs to who opened it, and lasts as long as the SDK says, also for calls made without the SDK."""

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from mcp.server.connection import Connection
from mcp.server.streamable_http import StreamableHTTPServerTransport

from mailgun_mcp import asgi
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.start_token import start_token
from mailgun_mcp.server import direct_http
from mailgun_mcp.server.http_sessions import HttpSession, HttpSessions
from mailgun_mcp.server.plain_messages import NotUnderstoodError
from mailgun_mcp.settings import Settings
from tests.support.http_sessions import PATIENCE, HttpClient, served
from tests.support.processes import INITIALIZE
from tests.support.stdio_clients import LEGACY, call
from tests.support.stdio_sessions import frame
from tests.support.team import token_of
from tests.support.upstream import Connection as UpstreamConnection
from tests.support.upstream import Upstream, says

pytestmark = pytest.mark.anyio

BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}


@pytest.fixture
def services(upstream: Upstream, tmp_path: Path) -> Services:
    return create_services(Settings(state=str(tmp_path), transport="http", api_key="key-0123", url=upstream.url))


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[HttpSessions]:
    """The sessions of each app that is made."""
    made: list[HttpSessions] = []

    def follow(server: Any) -> HttpSessions:
        made.append(HttpSessions(server))
        return made[-1]

    monkeypatch.setattr(direct_http, "HttpSessions", follow)
    return made


@pytest.fixture
async def client(services: Services, followed: list[HttpSessions]) -> AsyncIterator[HttpClient]:
    async with served(services, direct=True) as app:
        yield HttpClient(app, start_token(services.state))


def session_of(client: HttpClient, followed: list[HttpSessions]) -> HttpSession:
    return followed[0]._sessions[client.headers["Mcp-Session-Id"]]


def transport_of(session: HttpSession) -> StreamableHTTPServerTransport:
    return session._transport


async def test_nobody_else_calls_in_a_session(client: HttpClient, services: Services, upstream: Upstream) -> None:
    await client.open()
    token = token_of(services, "other", "read")["Authorization"]
    other = await client.post(call(LEGACY, "get_bounce", BOUNCE), Authorization=token).ended()
    unknown = await client.post(call(LEGACY, "get_bounce", BOUNCE), **{"Mcp-Session-Id": "0" * 32}).ended()
    assert (other[0], other) == (404, unknown)
    assert upstream.received == []


async def test_a_session_is_forgotten_when_it_ends(client: HttpClient, followed: list[HttpSessions]) -> None:
    await client.open()
    assert len(followed[0]._sessions) == 1
    assert await client.delete() == 200
    with anyio.fail_after(PATIENCE):
        while followed[0]._sessions:
            await anyio.lowlevel.checkpoint()
    assert (await client.post(call(LEGACY, "get_bounce", BOUNCE)).ended())[0] == 404


async def test_a_refused_greeting_leaves_no_session(client: HttpClient, followed: list[HttpSessions]) -> None:
    assert (await client.post(frame("initialize", {"protocolVersion": 5}, 1)).ended())[0] == 200
    assert (await client.post(call(LEGACY, "get_bounce", BOUNCE)).ended())[0] == 400
    for session in followed[0]._sessions.values():
        with pytest.raises(NotUnderstoodError):
            _ = session.client


async def test_the_client_is_the_one_that_greeted_last(
    client: HttpClient, followed: list[HttpSessions], services: Services
) -> None:
    await client.open()
    session = session_of(client, followed)
    assert (session.client.name, session.client.shows_forms) == ("tests", False)
    greeting = {**INITIALIZE, "clientInfo": {"name": "another", "version": "2"}, "capabilities": {"elicitation": {}}}
    assert (await client.post(frame("initialize", greeting, 2)).ended())[0] == 200
    assert (session.client.name, session.client.shows_forms) == ("another", True)
    await client.post(call(LEGACY, "get_bounce", BOUNCE)).ended()
    entries = [entry for entry in services.audit_log.entries() if entry.fields.get("tool") == "get_bounce"]
    assert {entry.fields["client"] for entry in entries if "client" in entry.fields} == {"another"}


async def test_a_session_with_a_running_call_is_not_idle(
    client: HttpClient, followed: list[HttpSessions], upstream: Upstream
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(connection: UpstreamConnection) -> None:
        begun.set()
        await go_on.wait()
        await says({"address": "ann@example.com"})(connection)

    upstream.then(wait)
    await client.open()
    scope = transport_of(session_of(client, followed)).idle_scope
    assert scope is not None
    before = scope.deadline
    called = client.post(call(LEGACY, "get_bounce", BOUNCE, 7))
    await begun.wait()
    assert scope.deadline == math.inf
    # Another request that ends meanwhile does not start the clock.
    await client.post(frame("ping", None, 8)).ended()
    assert scope.deadline == math.inf
    go_on.set()
    await called.ended()
    assert before <= scope.deadline < math.inf


async def test_an_idle_session_takes_no_calls(client: HttpClient, followed: list[HttpSessions]) -> None:
    await client.open()
    scope = transport_of(session_of(client, followed)).idle_scope
    assert scope is not None
    scope.cancel()
    assert (await client.post(call(LEGACY, "get_bounce", BOUNCE)).ended())[0] == 404


def test_a_session_without_a_time_limit_is_open_until_it_ends() -> None:
    connection = Connection.from_envelope(LEGACY, None, None)
    transport = StreamableHTTPServerTransport("a")
    session = HttpSession("a", "ann", connection, transport)
    with session.in_use():
        assert session.is_open


async def test_without_a_verified_release_no_session_is_followed(
    services: Services, followed: list[HttpSessions], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_http, "is_verified", lambda: False)
    asgi.create(Settings(transport="http"), services=services, loopback=True)
    assert followed == []
