"""The commands that models and people are told run as they are printed: from any directory, and with any state directory."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.hooks import describe
from mailgun_mcp.identity.accounts import Accounts
from mailgun_mcp.policy.profiles import profile
from tests.support.apps import with_key
from tests.support.calls import run
from tests.support.recorder import Recorder, recorded_services
from tests.support.state import PATIENCE

pytestmark = pytest.mark.anyio

NAME = 'the "state" of ann\'s $(touch made-by-a-shell); team'
KEY = {"key": {"id": "1", "secret": "the-secret-of-the-new-key"}}
BOUNCE = {"domain_name": "mg.example.com", "address": "ann@example.com"}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    mailgun = Recorder(lambda _: httpx.Response(200, json=KEY))
    return recorded_services(mailgun, state=tmp_path / NAME, account_name="production", clock=now)


def now() -> float:
    import time

    return time.time()


def shell(command: str, cwd: Path) -> str:
    """Run the command as a person does who pastes it into a terminal that knows nothing of the server."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(cwd)}
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert not (cwd / "made-by-a-shell").exists()
    return done.stdout


def printed(text: str, words: str) -> str:
    """Return the one command in backticks that holds the words."""
    found = [command for command in re.findall(r"`([^`]+)`", text) if words in command]
    assert len(found) == 1, text
    return str(found[0])


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    return directory


async def test_the_model_is_told_a_command_that_approves(services: Services, elsewhere: Path) -> None:
    pending = await run(services, "delete_bounce", BOUNCE)
    assert pending.approval
    approval = services.approvals.get(pending.approval["id"], now())
    hook = describe(approval, services.state)["answer"]
    assert hook["approve"] == printed(pending.text, "approvals approve")
    assert "DELETE" in shell(hook["show"], elsewhere)
    typed = f" --typed {approval.typed}" if approval.typed else ""
    assert "Approved" in shell(hook["approve"] + typed, elsewhere)
    assert "Denied" in shell(hook["deny"], elsewhere)


async def test_the_model_is_told_a_command_that_shows_a_withheld_secret(services: Services, elsewhere: Path) -> None:
    services = recorded_services(
        Recorder(lambda _: httpx.Response(200, json=KEY)), state=services.state, policy=profile("unguarded"), clock=now
    )
    made: Any = await run(services, "create_api_key", {"role": "sending", "kind": "domain", "domain_name": "a.example"})
    reference = json.loads(made.text)["key"]["secret"]
    assert shell(re.search(r"reads it with: (.*)\)", reference)[1], elsewhere).strip() == KEY["key"]["secret"]  # type: ignore[index] # it matches


async def test_the_operator_is_told_a_command_that_accepts_a_new_key(services: Services, elsewhere: Path) -> None:
    await run(services, "delete_bounce", BOUNCE)
    refused = await run(with_key(services, "another key"), "delete_bounce", BOUNCE)
    assert "Accepted" in shell(printed(refused.text, "accounts accept"), elsewhere)
    assert len(Accounts(services.store).list()[0].keys) == 2
