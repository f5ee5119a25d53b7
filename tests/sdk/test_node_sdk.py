"""Mailgun's own SDK for Node does what its README shows, against the simulator; only its base URL is set."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sdk.conftest import KEY

FOLDER = Path(__file__).parent / "node"
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"
PATIENCE = 300
"""Seconds for `npm ci` or for all flows."""


@pytest.fixture(scope="module")
def node() -> str:
    """The command `node`, with the SDK installed as its lock says."""
    command = shutil.which("node")
    if not command or not shutil.which("npm"):
        without("Mailgun's SDK for Node needs node and npm on the PATH")
    if not INSTALLED.is_file() or INSTALLED.stat().st_mtime < (FOLDER / "package-lock.json").stat().st_mtime:
        done = run(["npm", "ci", "--ignore-scripts"])
        if done.returncode:
            without(f"`npm ci` in tests/sdk/node failed: {done.stderr[-400:]}")
    return str(command)


def without(reason: str) -> None:
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def run(command: list[str], **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=FOLDER,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_every_flow_goes_as_documented(node: str, simulator: str) -> None:
    done = run([node, "flows.mjs"], MAILGUN_URL=simulator, MAILGUN_KEY=KEY)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert {result["name"]: result["failed"] for result in results if result["failed"]} == {}
    assert len(results) == 18
