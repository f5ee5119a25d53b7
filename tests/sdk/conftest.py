"""The simulator as a process of its own, as a person would start it for another program."""

import re
import subprocess
from collections.abc import Iterator
from threading import Timer

import pytest

from tests.support.processes import PATIENCE, command, environment

KEY = "key-of-the-sdk"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a simulator that lets in `KEY` alone, and says that its stored messages are there too."""
    home = tmp_path_factory.mktemp("simulator")
    with (home / "errors").open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command("simulator", "--port", "0", "--quiet", "--key", KEY, "--storage-url", "self"),
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        watchdog = Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            found = re.search(r"listens on (http://\S+)", process.stdout.readline())
            assert found, (home / "errors").read_text(encoding="utf-8")
            watchdog.cancel()
            yield found[1]
        finally:
            watchdog.cancel()
            process.kill()
            process.communicate()
    assert "simulator_failed" not in (home / "errors").read_text(encoding="utf-8")
