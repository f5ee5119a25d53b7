"""A call that waits for a person is a task for clients that declare the extension: it ends after the person's answer."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import httpx
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.extension import ClientExtension
from mcp.shared.exceptions import MCPError

from mailgun_mcp.call.call_tasks import CLAIM, RETENTION, CallTasks
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.access import Access
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.server.server import create_server
from mailgun_mcp.server.tasks import EXPIRED, GONE, INTERRUPTED, LARGEST, USED
from tests.support.calls import LOCAL_USER
from tests.support.recorder import Clock, Recorder, recorded_services
from tests.support.results import AnyResult

pytestmark = pytest.mark.anyio

BOUNCE = {"domain": "mg.example.com", "address": "ann@example.com"}
TASKS = "io.modelcontextprotocol/tasks"
DELETED = ["DELETE /v3/mg.example.com/bounces/ann%40example.com"]


class Declared(ClientExtension):
    identifier = TASKS


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(mailgun: Recorder, clock: Clock) -> Services:
    return recorded_services(mailgun, clock=clock)


class Session:
    """A client's requests, as they are on the wire."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        request: Any = types.Request[dict[str, Any], str](method=method, params=params)
        return (await self._client.session.send_request(request, AnyResult)).model_dump(by_alias=True)

    async def call(self, tool: str = "delete_bounce", arguments: Any = BOUNCE) -> dict[str, Any]:
        return await self.send("tools/call", name=tool, arguments=arguments)

    async def read(self, task: dict[str, Any]) -> dict[str, Any]:
        return await self.send("tasks/get", taskId=task["taskId"])

    async def refusal(self, method: str, **params: Any) -> tuple[int, Any]:
        with pytest.raises(MCPError) as caught:
            await self.send(method, **params)
        return caught.value.error.code, caught.value.error.data


@asynccontextmanager
async def session(
    services: Services, principal: Principal = LOCAL_USER, *, declared: bool = True, mode: Any = "auto"
) -> AsyncIterator[Session]:
    extensions = [Declared()] if declared else []
    async with Client(create_server(services, principal), mode=mode, cache=None, extensions=extensions) as client:
        yield Session(client)


def approval_of(task: dict[str, Any]) -> str:
    return str(task["_meta"]["mailgun-mcp/approval"]["id"])


def approve(services: Services, task: dict[str, Any]) -> None:
    services.approvals.approve(approval_of(task), by="ann", now=services.clock())


def text_of(task: dict[str, Any]) -> str:
    assert task["result"]["isError"]
    return str(task["result"]["content"][0]["text"])


async def test_a_task_is_completed_after_the_yes_by_the_one_call(services: Services, mailgun: Recorder) -> None:
    async with session(services) as client:
        task = await client.call()
        assert (task["resultType"], task["status"], task["pollIntervalMs"]) == ("task", "working", 5000)
        assert task["ttlMs"] == int((services.policy.confirmation.ttl + RETENTION) * 1000)
        waiting = await client.read(task)
        assert (waiting["resultType"], waiting["status"]) == ("complete", "working")
        assert approval_of(task) in waiting["statusMessage"]
        assert mailgun.changes == []
        approve(services, task)
        done = await client.read(task)
        assert (done["status"], done["result"]["isError"], "statusMessage" in done) == ("completed", False, False)
        assert done["result"]["structuredContent"] == json.loads(done["result"]["content"][0]["text"])
        assert await client.read(task) == done
    assert mailgun.changes == DELETED


@pytest.mark.parametrize(("declared", "mode"), [(False, "auto"), (True, "legacy")])
async def test_other_clients_are_answered_as_ever(declared: bool, mode: str, services: Services) -> None:
    async with session(services, declared=declared, mode=mode) as client:
        answer = await client.call()
        assert (answer["isError"], "taskId" in answer) == (True, False)
        code, data = await client.refusal("tasks/get", taskId="x")
    if mode == "legacy":
        assert code == types.METHOD_NOT_FOUND
    else:
        assert (code, data) == (-32021, {"requiredCapabilities": {"extensions": {TASKS: {}}}})


async def test_notices_of_tasks_are_refused_to_clients_without_the_extension(services: Services) -> None:
    async with session(services, declared=False) as client:
        code, _ = await client.refusal("subscriptions/listen", notifications={"taskIds": ["x"]})
    assert code == -32021


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
async def test_the_task_of_somebody_else_does_not_exist(method: str, services: Services, mailgun: Recorder) -> None:
    params: dict[str, Any] = {"inputResponses": {}} if method == "tasks/update" else {}
    async with session(services) as client, session(services, Principal("mallory")) as stranger:
        task = await client.call()
        approve(services, task)
        theirs = await stranger.refusal(method, taskId=task["taskId"], **params)
        assert theirs == await stranger.refusal(method, taskId="0" * 32, **params)
        assert theirs[0] == types.INVALID_PARAMS
        assert mailgun.changes == []
        assert (await client.read(task))["status"] == "completed"


@pytest.mark.parametrize("params", [{}, {"taskId": 7}, {"taskId": "x" * 65}, {"taskId": ["x"]}])
async def test_a_malformed_name_is_invalid(params: dict[str, Any], services: Services) -> None:
    async with session(services) as client:
        assert (await client.refusal("tasks/get", **params))[0] == types.INVALID_PARAMS


async def test_there_is_no_list_and_no_waiting_for_a_result(services: Services) -> None:
    async with session(services) as client:
        for method in ("tasks/list", "tasks/result"):
            assert (await client.refusal(method, taskId="x"))[0] == types.METHOD_NOT_FOUND


async def test_a_no_completes_the_task_with_the_reason(services: Services, mailgun: Recorder) -> None:
    async with session(services) as client:
        task = await client.call()
        services.approvals.deny(approval_of(task), by="ann", now=services.clock(), reason="wrong list")
        assert "ann denied it" in (said := text_of(await client.read(task)))
        assert "wrong list" in said
    assert mailgun.changes == []


async def test_a_task_that_nobody_answers_says_so(services: Services, clock: Clock) -> None:
    async with session(services) as client:
        task = await client.call()
        clock.now += services.policy.confirmation.ttl
        assert text_of(await client.read(task)) == EXPIRED
        clock.now += RETENTION
        assert (await client.refusal("tasks/get", taskId=task["taskId"]))[0] == types.INVALID_PARAMS


async def test_cancelling_withdraws_the_approval(services: Services, mailgun: Recorder) -> None:
    async with session(services) as client:
        task = await client.call()
        assert (await client.send("tasks/cancel", taskId=task["taskId"]))["resultType"] == "complete"
        assert (await client.read(task))["status"] == "cancelled"
        assert services.approvals.get(approval_of(task), services.clock()).status == "withdrawn"
        await client.send("tasks/cancel", taskId=task["taskId"])
        again = await client.call()
        assert approval_of(again) != approval_of(task), "a withdrawn request is asked anew"
    log = [json.loads(entry.body)["tool"] for entry in services.audit_log.entries() if entry.kind == "intent"]
    assert log == ["approvals withdraw"]
    assert mailgun.changes == []


async def test_cancelling_one_of_two_tasks_leaves_the_other(services: Services, mailgun: Recorder) -> None:
    async with session(services) as client:
        first, second = await client.call(), await client.call()
        assert approval_of(first) == approval_of(second)
        await client.send("tasks/cancel", taskId=first["taskId"])
        approve(services, second)
        assert (await client.read(second))["status"] == "completed"
    assert mailgun.changes == DELETED


async def test_of_two_tasks_of_one_call_one_is_made(services: Services, mailgun: Recorder) -> None:
    async with session(services) as client:
        first, second = await client.call(), await client.call()
        approve(services, first)
        assert (await client.read(first))["result"]["isError"] is False
        assert text_of(await client.read(second)) == USED
    assert mailgun.changes == DELETED


async def test_readers_at_the_same_time_make_the_call_once(services: Services, mailgun: Recorder) -> None:
    async with session(services) as client, session(replace(services)) as other:
        task = await client.call()
        approve(services, task)
        async with anyio.create_task_group() as group:
            for reader in (client, other) * 10:
                group.start_soon(reader.read, task)
        assert (await client.read(task))["status"] == "completed"
    assert mailgun.changes == DELETED


async def test_a_task_survives_a_restart(services: Services, mailgun: Recorder) -> None:
    async with session(services) as client:
        task = await client.call()
    services.close()
    async with session(recorded_services(mailgun, state=services.state)) as client:
        approve(services, task)
        assert (await client.read(task))["status"] == "completed"
    assert mailgun.changes == DELETED


async def test_a_call_whose_server_ended_is_not_repeated(services: Services, mailgun: Recorder, clock: Clock) -> None:
    async with session(services) as client:
        task = await client.call()
        approve(services, task)
        stored = CallTasks(services.store).find(task["taskId"], LOCAL_USER.id, clock())
        assert stored is not None
        assert CallTasks(services.store).claim(stored, clock())
        assert (await client.read(task))["statusMessage"].startswith("Approved.")
        clock.now += CLAIM
        assert text_of(await client.read(task)) == INTERRUPTED
    assert mailgun.changes == []


async def test_a_call_that_mailgun_refuses_completes_as_an_error(services: Services, mailgun: Recorder) -> None:
    async with session(services) as client:
        task = await client.call()
        approve(services, task)
        mailgun.answer = lambda line: httpx.Response(200 if line.startswith("GET") else 403, json={"message": "no"})
        assert "403" in text_of(await client.read(task))


async def test_a_target_that_changed_is_asked_about_again(services: Services, mailgun: Recorder) -> None:
    async with session(services) as client:
        task = await client.call()
        approve(services, task)
        mailgun.answer = lambda _: httpx.Response(200, json={"address": "ann@example.com", "code": "552"})
        waiting = await client.read(task)
        (asked,) = services.approvals.list(services.clock(), "pending")
        assert waiting["status"] == "working"
        assert asked.id in waiting["statusMessage"]
        assert asked.id != approval_of(task)
        services.approvals.approve(asked.id, by="ann", now=services.clock())
        assert (await client.read(task))["status"] == "completed"
    assert mailgun.changes == DELETED


async def test_a_token_with_fewer_scopes_does_not_use_up_the_yes(services: Services, mailgun: Recorder) -> None:
    narrow = Principal(LOCAL_USER.id, access=Access(frozenset({"mailgun:read"})))
    async with session(services) as client, session(services, narrow) as reader:
        task = await client.call()
        approve(services, task)
        waiting = await reader.read(task)
        assert (waiting["status"], "mailgun:destructive" in waiting["statusMessage"]) == ("working", True)
        assert mailgun.changes == []
        assert (await client.read(task))["status"] == "completed"


async def test_what_a_client_answers_unasked_changes_nothing(services: Services, mailgun: Recorder) -> None:
    async with session(services) as client:
        task = await client.call()
        forged = {"confirmation": {"action": "accept", "content": {"confirm": True}}}
        assert (await client.send("tasks/update", taskId=task["taskId"], inputResponses=forged))[
            "resultType"
        ] == "complete"
        assert (await client.read(task))["status"] == "working"
    assert mailgun.changes == []


async def test_a_large_call_is_no_task(services: Services) -> None:
    template = {"domain": "mg.example.com", "list_address": "a@mg.example.com", "members": [{"address": "x" * LARGEST}]}
    async with session(services) as client:
        assert "taskId" not in await client.call("delete_mailing_list_member", template)


async def test_an_approval_that_is_gone_ends_the_task(services: Services) -> None:
    async with session(services) as client:
        task = await client.call()
        with services.store.writing() as connection:
            connection.execute("DELETE FROM approvals")
        assert text_of(await client.read(task)) == GONE
        await client.send("tasks/cancel", taskId=task["taskId"])


async def test_a_bug_fails_the_task_and_says_nothing_of_itself(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("key-of-the-tests")

    async with session(services) as client:
        task = await client.call()
        approve(services, task)
        monkeypatch.setattr("mailgun_mcp.server.tasks.run", broken)
        failed = await client.read(task)
    assert (failed["status"], failed["error"]) == ("failed", {"code": -32603, "message": "Internal error"})
    assert failed["statusMessage"] == "Internal error"


async def test_a_tool_that_is_no_longer_offered_fails_the_task(services: Services) -> None:
    async with session(services) as client:
        task = await client.call()
        approve(services, task)
    without = replace(services, catalogue=services.catalogue.select(exclude=["delete_bounce"]))
    async with session(without) as client:
        assert (await client.read(task))["error"]["code"] == types.INVALID_PARAMS


async def test_a_task_that_cannot_be_kept_is_answered_as_ever(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailgun_mcp.errors import StateError

    def broken(*_: Any, **__: Any) -> Any:
        raise StateError("the disk is full")

    monkeypatch.setattr(CallTasks, "create", broken)
    async with session(services) as client:
        answer = await client.call()
    assert (answer["isError"], "taskId" in answer) == (True, False)
