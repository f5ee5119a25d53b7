"""The approvals page in a browser: axe-core finds nothing, nothing is cut off, it is live, and its policy is never broken."""

import json
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.call.counters import Untrusted
from mailgun_mcp.confirm.approvals import Approvals
from mailgun_mcp.confirm.form import CallDetails
from mailgun_mcp.confirm.grants import Grants
from mailgun_mcp.identity.sessions import Sessions
from mailgun_mcp.store.database import Store
from tests.support.processes import environment, http_server
from tests.support.sdk import NODE, run, without
from tests.support.state import asked, request_approval

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NAME = "mail.example.com"
HOSTILE = "</bdi></pre></main><form action=https://evil.example><button>Approve</button></form>" + "W" * 400
FACTS = (
    "Send an email (domain mail.example.com).",
    "Risk: send, bulk. It sends mail.",
    f"2 outside the account's domains: {HOSTILE}",
    "It cannot be undone: mail that was sent cannot be called back.",
    "Now there: 30 bounces:",
    *(f"- {HOSTILE}" for _ in range(30)),
    "POST /v3/mail.example.com/messages",
)


@asynccontextmanager
async def server(home: Path) -> AsyncIterator[tuple[str, Store]]:
    """Give the address of a server, and its state."""
    if BROWSER is None:
        without("there is no chromium or google-chrome", provided=True)
    store = Store(home / "state")
    variables = environment(home, {"MAILGUN_MCP_PERSONAL_KEYS_SECRET": "s" * 43})
    async with http_server(["--transport", "http", "--simulator"], variables) as running:
        yield running.address, store
    store.close()


def log(store: Store) -> None:
    """Have calls of each outcome in the log, in which everything that can be text is hostile."""
    fields: dict[str, Any] = {
        "tool": HOSTILE,
        "principal": HOSTILE,
        "client": HOSTILE,
        "account": HOSTILE,
        "risk": "destructive",
    }
    fields |= {"arguments": {HOSTILE: HOSTILE, "n": [HOSTILE] * 50}, "decision": {"reason": HOSTILE}}
    fields |= {"confirmation": {"by": HOSTILE}}
    results = [{"result": {"outcome": outcome}} for outcome in ("done", "failed", "refused", "pending", "invalid")]
    entries = [LogEntry(f"call{number}", "outcome", {**fields, **result}) for number, result in enumerate(results)]
    AuditLog(store).append([LogEntry("call9", "intent", fields), *entries], time.time(), durable=True)


def link(base: str, store: Store) -> str:
    return f"{base}/sign-in?link={Sessions(store).create_link('olga', time.time())}"


async def browse(node: str, program: str, **variables: str) -> list[dict[str, object]]:
    done = await anyio.to_thread.run_sync(lambda: run([node, program], NODE, CHROMIUM=str(BROWSER), **variables))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_axe_finds_nothing_on_any_page_however_hostile_the_call(tmp_path: Path, node: str) -> None:
    async with server(tmp_path) as (base, store):
        arguments = {"text": HOSTILE * 30, "to": [f"{number}{HOSTILE}" for number in range(40)], HOSTILE: HOSTILE}
        details = CallDetails(HOSTILE, FACTS, arguments)
        forms = [
            replace(asked(level, request=level, principal=HOSTILE), call=details)
            for level in ("ask", "typed", "two_people")
        ]
        approvals = [request_approval(store, form, time.time(), 86_400) for form in forms]
        Approvals(store).approve(approvals[0].id, by="kim", now=time.time())
        Untrusted(store).mark("main", HOSTILE, time.time())
        Grants(store).add({"tool": HOSTILE}, account="main", until=time.time() + 900, by=HOSTILE, now=time.time())
        log(store)
        paths = ["", "/grants", "/marks", "/history", "/none", *(f"/{one.id}" for one in approvals)]
        others = [f"{base}/approvals/history?show=all", f"{base}/personal-key", f"{base}/sign-in?link=x"]
        urls = json.dumps([*(f"{base}/approvals{path}" for path in paths), *others])
        looks = await browse(node, "axe.mjs", PAGE_URLS=urls, SIGN_IN=link(base, store))
    assert len(looks) == 3 * (len(paths) + len(others))
    assert [
        look for look in looks if look["found"] or look["overflow"] != 0 or look["status"] not in (200, 400, 404)
    ] == []


async def test_a_person_answers_without_scripts_and_sees_changes_live_with_them(tmp_path: Path, node: str) -> None:
    async with server(tmp_path) as (base, store):
        approval = request_approval(store, asked("typed"), time.time(), 600)
        variables = {**environment(tmp_path), "BASE": base, "ID": approval.id, "TYPED": NAME}
        call = [
            sys.executable,
            ["-m", "mailgun_mcp", "tools", "call", "clear_bounces", f"domain={NAME}", "--simulator"],
        ]
        links = json.dumps([link(base, store), link(base, store)])
        (seen,) = await browse(node, "approvals.mjs", LINKS=links, CALL=json.dumps(call), **variables)
        statuses = sorted(one.status for one in Approvals(store).list(time.time()))
    assert statuses == ["approved", "denied"]
    assert seen == {
        "approved": "Approved. The call runs once, when the assistant makes it again.",
        "before": "Nothing is waiting for a person",
        "after": "1 call waits for a person",
        "announced": "One more call waits.",
        "denied": seen["denied"],
        "complaints": [],
    }
    assert "Denied by olga" in str(seen["denied"])
    assert "not today" in str(seen["denied"])
