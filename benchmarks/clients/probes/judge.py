"""The test of each client library: the same five questions, asked through the library's own API.

A probe runs with the Python of the library's environment, so this module needs only the standard library.
"""

import asyncio
import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

COMMAND: list[str] = json.loads(os.environ["PROBE_COMMAND"])
ENVIRONMENT: dict[str, str] = json.loads(os.environ["PROBE_ENVIRONMENT"])
SIMULATOR = os.environ["PROBE_SIMULATOR"]
DOMAIN = "mail.example.com"
ADDRESSES = ("probe-one@example.org", "probe-two@example.org")


@dataclass(slots=True)
class Heard:
    """What the server sends to the client besides results."""

    questions: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)


class Session(Protocol):
    """A connection to the server through a library."""

    async def tools(self) -> int:
        """Return how many tools the library lists or converts."""

    async def call(self, name: str, arguments: dict[str, Any]) -> tuple[bool, str]:
        """Call a tool. Return whether the call failed, and the text."""


Connect = Callable[[Heard, bool], AbstractAsyncContextManager[Session]]
"""Function that connects to the server. The second argument: whether a person is there, who agrees to everything."""
Sessions = AsyncIterator[Session]


async def judge(connect: Connect) -> dict[str, Any]:
    """Return the answers to the five questions."""
    heard = Heard()
    async with connect(heard, True) as session:
        tools = await session.tools()
        failed, text = await session.call("list_domains", {})
        calls = not failed and DOMAIN in text
        for address in ADDRESSES:
            post("v3/" + DOMAIN + "/bounces", {"address": address})
        failed, text = await session.call("delete_bounce", {"domain": DOMAIN, "address": ADDRESSES[0]})
        asked = _confirmation(failed, text, heard)
        control({"faults": [{"kind": "rate_limited", "operation": "list_domains", "times": 1, "seconds": 1}]})
        failed, text = await session.call("list_domains", {})
        progress = bool(heard.reports) and not failed
        strict = getattr(session, "strict", None)
    async with connect(Heard(), False) as session:
        resumes = await _resumes(session)
    answers = {"lists": tools, "calls": calls, "asked": asked, "progress": progress, "resumes": resumes}
    return answers if strict is None else {**answers, "strict": strict}


def _confirmation(failed: bool, text: str, heard: Heard) -> str:
    if heard.questions and not failed and ADDRESSES[0] in heard.questions[0]:
        return "by a form"
    return "by approval" if pending(text) else f"no: {text[:200]}"


async def _resumes(session: Session) -> bool:
    """Return whether the same call runs after a person has approved it in a terminal."""
    call = ("delete_bounce", {"domain": DOMAIN, "address": ADDRESSES[1]})
    _, text = await session.call(*call)
    approval = pending(text)
    if not approval:
        return False
    approve(approval)
    failed, text = await session.call(*call)
    return not failed


def pending(text: str) -> str:
    """Return the id of the pending approval that a result names. Empty if there is none."""
    _, found, rest = text.partition("Pending approval ")
    return rest[:8] if found else ""


def approve(approval: str) -> None:
    """Approve a pending call as a person would in a terminal."""
    words = [*COMMAND[: COMMAND.index("mailgun_mcp") + 1], "approvals", "approve", approval]
    subprocess.run(words, env={**os.environ, **ENVIRONMENT}, input=b"y\n", check=True, capture_output=True)


def control(body: dict[str, Any]) -> None:
    """Make the simulator inject faults."""
    _send("simulator/faults", json.dumps(body).encode(), "application/json")


def post(path: str, fields: dict[str, str]) -> None:
    """Send a request to the simulated Mailgun."""
    _send(path, urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded")


def _send(path: str, body: bytes, kind: str) -> None:
    request = urllib.request.Request(f"{SIMULATOR}/{path}", data=body, method="POST", headers={"Content-Type": kind})
    request.add_header("Authorization", "Basic YXBpOmtleQ==")
    urllib.request.urlopen(request, timeout=30).close()


def text_of(result: Any) -> str:
    """Return the text of an MCP result."""
    return "\n".join(getattr(block, "text", "") for block in result.content)


def run(connect: Connect) -> None:
    """Ask the five questions, and print the answers as JSON."""
    sys.stdout.write(json.dumps(asyncio.run(judge(connect))) + "\n")
