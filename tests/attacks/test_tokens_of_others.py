"""The attacker has a token of their own, or saw some request of somebody else's, and wants what that somebody may do.

They also try to find out which tokens there are, to have theirs outlive its end, and to find a token in a log.
"""

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.output import logs
from mailgun_mcp.policy.profiles import profile
from tests.support.recorder import Recorder, recorded_services
from tests.support.team import GREETING, call_modern, open_session, request, team_server, token_of

pytestmark = pytest.mark.anyio
BOUNCES = {"domain_name": "mg.example.com"}


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder()


@pytest.fixture
def services(mailgun: Recorder) -> Services:
    return recorded_services(mailgun, policy=profile("guarded"))


@pytest.fixture
def ann(services: Services) -> dict[str, str]:
    return token_of(services, "ann", "read write send destructive credential billing")


@pytest.fixture
def ben(services: Services) -> dict[str, str]:
    return token_of(services, "ben", "read write send destructive credential billing")


@pytest.fixture
async def client(services: Services, ann: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with team_server(services) as client:
        yield client


async def test_a_session_of_somebody_else_does_not_exist(
    client: httpx.AsyncClient, ann: dict[str, str], ben: dict[str, str]
) -> None:
    session = await open_session(client, ann)
    listing = request("tools/list", 2)
    assert (await client.post("/mcp", json=listing, headers={**ann, **session})).status_code == 200
    for method in ("POST", "GET", "DELETE"):
        message = listing if method == "POST" else None
        answer = await client.request(method, "/mcp", json=message, headers={**ben, **session})
        assert answer.status_code == 404
    assert (await client.post("/mcp", json=listing, headers={**ann, **session})).status_code == 200


async def test_an_approval_for_one_lets_no_other_call(
    client: httpx.AsyncClient, services: Services, ann: dict[str, str], ben: dict[str, str], mailgun: Recorder
) -> None:
    pending = (await call_modern(client, ann, "clear_bounces", BOUNCES)).json()["result"]
    name = pending["_meta"]["mailgun-mcp/approval"]["id"]
    approvals = Approvals(services.store)
    assert approvals.list(services.clock())[0].principal == "ann"
    approvals.approve(name, by="carla", typed="mg.example.com", now=services.clock())
    assert (await call_modern(client, ben, "clear_bounces", BOUNCES)).json()["result"]["isError"]
    assert mailgun.changes == []
    assert not (await call_modern(client, ann, "clear_bounces", BOUNCES)).json()["result"]["isError"]
    assert mailgun.changes == ["DELETE /v3/mg.example.com/bounces"]


async def test_a_token_counts_only_in_one_authorization_header(
    client: httpx.AsyncClient, ann: dict[str, str], ben: dict[str, str]
) -> None:
    token = ann["Authorization"].removeprefix("Bearer ")
    assert (await client.post("/mcp", json=GREETING, headers={"authorization": f"bEaReR  {token}"})).status_code == 200
    wrong: list[Any] = [
        [*ann.items(), *ben.items()],
        [*ann.items(), *ann.items()],
        [("Authorization", f"Bearer {token}, Bearer {token}")],
        [("Authorization", f"Bearer {token} x")],
        [("Authorization", f"Bearer {token.upper()}")],
        [("Authorization", f"Bearer {token[:-1]}")],
        [("Authorization", f"Bearer {'a' * 9000}")],
        [("Authorization", f"Basic {token}")],
        [("Authorization", token)],
        [("Authorization", "")],
        [("Authorization", "Bearer é".encode("latin-1"))],
        [("X-Authorization", f"Bearer {token}")],
        [("Cookie", f"access_token={token}")],
    ]
    for headers in wrong:
        assert (await client.post("/mcp", json=GREETING, headers=headers)).status_code == 401
    assert (await client.post(f"/mcp?access_token={token}", json=GREETING)).status_code == 401
    form = {"access_token": token}
    assert (await client.post("/mcp", data=form)).status_code == 401


async def test_a_refusal_tells_nothing_of_other_tokens(client: httpx.AsyncClient, ann: dict[str, str]) -> None:
    known = ann["Authorization"][:-1] + ("A" if ann["Authorization"][-1] != "A" else "B")
    unknown = f"Bearer mgmcp_{'x' * 10}_{'A' * 43}"
    answers = [await client.get("/mcp", headers={"Authorization": value}) for value in (known, unknown)]
    assert answers[0].text == answers[1].text
    assert answers[0].headers["www-authenticate"] == answers[1].headers["www-authenticate"]
    assert "ann" not in answers[0].text


async def test_a_token_ends_at_its_time_also_inside_a_session(client: httpx.AsyncClient, services: Services) -> None:
    short = token_of(services, "short", "read", expires=services.clock() + 60)
    session = await open_session(client, short)
    services.clock.now += 60  # type: ignore[attr-defined] # the clock of the tests
    assert (await client.post("/mcp", json=request("ping", 2), headers={**short, **session})).status_code == 401


async def test_a_websocket_is_not_a_way_around(services: Services, ann: dict[str, str]) -> None:
    from mailgun_mcp import asgi
    from mailgun_mcp.settings import Settings

    app, sent = asgi.create(Settings(), services=services), []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await app({"type": "websocket", "path": "/healthz", "headers": []}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_a_token_is_in_no_log_no_answer_and_not_sent_to_mailgun(
    services: Services, mailgun: Recorder, ann: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("debug")
    logging.getLogger("mcp").setLevel(logging.DEBUG)
    secret = ann["Authorization"][-43:]
    async with team_server(services) as client:
        session = await open_session(client, ann)
        message = request("tools/call", 3, name="get_domain", arguments={"name": "mg.example.com"})
        answers = [
            await client.post("/mcp", json=message, headers={**ann, **session}),
            await call_modern(client, ann, "get_domain", {"name": "mg.example.com"}),
            await client.post("/mcp", json=GREETING, headers=[*ann.items(), *ann.items()]),
            await client.post("/mcp", json=GREETING, headers={"Authorization": f"{ann['Authorization']}x"}),
        ]
    services.recorder.close()
    written = capfd.readouterr()
    state = b"".join(path.read_bytes() for path in services.state.iterdir())
    assert len(mailgun.headers) == 2
    assert secret not in "".join(answer.text + str(answer.headers) for answer in answers)
    assert secret not in written.out + written.err + "".join(mailgun.headers)
    assert secret.encode() not in state
