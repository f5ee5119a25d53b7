"""A server on stdio answers early unless it is told not to; garbage is collected again when it serves."""

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from mailgun_mcp.server import stdio_session, stdio_start
from mailgun_mcp.server.early_answers import EarlyAnswers
from mailgun_mcp.server.early_session import EarlySession
from tests.support.stdio_sessions import few_tools
from tests.support.upstream import Upstream

EARLY = EarlySession(EarlyAnswers(few_tools()), b"rest")


@pytest.fixture(autouse=True)
def _collector_as_before() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize(("answer_early", "session"), [(True, EARLY), (False, EarlySession())])
def test_the_session_that_began_early_goes_on(
    answer_early: bool, session: EarlySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Any] = []
    monkeypatch.setattr(stdio_start, "begin", lambda *_: EARLY)
    monkeypatch.setattr(stdio_session, "serve", lambda *given: served.append((*given, gc.isenabled())))
    stdio_start.serve(few_tools(), answer_early=answer_early)
    ((_, _, given, collecting),) = served
    assert (given, collecting) == (session, True)


FIRST_CALL = """
import anyio, json, os, sqlite3, sys, threading
import anyio._backends._asyncio
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.server import stdio_session
from mailgun_mcp.server.direct_calls import run
from mailgun_mcp.settings import Settings
services = create_services(Settings(api_key="key-0123", url=sys.argv[1], state=sys.argv[2]))
services.prepare()
before, opened, started = set(sys.modules), [], []
prepared = os.listdir(sys.argv[2]) if os.path.isdir(sys.argv[2]) else []
connect, start = sqlite3.connect, threading.Thread.start
sqlite3.connect = lambda *args, **options: opened.append(args[0]) or connect(*args, **options)
threading.Thread.start = lambda thread: started.append(thread.name) or start(thread)
anyio.run(run, services, "list_domains", {}, Caller(local_user()))
services.close()
modules = sorted(set(sys.modules) - before)
print(json.dumps({"modules": modules, "opened": opened, "started": started, "prepared": prepared}))
"""


@pytest.mark.anyio
async def test_the_first_call_imports_opens_and_starts_nothing_more(upstream: Upstream, tmp_path: Path) -> None:
    state = tmp_path / "state"
    command = [sys.executable, "-c", FIRST_CALL, upstream.url, str(state)]
    new = json.loads((await anyio.run_process(command, stderr=subprocess.STDOUT)).stdout)
    assert new["prepared"] == [], "a server that was never called has stored something"
    used = json.loads((await anyio.run_process(command, stderr=subprocess.STDOUT)).stdout)
    for each in (new, used):
        assert [module for module in each["modules"] if module.startswith("mailgun_mcp.")] == []
    assert (used["opened"], used["started"]) == ([], [])
    assert [request.method for request in upstream.received] == ["GET", "GET"]
