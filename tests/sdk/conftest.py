"""The simulator as a process of its own, as a person would start it for another program."""

import re
from collections.abc import Iterator

import pytest

from tests.support.processes import simulated, simulator_output
from tests.support.sdk import NODE, need_command, run, without

KEY = "key-of-the-sdk"
PRINTED = {
    "MAILGUN_URL": r"listens on (http://\S+)",
    "SMTP_PORT": r"127\.0\.0\.1:(\d+) \(STARTTLS\)",
    "SMTP_TLS_PORT": r"127\.0\.0\.1:(\d+) \(TLS\)",
    "SMTP_CERTIFICATE": r"certificate: (\S+)",
}
"""Environment variable of a program -> where the simulator prints its value."""


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a simulator that lets in `KEY` alone, and says that its stored messages are there too."""
    with simulated(tmp_path_factory.mktemp("simulator"), "--key", KEY, "--storage-url", "self") as url:
        yield url


@pytest.fixture(scope="module")
def smtp_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment variables that say where a simulator with SMTP is. It lets in `KEY` alone."""
    flags = ("--key", KEY, "--smtp", "0", "--smtp-tls", "0")
    with simulator_output(tmp_path_factory.mktemp("simulator"), *flags, lines=6) as output:
        text = "".join(output)
        found = {name: match[1] for name, pattern in PRINTED.items() if (match := re.search(pattern, text))}
        yield {"MAILGUN_KEY": KEY, **found}


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
