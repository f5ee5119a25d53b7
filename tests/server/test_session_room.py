"""Sessions that nobody uses make room for new ones, those of whoever has the most first."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from mailgun_mcp import asgi
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server import session_room
from mailgun_mcp.server.session_room import ENDED_BY_SDK, SessionRoom
from mailgun_mcp.settings import Settings
from mailgun_mcp.web.principal import with_principal
from tests.support.recorder import Recorder, recorded_services
from tests.support.team import client_of, open_session, request, token_of

pytestmark = pytest.mark.anyio

MOST = 4
Token = dict[str, str]


@pytest.fixture
def tokens() -> dict[str, Token]:
    return {}


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch, tokens: dict[str, Token]) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(asgi, "MOST_OPEN", MOST)
    services = recorded_services(Recorder())
    tokens |= {name: token_of(services, name, "read") for name in ("ann", "bot")}
    app = asgi.create(Settings(), services=services)
    async with app.lifespan(), client_of(app) as client:
        yield client


async def is_open(client: httpx.AsyncClient, session: Token) -> bool:
    answer = await client.post("/mcp", json=request("ping"), headers=session)
    assert answer.status_code in (200, 404), answer.text
    return answer.status_code == 200


async def test_who_opens_the_most_sessions_loses_its_oldest(
    client: httpx.AsyncClient, tokens: dict[str, Token]
) -> None:
    async def opened(name: str) -> Token:
        return {**tokens[name], **await open_session(client, tokens[name])}

    first = await opened("ann")
    many = [await opened("bot") for _ in range(MOST + 2)]
    assert await is_open(client, first)
    assert [await is_open(client, one) for one in many] == [False] * 3 + [True] * 3
    assert await is_open(client, await opened("ann"))
    assert await is_open(client, first)


async def test_a_session_that_is_used_outlives_an_older_one(
    client: httpx.AsyncClient, tokens: dict[str, Token]
) -> None:
    sessions = [{**tokens["bot"], **await open_session(client, tokens["bot"])} for _ in range(MOST)]
    assert await is_open(client, sessions[0])
    await open_session(client, tokens["bot"])
    assert [await is_open(client, one) for one in sessions] == [True, False, True, True]


async def test_ended_sessions_take_no_room(client: httpx.AsyncClient, tokens: dict[str, Token]) -> None:
    sessions = [{**tokens["bot"], **await open_session(client, tokens["bot"])} for _ in range(MOST)]
    assert (await client.delete("/mcp", headers=sessions[3])).status_code == 200
    await open_session(client, tokens["bot"])
    assert [await is_open(client, one) for one in sessions] == [True, True, True, False]


class Sdk:
    """Opens a session for each request without one, and notes which are ended."""

    def __init__(self) -> None:
        self.ended: list[bytes] = []
        self.opened = 0
        self.stream = anyio.Event()

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        if scope["method"] == "DELETE":
            self.ended.append(headers[b"mcp-session-id"])
        elif scope["method"] == "GET":
            await self.stream.wait()
        else:
            self.opened += 1
            named = [(b"mcp-session-id", b"%d" % self.opened)]
            await send({"type": "http.response.start", "status": 200, "headers": named})


async def nothing(_: Any = None) -> Any:
    """Neither send nor receive."""


async def ask(room: SessionRoom, method: str, *headers: tuple[bytes, bytes], send: Any = nothing) -> None:
    scope = {"type": "http", "method": method, "headers": list(headers)}
    await room(with_principal(scope, Principal("ann")), nothing, send)


async def test_a_session_with_an_open_stream_is_not_ended() -> None:
    sdk = Sdk()
    room = SessionRoom(sdk, 1)

    await ask(room, "POST")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, room, "GET", (b"mcp-session-id", b"1"))
        await anyio.wait_all_tasks_blocked()
        await ask(room, "POST")
        assert sdk.ended == []
        await ask(room, "POST")
        assert sdk.ended == [b"2"]
        sdk.stream.set()
    await ask(room, "POST")
    assert sdk.ended == [b"2", b"3", b"1"]


async def test_a_stream_that_opens_before_the_first_answer_has_ended_counts() -> None:
    sdk = Sdk()
    room = SessionRoom(sdk, 1)
    async with anyio.create_task_group() as tasks:

        async def open_stream(_: Any) -> None:
            tasks.start_soon(ask, room, "GET", (b"mcp-session-id", b"1"))
            await anyio.wait_all_tasks_blocked()

        await ask(room, "POST", send=open_stream)
        await ask(room, "POST")
        assert sdk.ended == []
        sdk.stream.set()


async def test_a_session_whose_first_answer_breaks_off_takes_no_room() -> None:
    async def break_off(_: Any) -> None:
        raise ConnectionError

    sdk = Sdk()
    room = SessionRoom(sdk, 1)
    with pytest.raises(ConnectionError):
        await ask(room, "POST", send=break_off)
    await ask(room, "POST")
    assert sdk.ended == []


async def test_a_session_that_the_sdk_has_ended_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    sdk, now = Sdk(), 0.0
    monkeypatch.setattr(session_room, "monotonic", lambda: now)
    room = SessionRoom(sdk, 1)
    await ask(room, "POST")
    now = ENDED_BY_SDK + 1
    await ask(room, "POST")
    assert sdk.ended == []
