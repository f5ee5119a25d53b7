"""Three servers on one PostgreSQL behind nginx: nothing is done twice, nothing is lost, and everybody is answered."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import httpx
import pytest
from mcp import Client, types
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.store.database import in_thread
from tests.support.postgresql import Cluster, cluster
from tests.support.processes import PATIENCE, simulated
from tests.support.replicas import Team, team
from tests.support.team import call_modern, open_session, request

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DOMAIN = "mail.example.com"
ROUNDS = 200


@pytest.fixture(scope="module")
def mailgun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with simulated(tmp_path_factory.mktemp("simulator")) as url:
        yield url


@pytest.fixture(scope="module")
def database() -> Iterator[Cluster]:
    """A PostgreSQL that may be restarted, and that waits for the disk."""
    with cluster(safe=True) as running:
        yield running


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, mailgun: str, database: Cluster) -> Iterator[Team]:
    with team(tmp_path_factory.mktemp("team"), mailgun, database.prepared_database()) as running:
        yield running


def client_of(url: str, token: dict[str, str]) -> httpx.AsyncClient:
    headers = {"Accept": "application/json, text/event-stream", **token}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE)


async def bounce(url: str, address: str) -> dict[str, str]:
    """Add a bounce straight at Mailgun, and return the arguments of the call that deletes it."""

    def add() -> None:
        body = json.dumps([{"address": address, "code": "550"}]).encode()
        post = Request(f"{url}/v3/{DOMAIN}/bounces", body, {"Content-Type": "application/json", "Authorization": BASIC})
        urlopen(post, timeout=PATIENCE).close()

    await in_thread(add)
    return {"domain": DOMAIN, "address": address}


BASIC = "Basic YXBpOmtleS1vZi10aGUtdGVzdHM="


def text_of(answer: httpx.Response) -> str:
    result = answer.json()
    return str(result["result"]["content"][0]["text"] if "result" in result else result)


async def approve(servers: Team, text: str) -> str:
    assert text.startswith("Pending approval "), text
    name = text.removeprefix("Pending approval ")[:8]
    approval = await in_thread(Approvals(servers.store).get, name, servers.store.clock())
    await in_thread(Approvals(servers.store).approve, name, by="olga", now=servers.store.clock(), typed=approval.typed)
    return name


def outcomes(servers: Team, tool: str, **arguments: str) -> Counter[str]:
    """Count the outcomes that the log has of calls with these arguments."""
    calls = [call for call in AuditLog(servers.store).calls() if call.fields.get("tool") == tool]
    return Counter(call.outcome for call in calls if arguments.items() <= call.fields.get("arguments", {}).items())


def assert_whole(servers: Team) -> None:
    found = AuditLog(servers.store).verify()
    assert found.broken is None, found.broken


async def test_a_call_that_one_server_held_runs_on_another_once(servers: Team) -> None:
    token = servers.token("holder")
    arguments = await bounce(servers.mailgun, "one@example.com")
    texts = []
    for number, one in enumerate(servers.replicas):
        async with client_of(one.url, token) as client:
            texts.append(text_of(await call_modern(client, token, "delete_bounce", arguments)))
        if number == 0:
            await approve(servers, texts[0])
    assert "deleted" in texts[1] or "removed" in texts[1], texts
    assert outcomes(servers, "delete_bounce", address="one@example.com")["done"] == 1
    assert_whole(servers)


async def test_a_person_who_was_asked_by_one_server_answers_another(servers: Team) -> None:
    """The newer era: the question is a result, sealed with the keys that the servers share."""
    token = servers.token("asker")
    arguments = await bounce(servers.mailgun, "two@example.com")
    asked: list[str] = []

    async def answer(_: Any, params: Any) -> types.ElicitResult | types.ErrorData:
        asked.append(params.message)
        return types.ElicitResult(action="accept", content=accepted(params))

    # nginx takes turns: the answer arrives at another server than the one that asked.
    async with (
        create_mcp_http_client(headers=token) as http,
        Client(streamable_http_client(f"{servers.url}/mcp", http_client=http), elicitation_callback=answer) as client,
    ):
        result = await client.call_tool("delete_bounce", arguments)
    assert result.is_error is False, result
    assert len(asked) == 1
    assert outcomes(servers, "delete_bounce", address="two@example.com")["done"] == 1


def accepted(params: Any) -> dict[str, Any]:
    properties = params.requested_schema["properties"]
    return {name: True for name, schema in properties.items() if schema.get("type") == "boolean"}


async def test_a_session_of_the_older_era_stays_with_its_server(servers: Team) -> None:
    """Who does not know the session answers 404, and nginx asks the next one."""
    token = servers.token("session")
    arguments = await bounce(servers.mailgun, "three@example.com")
    async with client_of(servers.url, token) as client:
        session = await open_session(client, token)
        for number in range(9):
            message = request("tools/call", number + 2, name="list_bounces", arguments={"domain": DOMAIN})
            answer = await client.post("/mcp", json=message, headers={**token, **session})
            assert answer.status_code == 200, answer.text
        unknown = {"Mcp-Session-Id": "0" * 32}
        answer = await client.post("/mcp", json=request("tools/list", 99), headers={**token, **unknown})
        assert answer.status_code == 404
        message = request("tools/call", 50, name="delete_bounce", arguments=arguments)
        held = await client.post("/mcp", json=message, headers={**token, **session})
        assert "Pending approval" in held.text
    assert_whole(servers)


async def test_one_approval_raced_from_all_servers_is_used_once(servers: Team) -> None:
    token = servers.token("racer")
    clients = [client_of(one.url, token) for one in servers.replicas]
    await bounce(servers.mailgun, "race@example.com")
    arguments = {"domain": DOMAIN, "address": "race@example.com"}
    won = Counter[int]()
    for number in range(ROUNDS):
        await bounce(servers.mailgun, "race@example.com")
        text = text_of(await call_modern(clients[number % 3], token, "delete_bounce", arguments))
        await approve(servers, text)
        answers = await asyncio.gather(
            *(call_modern(client, token, "delete_bounce", arguments) for client in clients), return_exceptions=True
        )
        texts = [text_of(answer) for answer in answers if isinstance(answer, httpx.Response)]
        assert len(texts) == 3, answers
        done = [text for text in texts if "Pending approval" not in text and "not found" not in text.lower()]
        won[len(done)] += 1
        await clear(servers, "racer")
    for client in clients:
        await client.aclose()
    assert won == {1: ROUNDS}
    assert outcomes(servers, "delete_bounce", address="race@example.com")["done"] == ROUNDS
    assert_whole(servers)


async def clear(servers: Team, principal: str) -> None:
    """Deny what the losers of a race left behind."""
    approvals = Approvals(servers.store)
    for pending in await in_thread(approvals.list, servers.store.clock(), "pending"):
        if pending.principal == principal:
            await in_thread(approvals.deny, pending.id, by="olga", now=servers.store.clock())
