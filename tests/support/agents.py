"""A process that serves the agent over HTTP, with a scripted model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.processes import environment, http_server


@asynccontextmanager
async def agent_process(home: Path) -> AsyncIterator[tuple[str, str]]:
    """Give the base URL of the server, and the value of the Authorization header of its user."""
    from tests.agent.test_http import SCRIPT

    script = home / "script.yaml"
    script.write_text(SCRIPT, encoding="utf-8")
    words = ["--transport", "http", "--simulator", "--agent", "--model", f"script:{script}"]
    async with http_server(words, environment(home)) as server:
        yield server.address, server.headers["Authorization"]
