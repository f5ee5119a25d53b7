"""What Prometheus is told, and who may ask."""

import re
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import SettingsError, StateError
from mailgun_mcp.mailgun.transport import Connections
from mailgun_mcp.settings import Settings
from mailgun_mcp.web.metrics import Metrics
from tests.support.calls import BOUNCE, run
from tests.support.policies import policy
from tests.support.recorder import Recorder, recorded_services
from tests.support.several_accounts import ANN, two_accounts
from tests.support.team import bearer, call_modern, team_server, token_of

pytestmark = pytest.mark.anyio

MAIL = {"domain": "mg.example.com", "from": "a@mg.example.com", "to": ["secret.person@x.example"], "text": "Hi"}


@pytest.fixture
def mailgun() -> Recorder:
    return Recorder()


@pytest.fixture
def services(mailgun: Recorder) -> Services:
    limits = policy("extends: guarded\nsend: {recipients_per_hour: 2000}\n")
    return recorded_services(mailgun, policy=limits, account_name="main")


def shown(metrics: Metrics) -> str:
    return metrics.text()[0].decode()


async def test_calls_are_counted_by_tool_risk_decision_and_outcome(services: Services, mailgun: Recorder) -> None:
    metrics = Metrics(services)
    await run(services, "list_domains", {})
    await run(services, "create_api_key", {"role": "basic", "description": "x"})
    await run(services, "list_domains", {"limit": "many"})
    mailgun.answer = lambda _: httpx.Response(400, json={"message": "no"})
    await run(services, "list_domains", {})
    text = shown(metrics)
    for tool, risk, decision, outcome in (
        ("list_domains", "read", "allow", "done"),
        ("create_api_key", "credential", "confirm", "pending"),
        ("list_domains", "read", "none", "invalid"),
        ("list_domains", "read", "allow", "failed"),
    ):
        labels = f'account="main",decision="{decision}",outcome="{outcome}",risk="{risk}",tool="{tool}"'
        assert f"mailgun_mcp_calls_total{{{labels}}} 1.0" in text, text
    assert 'mailgun_mcp_mailgun_requests_total{account="main",method="GET",status="200"} 1.0' in text
    assert 'mailgun_mcp_mailgun_requests_total{account="main",method="GET",status="400"} 1.0' in text
    assert 'mailgun_mcp_call_duration_seconds_count{outcome="pending",risk="credential"} 1.0' in text


async def test_a_request_without_an_answer_is_counted(services: Services, mailgun: Recorder) -> None:
    def break_off(_: str) -> httpx.Response:
        raise httpx.ReadError("gone")

    metrics, mailgun.answer = Metrics(services), break_off
    await run(services, "delete_bounce", BOUNCE)
    assert 'mailgun_mcp_mailgun_requests_total{account="main",method="GET",status="none"}' in shown(metrics)


async def test_approvals_and_quotas_are_read_from_the_state(services: Services) -> None:
    metrics = Metrics(services)
    assert "mailgun_mcp_approvals_waiting 0.0" in shown(metrics)
    await run(services, "send_message", MAIL)
    outcomes = [await run(services, "create_api_key", {"role": "basic", "description": text}) for text in "abc"]
    clock: Any = services.clock
    clock.now += 20
    assert outcomes[0].approval is not None
    services.approvals.deny(outcomes[0].approval["id"], by="olga", now=clock.now)
    text = shown(metrics)
    for line in (
        "mailgun_mcp_approvals_waiting 2.0",
        "mailgun_mcp_approvals_oldest_seconds 20.0",
        # Prometheus's own check of metrics takes a label `quantile` only of a summary.
        "# TYPE mailgun_mcp_approval_answer_seconds summary",
        'mailgun_mcp_approval_answer_seconds{quantile="0.95"} 20.0',
        'mailgun_mcp_recipients_last_hour{account="main"} 1.0',
        "mailgun_mcp_recipients_per_hour_limit 2000.0",
    ):
        assert line in text, text


async def test_a_state_that_cannot_be_read_leaves_the_rest(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics(services)
    await run(services, "create_api_key", {"role": "basic", "description": "x"})

    def fail(*_: object) -> None:
        raise StateError("locked")

    monkeypatch.setattr(services.approvals, "list", fail)
    text = shown(metrics)
    assert "mailgun_mcp_calls_total{" in text
    assert "approvals_waiting" not in text


async def test_the_accounts_of_a_server_are_told_apart() -> None:
    services = two_accounts()
    metrics = Metrics(services)
    for account in ("production", "staging", "elsewhere"):
        await run(services, "list_domains", {"account": account}, ANN)
    text = shown(metrics)
    assert set(re.findall(r'mailgun_mcp_calls_total\{account="(\w*)"', text)) == {"production", "staging", ""}
    assert set(re.findall(r'requests_total\{account="(\w*)"', text)) == {"production", "staging"}


async def test_nothing_personal_is_in_a_label(services: Services) -> None:
    metrics = Metrics(services)
    await run(services, "send_message", MAIL)
    await run(services, "delete_bounce", BOUNCE)
    text = shown(metrics)
    for private in ("secret.person", "mg.example.com", "ann@example.com", "local"):
        assert private not in text


async def test_connections_are_shown_by_account(monkeypatch: pytest.MonkeyPatch) -> None:
    services = recorded_services(Recorder(), account_name="main")

    connections = Connections(None, most=3, idle=60)
    monkeypatch.setattr(Connections, "counts", {"used": 1, "idle": 2})
    services.client._transport = connections
    assert 'mailgun_mcp_mailgun_connections{account="main",state="idle"} 2.0' in shown(Metrics(services))


async def test_the_pool_of_the_database_is_shown(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "mailgun_mcp_database_connections{" not in shown(Metrics(services))
    monkeypatch.setattr(type(services.store), "connections", {"used": 3})
    assert 'mailgun_mcp_database_connections{state="used"} 3.0' in shown(Metrics(services))


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    token_of(services, "somebody", "read")
    async with team_server(services, Settings(metrics=True)) as connected:
        yield connected


async def test_only_a_token_with_the_scope_may_read_them(services: Services, client: httpx.AsyncClient) -> None:
    reader, prometheus = token_of(services, "ann", "read approve"), token_of(services, "prometheus", "metrics")
    await call_modern(client, reader, "list_domains", {})
    assert (await client.get("/metrics")).status_code == 401
    assert (await client.get("/metrics", headers=bearer("mgmcp_x"))).status_code == 401
    refused = await client.get("/metrics", headers=reader)
    assert (refused.status_code, "mailgun:metrics" in refused.headers["www-authenticate"]) == (403, True)
    answer = await client.get("/metrics", headers=prometheus)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'tool="list_domains"' in answer.text


async def test_with_that_scope_alone_nothing_else_can_be_done(services: Services, client: httpx.AsyncClient) -> None:
    prometheus = token_of(services, "prometheus", "metrics")
    assert (await call_modern(client, prometheus, "list_domains", {})).status_code == 403


async def test_without_the_setting_there_is_no_such_page(services: Services) -> None:
    token = token_of(services, "prometheus", "metrics")
    async with team_server(services) as client:
        assert (await client.get("/metrics", headers=token)).status_code == 404


def test_without_the_extra_the_start_says_what_to_install(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(SettingsError, match=r"mailgun-mcp-server\[metrics\]"):
        Metrics(replace(services))
