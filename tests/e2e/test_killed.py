"""A process is killed at every stage of a destructive call, and of its undo: nothing is lost that was not copied."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.request import Request, urlopen

import pytest

from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.simulator.control.account_json import snapshot
from mailgun_mcp.simulator.control.account_stream import account_from_lines
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.store.database import Store
from tests.support.apps import services_at
from tests.support.calls import LOCAL_USER, run
from tests.support.processes import PATIENCE, environment, pointed_at, simulated
from tests.support.undoing import Yes, differences, normal

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

BASIC = "Basic YXBpOmtleS1vZi10aGUtdGVzdHM="
DOMAIN = {"domain": "mail.example.com"}
CALLS: dict[str, dict[str, Any]] = {"clear_bounces": DOMAIN, "delete_route": {}, "clear_templates": DOMAIN}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with simulated(tmp_path_factory.mktemp("simulator")) as url:
        control(url, "clock", b'{"paused": true}')
        yield url


def control(url: str, route: str, body: bytes | None = None) -> Any:
    request = Request(f"{url}/simulator/{route}", body, {"content-type": "application/json"})
    with urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def account(url: str) -> Any:
    """Return the simulator's account as one document."""
    with urlopen(f"{url}/simulator/snapshot", timeout=PATIENCE) as answer:
        _, whole = account_from_lines(answer, ManualClock())
    return snapshot(whole)


def state(url: str) -> Any:
    return normal(account(url))


@pytest.fixture(scope="module")
def runner() -> Iterator[subprocess.Popen[str]]:
    """The process that runs command lines, each in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.killed"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


Killed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def killed(runner: "subprocess.Popen[str]", simulator: str) -> Killed:
    """Runs a command line that is killed at a fault point; past the last it comes to its end."""

    def run(point: int, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        out, err = home / "stdout", home / "stderr"
        request = {
            "point": point,
            "arguments": [*arguments, "--policy", "unguarded"],
            "environment": environment(home, pointed_at(simulator)),
            "stdout": str(out),
            "stderr": str(err),
        }
        assert runner.stdin is not None
        assert runner.stdout is not None
        runner.stdin.write(json.dumps(request) + "\n")
        runner.stdin.flush()
        watchdog = Timer(PATIENCE, runner.kill)
        watchdog.start()
        code = int(runner.stdout.readline())
        watchdog.cancel()
        return subprocess.CompletedProcess(list(arguments), code, out.read_text("utf-8"), err.read_text("utf-8"))

    return run


async def undone(url: str, home: Path) -> None:
    """Undo, as another process, whatever has a copy; the journal verifies before it and after."""
    services = services_at(url, state=home / "state", policy=profile("unguarded"))
    async with services:
        found = services.audit_log.verify()
        assert found.broken is None or found.nothing, "the process can be killed before its first entry"
        for kept in services.snapshots.list(services.clock()):
            outcome = await run(services, "undo_operation", {"id": kept.id}, Caller(LOCAL_USER, asker=Yes()))
            assert (outcome.structured or {"not_put_back": outcome.text})["not_put_back"] == []
        services.recorder.close()
        found = services.audit_log.verify()
        assert found.broken is None or found.nothing


async def made(tool: str, url: str, home: Path) -> str:
    """Make the call, which nothing disturbs, and return the id of the copy to undo it."""
    async with services_at(url, state=home / "state", policy=profile("unguarded")) as services:
        outcome = await run(services, tool, arguments_for(tool, url))
    assert outcome.structured is not None, outcome.text
    return str(outcome.structured["undo"]["id"])


def arguments_for(tool: str, url: str) -> dict[str, Any]:
    """Return the arguments; a route that was put back has another id."""
    if CALLS[tool]:
        return CALLS[tool]
    request = Request(f"{url}/v3/routes", headers={"Authorization": BASIC})
    with urlopen(request, timeout=PATIENCE) as answer:
        return {"id": json.load(answer)["items"][0]["id"]}


@pytest.mark.parametrize("tool", CALLS)
async def test_a_call_that_is_killed_anywhere_is_undone(
    tool: str, simulator: str, killed: Killed, tmp_path: Path
) -> None:
    before = state(simulator)
    outcomes = set()
    for point in range(100):
        home = tmp_path / str(point)
        home.mkdir()
        done = killed(point, home, "tools", "call", tool, json.dumps(arguments_for(tool, simulator)))
        changed = differences(before, state(simulator)) != []
        store = Store(home / "state")
        calls = list(AuditLog(store).calls()) if store.exists else []
        store.close()
        outcomes |= {call.outcome for call in calls}
        # What took effect is on record.
        assert len(calls) == 1 or not changed, point
        if store.exists:
            await undone(simulator, home)
        assert differences(before, state(simulator)) == [], (point, done.stderr)
        if done.returncode != -signal.SIGKILL:
            assert (done.returncode, changed) == (0, True), done.stderr
            break
    assert point > 8
    assert outcomes == {"unknown", "done"}


@pytest.mark.parametrize("tool", CALLS)
async def test_an_undo_that_is_killed_anywhere_is_completed(
    tool: str, simulator: str, killed: Killed, tmp_path: Path
) -> None:
    before = state(simulator)
    for point in range(100):
        home = tmp_path / str(point)
        home.mkdir()
        call = await made(tool, simulator, home)
        done = killed(point, home, "undo", "apply", call)
        await undone(simulator, home)
        assert differences(before, state(simulator)) == [], (point, done.stderr)
        if done.returncode != -signal.SIGKILL:
            assert done.returncode == 0, done.stderr
            break
    assert point > 8
