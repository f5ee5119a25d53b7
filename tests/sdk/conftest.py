"""The simulator as a process of its own, as a person would start it for another program."""

from collections.abc import Iterator

import pytest

from tests.support.processes import simulated
from tests.support.sdk import NODE, need_command, run, without

KEY = "key-of-the-sdk"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a simulator that lets in `KEY` alone, and says that its stored messages are there too."""
    with simulated(tmp_path_factory.mktemp("simulator"), "--key", KEY, "--storage-url", "self") as url:
        yield url


@pytest.fixture(scope="session")
def node() -> str:
    """The command `node`, with the packages of `tests/sdk/node` installed as their lock says."""
    command = need_command("node", provided=True)
    npm = need_command("npm", provided=True)
    installed, lock = NODE / "node_modules" / ".package-lock.json", NODE / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        done = run([npm, "ci", "--ignore-scripts"], NODE)
        if done.returncode:
            without(f"`npm ci` in tests/sdk/node failed: {done.stderr[-400:]}", provided=True)
    return command
