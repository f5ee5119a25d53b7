"""Servers of the agent over HTTP, with a scripted model: as an app in the test's process, and as a process of its own."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.settings import Settings
from tests.support.apps import opened, own_state
from tests.support.chats import DOMAIN
from tests.support.processes import environment, http_server
from tests.support.team import team_server, token_of

SCRIPT = f"""
turns:
- user: clear
  steps:
  - calls: [{{tool: clear_bounces, arguments: {{domain_name: {DOMAIN}}}}}]
  - {{when: said no, say: I leave it.}}
  - {{say: Cleared.}}
- steps: [{{say: Hello to you.}}]
"""


@asynccontextmanager
async def agent_server() -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, str], dict[str, str]]]:
    """Give a client of a server with the agent, and the tokens of ann and ben."""
    state = own_state()
    (state / "script.yaml").write_text(SCRIPT, encoding="utf-8")
    settings = Settings(
        simulator=True, state=str(state), transport="http", agent=True, model=f"script:{state / 'script.yaml'}"
    )
    services = opened(create_services(settings))
    ann, ben = (token_of(services, name, "read write send destructive approve") for name in ("ann", "ben"))
    async with team_server(services, settings) as client:
        yield client, ann, ben


def message(text: str, *, thread: str = "t", run: str = "r1", **more: Any) -> dict[str, Any]:
    return {"threadId": thread, "runId": run, "messages": [{"id": "m", "role": "user", "content": text}], **more}


def resume(
    approval: str, *, run: str = "r2", status: str = "resolved", thread: str = "t", **payload: Any
) -> dict[str, Any]:
    entry = {"interruptId": approval, "status": status, **({"payload": payload} if payload else {})}
    return {"threadId": thread, "runId": run, "messages": [], "resume": [entry]}


def events_of(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]


def interrupts(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    outcome: list[dict[str, Any]] = events[-1]["outcome"]["interrupts"]
    return outcome


@asynccontextmanager
async def agent_process(home: Path) -> AsyncIterator[tuple[str, str]]:
    """Give the base URL of the server, and the value of the Authorization header of its user."""
    script = home / "script.yaml"
    script.write_text(SCRIPT, encoding="utf-8")
    words = ["--transport", "http", "--simulator", "--agent", "--model", f"script:{script}"]
    async with http_server(words, environment(home)) as server:
        yield server.address, server.headers["Authorization"]
