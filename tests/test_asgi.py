"""The HTTP server as one app: who may call which tools, in both eras, by itself and inside of another app."""

import re
from collections.abc import AsyncIterator
from typing import Any, Literal

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from mailgun_mcp import asgi
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.identity.start_token import start_token
from mailgun_mcp.identity.tokens import Tokens
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.settings import Settings
from tests.support.recorder import Recorder, recorded_services
from tests.support.team import (
    GREETING,
    bearer,
    call_modern,
    client_of,
    list_modern,
    open_session,
    request,
    team_server,
    token_of,
)

pytestmark = pytest.mark.anyio
BOUNCES = {"domain": "mg.example.com"}
STOPPING = {"expression": "catch_all()", "priority": 1, "action": ["stop()"]}


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder()


@pytest.fixture
def services(mailgun: Recorder) -> Services:
    return recorded_services(mailgun, policy=profile("unguarded"))


@pytest.fixture
def reader(services: Services) -> dict[str, str]:
    return token_of(services, "reader", "read")


@pytest.fixture
async def client(services: Services, reader: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with team_server(services) as client:
        yield client


async def test_a_principal_is_listed_what_their_scopes_reach(client: httpx.AsyncClient, services: Services) -> None:
    reader, sender = token_of(services, "a", "read"), token_of(services, "b", "read send")
    first, second = await list_modern(client, reader), await list_modern(client, sender)
    assert ("get_domain" in first, "send_message" in first, "send_message" in second) == (True, False, True)
    assert second - first == {operation.name for operation in services.catalogue if operation.risk == "send"} | {
        "undo_operation"
    }
    # The list of one is not cached for the other.
    assert await list_modern(client, reader) == first


async def test_too_many_sessions_of_the_older_era_are_refused_and_those_that_are_open_go_on(
    services: Services, reader: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailgun_mcp.server.http.MOST_SESSIONS", 2)
    async with team_server(services) as client:
        sessions = [await open_session(client, reader) for _ in range(2)]
        refused = await client.post("/mcp", json=GREETING, headers=reader)
        assert (refused.status_code, "Too many open sessions" in refused.text) == (503, True)
        for session in sessions:
            answer = await client.post("/mcp", json=request("ping"), headers={**reader, **session})
            assert answer.status_code == 200
        # Whoever ends one makes room for another; calls of the newer era need none.
        assert (await client.delete("/mcp", headers={**reader, **sessions[0]})).status_code == 200
        await open_session(client, reader)
        assert (await call_modern(client, reader, "whoami", {})).status_code == 200


async def test_everybody_may_ask_who_they_are(client: httpx.AsyncClient, services: Services) -> None:
    bound = token_of(services, "ci", "approve", accounts=("staging",), domains=("*.example.com",), expires=2e9)
    assert await list_modern(client, bound) == {"whoami"}
    answer = await call_modern(client, bound, "whoami", {})
    assert answer.json()["result"]["structuredContent"] == {
        "principal": "ci",
        "scopes": ["mailgun:approve"],
        "accounts": [],
        "policy": "unguarded",
        "domains": ["*.example.com"],
        "expires": "2033-05-18T03:33:20Z",
    }


async def test_in_a_session_each_request_lists_for_who_sends_it(client: httpx.AsyncClient, services: Services) -> None:
    reader = token_of(services, "ann", "read")
    session = await open_session(client, reader)
    answer = await client.post("/mcp", json=request("tools/list"), headers={**reader, **session})
    assert ("get_domain" in answer.text, '"send_message"' in answer.text) == (True, False)


def challenge_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.headers.get_list("www-authenticate") == [answer.headers["www-authenticate"]]
    return dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["www-authenticate"]))


BEYOND: dict[str, tuple[str, dict[str, Any], str]] = {
    "a destructive tool": ("clear_bounces", BOUNCES, "mailgun:read mailgun:destructive"),
    "a write with arguments that raise it": ("create_route", STOPPING, "mailgun:read mailgun:destructive"),
    "arguments as a client distorts them": (
        "create_route",
        {**STOPPING, "action": '["stop()"]'},
        "mailgun:read mailgun:destructive",
    ),
    "a credential": ("create_api_key", {}, "mailgun:read mailgun:credential"),
    "an undo": ("undo_operation", {"id": "x"}, "mailgun:read mailgun:write"),
}


@pytest.mark.parametrize(("tool", "arguments", "scope"), BEYOND.values(), ids=BEYOND)
async def test_a_call_beyond_the_scopes_is_challenged_before_anything_is_done(
    tool: str,
    arguments: dict[str, Any],
    scope: str,
    client: httpx.AsyncClient,
    reader: dict[str, str],
    services: Services,
    mailgun: Recorder,
) -> None:
    session = await open_session(client, reader)
    message = request("tools/call", name=tool, arguments=arguments)
    answers = [
        await call_modern(client, reader, tool, arguments),
        await client.post("/mcp", json=message, headers={**reader, **session}),
        await client.post(f"/messages/?session_id={'0' * 32}", json=message, headers=reader),
        await client.post("/mcp", json=[request("ping"), message], headers={**reader, **session}),
    ]
    for answer in answers:
        fields = challenge_of(answer)
        assert (answer.status_code, fields["error"], fields["scope"]) == (403, "insufficient_scope", scope)
        assert answer.json()["error"] == "insufficient_scope"
    assert (mailgun.lines, list(services.audit_log.calls())) == ([], [])


async def test_search_mode_is_challenged_for_the_tool_inside(mailgun: Recorder) -> None:
    services = recorded_services(mailgun, policy=profile("unguarded"), search_mode=True)
    reader = token_of(services, "reader", "read")
    async with team_server(services) as client:
        calls: list[tuple[str, dict[str, Any], int]] = [
            ("call_tool", {"name": "clear_bounces", "arguments": BOUNCES}, 403),
            ("read_tool", {"name": "get_domain", "arguments": {"domain": "x.example"}}, 200),
            ("call_tool", {"name": "get_domain", "arguments": {"domain": "x.example"}}, 200),
            ("search_tools", {"queries": ["clear the bounce list"]}, 200),
        ]
        answers = [await call_modern(client, reader, tool, arguments) for tool, arguments, _ in calls]
        assert [answer.status_code for answer in answers] == [status for *_, status in calls]
        assert challenge_of(answers[0])["scope"] == "mailgun:read mailgun:destructive"
        assert ("list_bounces" in answers[-1].text, "clear_bounces" in answers[-1].text) == (True, False)
        assert "call_tool" not in await list_modern(client, reader)


async def test_what_is_within_the_scopes_is_made_for_the_principal(
    client: httpx.AsyncClient, services: Services, mailgun: Recorder
) -> None:
    writer = token_of(services, "writer", "read write destructive")
    answer = await call_modern(client, writer, "clear_bounces", BOUNCES)
    assert (answer.status_code, answer.json()["result"]["isError"]) == (200, False)
    session = await open_session(client, writer)
    message = request("tools/call", name="clear_bounces", arguments=BOUNCES)
    assert (await client.post("/mcp", json=message, headers={**writer, **session})).status_code == 200
    assert mailgun.changes == ["DELETE /v3/mg.example.com/bounces"] * 2
    services.recorder.close()
    assert {call.fields["principal"] for call in services.audit_log.calls()} == {"writer"}


async def test_resources_are_read_with_the_scope_of_reads(client: httpx.AsyncClient, services: Services) -> None:
    approver = token_of(services, "approver", "approve")
    session = await open_session(client, approver)
    reading = request("resources/read", uri="mailgun-mcp://domains")
    answer = await client.post("/mcp", json=reading, headers={**approver, **session})
    assert (answer.status_code, challenge_of(answer)["scope"]) == (403, "mailgun:read mailgun:approve")
    completing = request(
        "completion/complete",
        ref={"type": "ref/resource", "uri": "mailgun-mcp://domains/{domain}/templates"},
        argument={"name": "domain", "value": ""},
    )
    answer = await client.post("/mcp", json=completing, headers={**approver, **session})
    assert '"values":[]' in answer.text.replace(" ", "")


async def test_a_revoked_token_ends_at_once_also_inside_a_session(
    client: httpx.AsyncClient, services: Services, reader: dict[str, str]
) -> None:
    session = await open_session(client, reader)
    listing = request("tools/list")
    assert (await client.post("/mcp", json=listing, headers={**reader, **session})).status_code == 200
    # As another process does it.
    Tokens(recorded_services(Recorder(), state=services.state).store).revoke("reader", services.clock())
    answer = await client.post("/mcp", json=listing, headers={**reader, **session})
    assert (answer.status_code, challenge_of(answer)["error"]) == (401, "invalid_token")
    new = token_of(services, "reader", "read")
    assert (await client.post("/mcp", json=listing, headers={**new, **session})).status_code == 200


async def test_mounted_in_another_app_every_route_is_where_it_was(
    services: Services, reader: dict[str, str], mailgun: Recorder
) -> None:
    mailgun_app = asgi.create(Settings(), services=services)

    async def home(_: Any) -> PlainTextResponse:
        return PlainTextResponse("theirs")

    theirs = Starlette(routes=[Mount("/mail/gun", app=mailgun_app), Route("/", home)], lifespan=mailgun_app.lifespan)
    async with theirs.router.lifespan_context(theirs), client_of(theirs) as client:
        assert (await client.get("/")).text == "theirs"
        assert (await client.get("/mail/gun/healthz")).status_code == 200
        assert (await client.get("/mail/gun/healthz/")).status_code == 200
        for path in ("/mail/gun/mcp", "/mail/gun/mcp/", "/mail/gun/mcp//", "/mail/gun/"):
            assert (await client.post(path, json=GREETING)).status_code == 401
        assert "get_domain" in await list_modern(client, reader, "/mail/gun/mcp/")
        answer = await call_modern(client, reader, "clear_bounces", BOUNCES, "/mail/gun/mcp")
        assert (answer.status_code, mailgun.lines) == (403, [])
        assert (await client.post("/mcp", json=GREETING, headers=reader)).status_code == 404


async def test_on_loopback_the_token_of_the_state_is_the_user_who_runs_the_server(services: Services) -> None:
    async with team_server(services, loopback=True) as client:
        own = bearer(start_token(services.state))
        assert (await call_modern(client, own, "clear_bounces", BOUNCES)).status_code == 200
        assert (await call_modern(client, token_of(services, "ci", "read"), "get_domain", {})).status_code == 200
    services.recorder.close()
    assert {call.fields["principal"] for call in services.audit_log.calls()} >= {local_user().id}


async def test_elsewhere_the_token_of_the_state_is_no_token(client: httpx.AsyncClient, services: Services) -> None:
    own = bearer(start_token(services.state))
    assert (await client.post("/mcp", json=GREETING, headers=own)).status_code == 401


@pytest.mark.parametrize("transport", ["http", "sse"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", "127.0.0.1.example.com", ""])
def test_a_host_that_is_not_loopback_is_refused_where_nobody_has_a_token(
    transport: Literal["http", "sse"], host: str, services: Services
) -> None:
    with pytest.raises(SettingsError, match=r"nobody could call: .* `mailgun-mcp tokens new NAME --scopes read`, "):
        asgi.serve(services, Settings(transport=transport, host=host))


def test_where_nobody_could_call_the_start_is_refused(services: Services) -> None:
    with pytest.raises(SettingsError, match="nobody could call"):
        asgi.create(Settings(), services=services)
    with pytest.raises(SettingsError, match="only a server on loopback accepts callers without a token"):
        asgi.create(Settings(without_token=True), services=services)
    token_of(services, "old", "read", expires=services.clock() - 1)
    with pytest.raises(SettingsError, match="nobody could call"):
        asgi.create(Settings(), services=services)
