"""The worker: an answer in any process is told once, also after failures, and a failure for good is in the log."""

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from mailgun_mcp import asgi
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.hooks import HookFailed
from mailgun_mcp.policy.model import NotifyRules, WebhookRules
from mailgun_mcp.settings import Settings
from mailgun_mcp.web.webhooks.deliveries import BACK_OFF
from mailgun_mcp.web.webhooks.endpoints import WebhookEndpoint
from mailgun_mcp.web.webhooks.worker import Webhooks, webhooks_of
from tests.support.pages import pending
from tests.support.recorder import Clock
from tests.support.team import team_server

pytestmark = pytest.mark.anyio
HOOK = WebhookEndpoint("https://hooks.example.com/in")
BASE = "https://mail-admin.example.com"


class Receiver:
    """An endpoint, which may be down."""

    def __init__(self) -> None:
        self.down = False
        self.messages: list[tuple[str, str]] = []

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        if self.down:
            raise HookFailed("the webhook answered with HTTP 500")
        self.messages.append((headers["webhook-id"], json.loads(body)["type"]))


def clock(services: Services) -> Clock:
    assert isinstance(services.clock, Clock)
    return services.clock


async def test_events_are_told_once_by_many_workers(services: Services) -> None:
    receiver = Receiver()
    workers = [Webhooks(services, [HOOK], BASE, send=receiver) for _ in range(3)]
    await workers[0].step()
    approval = pending(services)
    for worker in workers:
        await worker.step()
    services.approvals.deny(approval.id, by="kim", now=services.clock())
    for worker in workers:
        await worker.step()
    assert [kind for _, kind in receiver.messages] == ["approval.pending", "approval.denied"]
    assert len({name for name, _ in receiver.messages}) == 2


async def test_a_failure_is_tried_again_with_the_same_id_until_it_works(services: Services) -> None:
    receiver = Receiver()
    receiver.down = True
    pending(services)
    await Webhooks(services, [HOOK], BASE, send=receiver).step()
    receiver.down = False
    worker = Webhooks(services, [HOOK], BASE, send=receiver)
    await worker.step()
    assert receiver.messages == []
    clock(services).now += BACK_OFF[0]
    await worker.step()
    assert [kind for _, kind in receiver.messages] == ["approval.pending"]


async def test_what_is_given_up_is_in_the_audit_log(services: Services) -> None:
    receiver = Receiver()
    receiver.down = True
    approval = pending(services)
    worker = Webhooks(services, [HOOK], BASE, send=receiver)
    for pause in (*BACK_OFF, 0):
        await worker.step()
        clock(services).now += pause
    calls = [(call.fields["tool"], call.fields["arguments"]["subject"]) for call in services.audit_log.calls()]
    assert ("webhook approval.pending", approval.id) in calls
    assert all(call.outcome == "failed" for call in services.audit_log.calls())


async def test_an_endpoint_that_the_policy_dropped_gets_nothing(services: Services) -> None:
    receiver = Receiver()
    receiver.down = True
    pending(services)
    await Webhooks(services, [HOOK], BASE, send=receiver).step()
    clock(services).now += BACK_OFF[0]
    receiver.down = False
    await Webhooks(services, [], BASE, send=receiver).step()
    assert receiver.messages == []
    (call,) = services.audit_log.calls()
    assert "no longer names" in call.result["error"]


async def test_an_endpoint_hears_only_of_the_events_that_it_wants(services: Services) -> None:
    receiver = Receiver()
    worker = Webhooks(services, [WebhookEndpoint(HOOK.url, events=frozenset({"approval.denied"}))], BASE, send=receiver)
    approval = pending(services)
    await worker.step()
    services.approvals.deny(approval.id, by="kim", now=services.clock())
    await worker.step()
    assert [kind for _, kind in receiver.messages] == ["approval.denied"]


async def test_an_undone_call_is_told(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    done = SimpleNamespace(
        id="c1", tool="clear_bounces", summary="4 bounces", account="main", undone=services.clock() - 1
    )
    monkeypatch.setattr(type(services.snapshots), "list", lambda *_, **__: (done, SimpleNamespace(undone=None)))
    pending(services)
    receiver = Receiver()
    await Webhooks(services, [HOOK], BASE, send=receiver).step()
    assert sorted(kind for _, kind in receiver.messages) == ["approval.pending", "operation.undone"]


async def test_a_state_that_cannot_be_read_is_tried_again(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailgun_mcp.errors import StateError

    def fail(*_: object, **__: object) -> None:
        raise StateError("busy")

    pending(services)
    receiver = Receiver()
    worker = Webhooks(services, [HOOK], BASE, send=receiver)
    with monkeypatch.context() as patch:
        patch.setattr(type(services.approvals), "list", fail)
        await worker.step()
    await worker.step()
    assert len(receiver.messages) == 1


def test_the_links_lead_to_the_public_url_or_the_port(services: Services) -> None:
    rules = NotifyRules(webhooks=(WebhookRules("https://hooks.example.com/in", "slack"),))
    noted = replace(services, policy=replace(services.policy, notify=rules))
    for settings, base in (
        (Settings(public_url="https://mail-admin.example.com/"), "https://mail-admin.example.com"),
        (Settings(host="::1", port=9000), "http://[::1]:9000"),
    ):
        webhooks = webhooks_of(noted, settings)
        assert webhooks is not None
        assert webhooks._base_url == base
    assert webhooks_of(services, Settings()) is None


async def test_a_server_runs_them_while_it_serves(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    posted = anyio.Event()

    async def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
        posted.set()

    monkeypatch.setattr("mailgun_mcp.web.webhooks.worker.post", post)
    rules = NotifyRules(webhooks=(WebhookRules("https://hooks.example.com/in", "slack"),))
    pending(services)
    noted = replace(services, policy=replace(services.policy, notify=rules))
    with anyio.fail_after(30):
        async with team_server(noted, loopback=True):
            await posted.wait()


async def test_a_server_that_speaks_asgi_runs_them_too(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """This is how uvicorn starts an app: nothing calls `lifespan` for it."""
    posted = anyio.Event()

    async def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
        posted.set()

    monkeypatch.setattr("mailgun_mcp.web.webhooks.worker.post", post)
    rules = NotifyRules(webhooks=(WebhookRules("https://hooks.example.com/in", "slack"),))
    pending(services)
    noted = replace(services, policy=replace(services.policy, notify=rules))
    app = asgi.create(Settings(), services=noted, loopback=True)
    says, hears = anyio.create_memory_object_stream[dict[str, str]](2)
    answers: list[str] = []

    async def answered(message: MutableMapping[str, Any]) -> None:
        answers.append(message["type"])

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks, says, hears:
            tasks.start_soon(app, {"type": "lifespan", "state": {}}, hears.receive, answered)
            await says.send({"type": "lifespan.startup"})
            await posted.wait()
            await says.send({"type": "lifespan.shutdown"})
            while len(answers) < 2:
                await anyio.lowlevel.checkpoint()
    assert answers == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
