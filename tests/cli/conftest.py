"""What the tests of the command line share: a person's empty home, and the command as a process."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.support.forked import forked
from tests.support.processes import PATIENCE, command, environment

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without configuration, which is also the working directory."""
    for name in [name for name in os.environ if name.upper().startswith(("MAILGUN_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def mailgun_mcp(tmp_path: Path) -> Command:
    """Runs `mailgun-mcp` as a process of its own, which has what it needs in memory already."""
    return partial(_run, forked, tmp_path)


@pytest.fixture
def started(tmp_path: Path) -> Command:
    """Runs `mailgun-mcp` as a shell does."""
    return partial(_run, command, tmp_path)


def _run(
    start: Callable[..., list[str]], home: Path, /, *arguments: str, stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        start(*arguments),
        input=stdin,
        env=environment(home, variables),
        cwd=home,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


@asynccontextmanager
async def settling() -> AsyncIterator[None]:
    """Let what the block started in this loop end with it: a peer that hangs up at once leaves its connection open."""
    before = asyncio.all_tasks()
    yield
    await _turns()
    while begun := asyncio.all_tasks() - before:
        await asyncio.wait(begun, timeout=PATIENCE)
    await _turns()


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
