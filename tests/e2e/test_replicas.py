"""Three servers on one PostgreSQL behind nginx: nothing is done twice, nothing is lost, and everybody is answered."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import anyio
import httpx
import psycopg
import pytest
from mcp import Client, types
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.errors import CallError
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.undo.snapshots import Snapshots
from tests.support.postgresql import Cluster, cluster
from tests.support.processes import ADDRESS, PATIENCE, pointed_at, simulated
from tests.support.replicas import AHEAD, Team, replica, team
from tests.support.team import call_modern, client_of_url, modern, modern_headers, open_session, request

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DOMAIN = "mail.example.com"
ROUNDS = 200
TASKS = "io.modelcontextprotocol/tasks"


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
        # A log of which nothing was written yet cannot be told from one that was removed.
        anyio.run(read_something, running)
        yield running


async def read_something(servers: Team) -> None:
    token = servers.token("reader")
    async with client_of_url(servers.url, token) as client:
        await call_modern(client, token, "list_domains", {})


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
        async with client_of_url(one.url, token) as client:
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

    async def answer(context: Any, params: Any) -> types.ElicitResult | types.ErrorData:
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
    async with client_of_url(servers.url, token) as client:
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


async def clear(servers: Team, principal: str) -> None:
    """Deny what the losers of a race left behind."""
    approvals = Approvals(servers.store)
    for pending in await in_thread(approvals.list, servers.store.clock(), "pending"):
        if pending.principal == principal:
            await in_thread(approvals.deny, pending.id, by="olga", now=servers.store.clock())


async def exists(url: str, address: str) -> bool:
    def read() -> bool:
        get = Request(f"{url}/v3/{DOMAIN}/bounces/{address}", headers={"Authorization": BASIC})
        try:
            urlopen(get, timeout=PATIENCE).close()
        except HTTPError as error:
            with error:
                if error.code != 404:
                    raise
            return False
        return True

    return await in_thread(read)


def kill_victims(runner: "subprocess.Popen[str]") -> None:
    """Kill the server that did not kill itself: the runner waits for its end before it starts another."""
    for child in Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text(encoding="ascii").split():
        os.kill(int(child), signal.SIGKILL)


@pytest.fixture
def runner() -> Iterator["subprocess.Popen[str]"]:
    """Forks a server that kills itself at a fault point, for each line of stdin: see `tests/support/killed.py`."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.killed"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        kill_victims(process)
        assert process.stdin is not None
        process.stdin.close()


def start_victim(runner: "subprocess.Popen[str]", servers: Team, point: int) -> str:
    """Start a server that kills itself when a call passes the fault point, and return its URL."""
    errors = servers.home / f"victim{point}"
    victim = {**servers.environment, **pointed_at(servers.mailgun), "MAILGUN_MCP_STATE": str(servers.home / "victim")}
    arguments = ["serve", "--transport", "http", "--port", "0"]
    line = {"point": point, "arguments": arguments, "environment": victim, "stdout": "/dev/null", "stderr": str(errors)}
    assert runner.stdin is not None
    # An earlier test may have left the address of a server that no longer runs.
    errors.unlink(missing_ok=True)
    runner.stdin.write(json.dumps(line) + "\n")
    runner.stdin.flush()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if errors.exists() and (found := ADDRESS.search(errors.read_text(encoding="utf-8"))):
            return found[1]
        time.sleep(0.02)
    raise AssertionError(f"the victim does not start: {errors.exists() and errors.read_text(encoding='utf-8')}")


async def test_a_server_that_is_killed_at_any_stage_leaves_nothing_twice_and_nothing_lost(
    servers: Team, runner: "subprocess.Popen[str]"
) -> None:
    token = servers.token("victim")
    async with client_of_url(servers.replicas[0].url, token) as other:
        for point in count():
            address = f"killed{point}@example.com"
            arguments = await bounce(servers.mailgun, address)
            name = await approve(servers, text_of(await call_modern(other, token, "delete_bounce", arguments)))
            url = await in_thread(start_victim, runner, servers, point)
            async with client_of_url(url, token) as client:
                killed = False
                try:
                    answer = text_of(await call_modern(client, token, "delete_bounce", arguments))
                except httpx.TransportError:
                    killed = True
            gone = not await exists(servers.mailgun, address)
            status = Approvals(servers.store).get(name, servers.store.clock()).status
            calls = [c for c in AuditLog(servers.store).calls() if c.fields.get("arguments") == arguments]
            intents = [c for c in calls if c.fields.get("confirmation")]
            if gone:
                # What was done has a record, a copy to undo it, and has used its approval.
                assert (status, len(intents)) == ("used", 1), point
                assert [one.id for one in Snapshots(servers.store).list(servers.store.clock())].count(
                    intents[0].id
                ) == 1
            again = text_of(await call_modern(other, token, "delete_bounce", arguments))
            if status == "used":
                assert "Pending approval" in again or gone, (point, again)
            assert outcomes(servers, "delete_bounce", address=address)["done"] <= 1
            await clear(servers, "victim")
            if not killed:
                assert "Pending" not in answer
                break
            assert runner.stdout is not None
            assert int(runner.stdout.readline()) == -signal.SIGKILL
    assert point > 8
    assert_whole(servers)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "crash"])
async def test_a_database_that_is_restarted_under_load_loses_nothing(
    servers: Team, database: Cluster, how: signal.Signals
) -> None:
    token = servers.token(f"load{how}")
    ended = asyncio.Event()
    answers: dict[str, str] = {}

    async def load(worker: int) -> None:
        async with client_of_url(servers.url, token) as client:
            for number in count():
                if ended.is_set():
                    return
                address = f"load{how}-{worker}-{number}@example.com"
                arguments = {"domain": DOMAIN, "bounces": [{"address": address}]}
                answer = await call_modern(client, token, "add_bounces", arguments)
                assert answer.status_code in (200, 401, 502, 503), answer.text
                answers[address] = text_of(answer) if answer.status_code == 200 else f"HTTP {answer.status_code}"

    async with asyncio.TaskGroup() as tasks:
        for worker in range(6):
            tasks.create_task(load(worker))
        await enough(answers, 30)
        await in_thread(database.stop, how)
        await in_thread(database.start)
        await enough(answers, len(answers) + 60)
        ended.set()
    done = {address for address, text in answers.items() if text.startswith("{")}
    refused = answers.keys() - done
    other = {answers[address] for address in refused}
    other = {text for text in other if "cannot be used" not in text and "HTTP" not in text}
    assert other == set()
    assert_whole(servers)
    logged = {
        call.fields["arguments"]["bounces"][0]["address"]: call.outcome
        for call in AuditLog(servers.store).calls()
        if call.fields.get("tool") == "add_bounces"
    }
    assert {logged.get(address) for address in done} == {"done"}
    made = [address for address in answers if await exists(servers.mailgun, address)]
    assert {logged.get(address) for address in made} <= {"done", "unknown"}
    assert len(answers) > 90


async def enough(answers: dict[str, str], least: int) -> None:
    """Wait until so many calls were answered."""
    async with asyncio.timeout(60):
        while len(answers) < least:  # noqa: ASYNC110 - the calls go on meanwhile
            await asyncio.sleep(0.05)


async def test_servers_whose_clocks_are_hours_apart_agree_on_what_has_expired(servers: Team) -> None:
    token = servers.token("clock")
    arguments = await bounce(servers.mailgun, "clock@example.com")
    with ExitStack() as stack:
        urls = [
            stack.enter_context(
                replica(
                    servers.home / f"skewed{ahead}",
                    servers.mailgun,
                    servers.state_url,
                    servers.keys,
                    ahead=ahead,
                    code=AHEAD,
                )
            ).url
            for ahead in (7200, -7200)
        ]
        texts = []
        for number, url in enumerate((servers.replicas[0].url, *urls)):
            async with client_of_url(url, token) as client:
                texts.append(text_of(await call_modern(client, token, "delete_bounce", arguments)))
                assert "Pending" in texts[-1] or number
            if number == 0:
                await approve(servers, texts[0])
    assert "Pending approval" not in texts[1]
    assert outcomes(servers, "delete_bounce", address="clock@example.com")["done"] == 1
    assert_whole(servers)


async def test_without_a_free_connection_the_error_is_clear_and_passes(servers: Team, database: Cluster) -> None:
    token = servers.token("crowd")
    arguments = {"domain": DOMAIN, "bounces": [{"address": "crowd@example.com"}]}
    async with client_of_url(servers.url, token) as client:
        assert (await call_modern(client, token, "list_domains", {})).status_code == 200
        with ExitStack() as crowd:
            await in_thread(fill, crowd, database, servers)
            answers = await asyncio.gather(*(call_modern(client, token, "add_bounces", arguments) for _ in range(3)))
            for answer in answers:
                # The token is checked first, in the same database.
                assert answer.status_code == 503 or "no connection within 5 seconds" in answer.text, answer.text
                assert "Try again" in answer.text or "cannot be used" in answer.text
                assert "secret" not in answer.text
        async with asyncio.timeout(60):
            while "cannot be" in (answer := await call_modern(client, token, "add_bounces", arguments)).text:
                pass
        assert text_of(answer).startswith("{")
    assert_whole(servers)


def fill(crowd: ExitStack, database: Cluster, servers: Team) -> None:
    """Take every connection, also those that the servers have."""
    first = crowd.enter_context(psycopg.connect(servers.state_url, autocommit=True))
    for _ in range(5):
        first.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        with suppress(psycopg.OperationalError):
            while True:
                crowd.enter_context(psycopg.connect(database.url("postgres"), autocommit=True))


TASKS = "io.modelcontextprotocol/tasks"


async def task_request(url: str, token: dict[str, str], method: str, **params: Any) -> dict[str, Any]:
    """Make a request as a client that takes tasks, and return its result or error."""
    message = modern(method, **params)
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = {"extensions": {TASKS: {}}}
    async with client_of_url(url, token) as client:
        headers = modern_headers(method, params.get("name"))
        answer = (await client.post("/mcp", json=message, headers=headers)).json()
    return dict(answer.get("result", answer))


async def begun(url: str, servers: Team, token: dict[str, str], address: str) -> tuple[dict[str, Any], str]:
    """Begin a task that deletes a bounce, and return it with the name of its approval."""
    arguments = await bounce(servers.mailgun, address)
    task = await task_request(url, token, "tools/call", name="delete_bounce", arguments=arguments)
    assert (task.get("resultType"), task.get("status")) == ("task", "working"), task
    return task, str(task["_meta"]["mailgun-mcp/approval"]["id"])


async def test_a_task_begun_on_one_server_is_completed_by_another(servers: Team) -> None:
    token = servers.token("tasks")
    one, two, three = (server.url for server in servers.replicas)
    task, approval = await begun(one, servers, token, "task-one@example.com")
    waiting = await task_request(two, token, "tasks/get", taskId=task["taskId"])
    assert (waiting["status"], approval in waiting["statusMessage"]) == ("working", True)
    await approve(servers, f"Pending approval {approval}")
    urls = [one, two, three, servers.url] * 5
    async with asyncio.timeout(PATIENCE):
        read = [task_request(url, token, "tasks/get", taskId=task["taskId"]) for url in urls]
        assert {answer["status"] for answer in await asyncio.gather(*read)} <= {"working", "completed"}
        done = [await task_request(url, token, "tasks/get", taskId=task["taskId"]) for url in (one, two, three)]
    assert [(answer["status"], answer["result"]["isError"]) for answer in done] == [("completed", False)] * 3
    assert done[0]["result"] == done[1]["result"] == done[2]["result"]
    assert not await exists(servers.mailgun, "task-one@example.com")
    assert outcomes(servers, "delete_bounce", address="task-one@example.com")["done"] == 1
    stranger = await task_request(three, servers.token("stranger"), "tasks/get", taskId=task["taskId"])
    assert "error" in stranger, stranger
    assert_whole(servers)


async def test_a_task_that_is_cancelled_on_another_server_is_never_made(servers: Team) -> None:
    token = servers.token("cancels")
    one, two, three = (server.url for server in servers.replicas)
    task, approval = await begun(one, servers, token, "task-two@example.com")
    await task_request(two, token, "tasks/cancel", taskId=task["taskId"])
    assert (await task_request(three, token, "tasks/get", taskId=task["taskId"]))["status"] == "cancelled"
    with pytest.raises(CallError):
        await approve(servers, f"Pending approval {approval}")
    assert (await task_request(one, token, "tasks/get", taskId=task["taskId"]))["status"] == "cancelled"
    assert await exists(servers.mailgun, "task-two@example.com")


async def test_a_task_outlives_the_server_that_was_killed(servers: Team, runner: "subprocess.Popen[str]") -> None:
    """It is killed when it makes the call: before Mailgun has it, or after."""
    token = servers.token("outlives")
    other = servers.replicas[1].url
    for point in (0, 1_000):
        address = f"task-killed{point}@example.com"
        url = await in_thread(start_victim, runner, servers, point)
        task, approval = await begun(other, servers, token, address)
        await approve(servers, f"Pending approval {approval}")
        with suppress(httpx.TransportError):
            await task_request(url, token, "tasks/get", taskId=task["taskId"])
        answer = await task_request(other, token, "tasks/get", taskId=task["taskId"])
        made = outcomes(servers, "delete_bounce", address=address)
        if answer["status"] == "completed" and not answer["result"]["isError"]:
            assert made["done"] == 1
        else:
            # Whoever died may have made it: nobody makes it again.
            assert made["done"] == 0, (answer, made)
        assert_whole(servers)
        # Another server may have made the call, and then the victim lives.
        kill_victims(runner)


async def test_one_approval_raced_from_all_servers_is_used_once(servers: Team) -> None:
    token = servers.token("racer")
    clients = [client_of_url(one.url, token) for one in servers.replicas]
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
