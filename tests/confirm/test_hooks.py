"""Notification hooks: real commands and a real server are told of a pending call, and can do nothing but hear it."""

import asyncio
import json
import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from mailgun_mcp.confirm.approvals import Approval
from mailgun_mcp.confirm.hooks import describe, run_hooks
from mailgun_mcp.output import logs
from mailgun_mcp.policy.model import NotifyRules
from mailgun_mcp.settings import shell_command
from tests.support.state import NOW, PATIENCE
from tests.support.upstream import Upstream, hangs, replies, resets, says

pytestmark = pytest.mark.anyio

APPROVAL = Approval(
    id="abcd2345",
    created=NOW,
    expires=NOW + 600,
    status="pending",
    tool="delete_domain",
    title="Delete a domain",
    text='Delete a domain\n$(touch made-by-a-shell) "; touch made-by-a-shell',
    level="typed",
    typed="mail.example.com",
    account="main",
    principal="local",
    client="tests",
    binding="the binding",
    preview="the preview",
    answers=(),
)
TOLD = {
    "event": "approval.pending",
    "id": "abcd2345",
    "status": "pending",
    "tool": "delete_domain",
    "title": "Delete a domain",
    "text": APPROVAL.text,
    "level": "typed",
    "typed": "mail.example.com",
    "account": "main",
    "principal": "local",
    "client": "tests",
    "target": "mail.example.com",
    "created": "2027-01-15T08:00:00Z",
    "expires": "2027-01-15T08:10:00Z",
    "answers": [],
    "answer": {
        "show": shell_command("approvals", "show", "abcd2345"),
        "approve": shell_command("approvals", "approve", "abcd2345"),
        "deny": shell_command("approvals", "deny", "abcd2345"),
    },
}
KEY = "key-that-no-hook-may-see"
WRITES = """
import json, os, sys
kept = {name: os.environ.get(name) for name in ("MAILGUN_MCP_APPROVAL_ID", "MAILGUN_MCP_STATE", "MAILGUN_API_KEY")}
with open(sys.argv[1], "w") as file:
    json.dump([json.load(sys.stdin), kept, sys.argv[2:]], file)
print("this must not reach the client of a stdio server")
"""


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What was logged."""
    with structlog.testing.capture_logs() as records:
        monkeypatch.setattr(logs, "logger", structlog.get_logger)
        yield records


def script(code: str, *arguments: object) -> NotifyRules:
    return NotifyRules(command=(sys.executable, "-c", code, *map(str, arguments)))


def test_what_a_hook_is_told_is_what_a_person_is_shown() -> None:
    assert describe(APPROVAL) == TOLD


async def test_nothing_happens_without_hooks(logged: list[Any]) -> None:
    await run_hooks(None, APPROVAL)
    await run_hooks(NotifyRules(), APPROVAL)
    assert logged == []


async def test_a_command_reads_the_call_and_no_shell_is_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], logged: list[Any]
) -> None:
    monkeypatch.setenv("MAILGUN_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    await run_hooks(script(WRITES, "told.json", "$(touch made-by-a-shell)", "; ls"), APPROVAL, state=tmp_path)
    environment = {
        "MAILGUN_MCP_APPROVAL_ID": "abcd2345",
        "MAILGUN_MCP_STATE": str(tmp_path),
        "MAILGUN_API_KEY": None,
    }
    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    expected = {**TOLD, "answer": describe(APPROVAL, tmp_path)["answer"]}
    assert told == [expected, environment, ["$(touch made-by-a-shell)", "; ls"]]
    assert os.listdir(tmp_path) == ["told.json"]
    assert (capfd.readouterr().out, logged) == ("", [])


@pytest.mark.parametrize(
    ("hook", "error"),
    [
        pytest.param(script("raise SystemExit(3)"), "the command ended with exit code 3", id="fails"),
        pytest.param(NotifyRules(command=("/no/such/program",)), "the command did not start: ", id="missing"),
        pytest.param(NotifyRules(command=("nul\0byte",)), "the command did not start: ", id="impossible"),
    ],
)
async def test_a_command_that_fails_is_logged(hook: NotifyRules, error: str, logged: list[Any]) -> None:
    await run_hooks(hook, APPROVAL)
    assert [(one["event"], one["hook"], one["error"][: len(error)]) for one in logged] == [
        ("notification hook failed", "command", error)
    ]


async def test_a_command_need_not_read(logged: list[Any]) -> None:
    long = Approval(**{**{name: getattr(APPROVAL, name) for name in APPROVAL.__slots__}, "text": "x" * 1_000_000})
    await run_hooks(script("import sys; sys.stdin.close()"), long)
    assert logged == []


LINGERS = "(echo started; exec sleep 600) > writers & wait"


async def test_a_command_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: list[Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("writers")
    reader = os.open("writers", os.O_RDONLY | os.O_NONBLOCK)
    await run_hooks(NotifyRules(command=("/bin/sh", "-c", LINGERS)), APPROVAL, patience=1.0)
    os.set_blocking(reader, True)
    said = []
    while ready(reader) and (chunk := os.read(reader, 100)):
        said.append(chunk)
    # Only the death of all writers ends what is read.
    assert (said, ready(reader)) == ([b"started\n"], True)
    os.close(reader)
    assert [one["error"] for one in logged] == ["the command took more than 1 seconds"]


def ready(reader: int) -> bool:
    return bool(select.select([reader], [], [], PATIENCE)[0])


async def test_a_webhook_is_posted_the_call(upstream: Upstream, logged: list[Any]) -> None:
    await run_hooks(NotifyRules(url=f"{upstream.url}/hook?token=a"), APPROVAL)
    assert upstream.lines == ["POST /hook?token=a"]
    request = upstream.received[0]
    assert (request.headers["content-type"], json.loads(request.body), logged) == ("application/json", TOLD, [])


async def test_command_and_webhook_are_both_told_whatever_the_other_does(
    upstream: Upstream, tmp_path: Path, logged: list[Any]
) -> None:
    upstream.then(says({}, 500))
    command = script(WRITES, tmp_path / "told.json").command
    await run_hooks(NotifyRules(command=command, url=upstream.url), APPROVAL)
    assert (tmp_path / "told.json").exists()
    assert [one["error"] for one in logged] == ["the webhook answered with HTTP 500"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(upstream: Upstream, status: int, logged: list[Any]) -> None:
    upstream.then(replies(status, headers=[("Location", f"{upstream.url}/elsewhere")]))
    await run_hooks(NotifyRules(url=upstream.url), APPROVAL)
    assert upstream.lines == ["POST /"]
    assert [one["error"] for one in logged] == [f"the webhook answered with HTTP {status}"]


async def test_a_webhook_that_hangs_is_given_up(upstream: Upstream, logged: list[Any]) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()
    upstream.then(hangs(begun, gone))
    # On a busy machine the time can be up before the webhook is called.
    while not begun.is_set():
        await run_hooks(NotifyRules(url=upstream.url), APPROVAL, patience=0.3)
    await gone.wait()
    assert {one["error"][:20] for one in logged} == {"the webhook took mor"}


async def test_a_webhook_that_hangs_up_is_logged_without_its_url(upstream: Upstream, logged: list[Any]) -> None:
    upstream.then(resets)
    await run_hooks(NotifyRules(url=f"{upstream.url}/{KEY}"), APPROVAL)
    assert len(logged) == 1
    assert "could not be reached" in logged[0]["error"]
    assert KEY not in str(logged)


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "ftp://127.0.0.1/", "http://127.0.0.1.example.com/", "file:///etc/passwd", "http://[", ""],
)
async def test_a_url_that_is_not_safe_is_not_called(url: str, logged: list[Any]) -> None:
    await run_hooks(NotifyRules(url=url), APPROVAL)
    assert [one["error"] in ("the URL must start with https://", "the URL is not valid") for one in logged] == [True]


async def test_what_a_hook_answers_is_never_a_yes(upstream: Upstream, logged: list[Any]) -> None:
    upstream.then(says({"status": "approved", "yes": True, "id": APPROVAL.id}))
    answered = await run_hooks(NotifyRules(url=upstream.url), APPROVAL)  # type: ignore[func-returns-value] # that is the point
    assert (answered, APPROVAL.status) == (None, "pending")
