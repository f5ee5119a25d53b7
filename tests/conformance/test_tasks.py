"""The conformance suite's scenarios of the tasks extension, through a gateway that gives the server the suite's tools.

The suite calls tools of a fixture, which a server with a job does not have. The gateway gives each of those names a call of
ours that behaves alike: one that waits for an approval, which a person gives a moment later, or one that does not wait.
"""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest
import uvicorn
from anyio.to_thread import run_sync
from starlette.types import ASGIApp, Receive, Scope, Send

from mailgun_mcp import asgi
from mailgun_mcp.call.services import Services
from mailgun_mcp.settings import Settings
from mailgun_mcp.web.body_replay import replay
from tests.conformance.suite import found_in, ran, suite_command
from tests.support.loopback_provider import listening
from tests.support.recorder import Recorder, recorded_services

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.slow]

NAMES: dict[str, tuple[str, dict[str, Any]]] = {
    "greet": ("whoami", {}),
    "slow_compute": ("delete_bounce", {"domain": "mg.example.com", "address": "ann{}@example.com"}),
    "failing_job": ("delete_bounce", {"domain": "mg.example.com", "address": "denied{}@example.com"}),
}
"""Tool of the suite -> what is called instead. The first does not wait; the last is denied.

Each call is about another address: one that was allowed before would be made at once.
"""
PASSING = {
    "tasks-capability-negotiation",
    "tasks-request-state-removal",
    "tasks-wire-fields",
    "tasks-status-notifications",
}
MISSING = {
    # A task of ours asks its client for nothing, and an approval is no error of the protocol.
    "tasks-lifecycle": {"sep-2663-tasks-get-status-failed"},
    "tasks-dispatch-and-envelope": {
        "tasks-immediate-result-shortcut",
        "tasks-result-type-complete-on-non-task-responses",
    },
    # It wants the words of the suite's own tool.
    "tasks-request-headers": {"tasks-headers-tolerate-mcp-method-on-tools-call"},
}
"""Scenario -> its checks that ask for what the server does not do."""


class Gateway:
    """Passes requests on, with the names of the suite's tools replaced, and answers approvals a moment later."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._calls = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
        message = json.loads(body)
        params = message.get("params") if isinstance(message, dict) else None
        if isinstance(params, dict) and message.get("method") == "tools/call" and params.get("name") in NAMES:
            tool, arguments = NAMES[params["name"]]
            number = next(self._calls)
            own = {name: value.format(number) for name, value in arguments.items()}
            message["params"] = {**params, "name": tool, "arguments": own}
            headers = [(name, tool.encode() if name == b"mcp-name" else value) for name, value in headers]
            body = json.dumps(message).encode()
        headers.append((b"content-length", str(len(body)).encode()))
        await self._app({**scope, "headers": headers}, replay(body, receive), send)


async def answer(services: Services) -> None:
    """Say no to the bounce that is called denied, and yes to the others, half a second after they were asked about."""
    while True:
        await anyio.sleep(0.5)
        for approval in services.approvals.list(services.clock(), "pending"):
            if "denied" in approval.text:
                services.approvals.deny(approval.id, by="olga", now=services.clock())
            else:
                services.approvals.approve(approval.id, by="olga", now=services.clock(), typed=approval.typed)


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    services = recorded_services(Recorder(), clock=time.time)
    app = asgi.create(Settings(without_token=True), services=services, loopback=True)
    listener = listening()
    server = uvicorn.Server(uvicorn.Config(Gateway(app), log_config=None, access_log=False))
    async with anyio.create_task_group() as group:
        group.start_soon(server.serve, [listener])
        group.start_soon(answer, services)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        server.should_exit = True
        await anyio.sleep(0.2)
        group.cancel_scope.cancel()
    listener.close()


async def test_every_check_that_is_about_what_the_server_does_passes(tmp_path: Path) -> None:
    command = suite_command()
    async with served() as url:
        for scenario in sorted(PASSING | MISSING.keys()):
            words = ["--url", url, "--scenario", scenario, "-o", str(tmp_path / "out")]
            await run_sync(ran, [*command, "server", *words])
    checks = found_in(tmp_path / "out")
    assert checks.keys() == PASSING | MISSING.keys()
    failed = {
        scenario: [(check["id"], check.get("errorMessage")) for check in found if check["status"] == "FAILURE"]
        for scenario, found in checks.items()
    }
    assert {
        scenario: [one for one in failures if one[0] not in MISSING.get(scenario, set())]
        for scenario, failures in failed.items()
    } == {scenario: [] for scenario in checks}
