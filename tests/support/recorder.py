"""A Mailgun in the test's own process that keeps what reached it, behind the real client."""

from collections.abc import Callable
from typing import Any

import httpx

from mailgun_mcp.call.services import Services
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from tests.support.apps import KEY, opened, own_state
from tests.support.empty_lists import empty_lists
from tests.support.operations import catalogue
from tests.support.requests import changing

NOW = 1_700_000_000.0
Answer = Callable[[str], httpx.Response]


async def _at_once(_: float) -> None:
    """Do not wait."""


def _nothing(_: str) -> httpx.Response:
    return httpx.Response(200, json=empty_lists())


class Recorder(httpx.AsyncBaseTransport):
    """Answers each request line with what `answer` makes of it."""

    def __init__(self, answer: Answer = _nothing) -> None:
        self.answer = answer
        self.lines: list[str] = []
        self.headers: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        line = f"{request.method} {request.url.raw_path.decode()}"
        self.lines.append(line)
        self.headers.append(str(request.headers.raw))
        return self.answer(line)

    @property
    def changes(self) -> list[str]:
        """The requests of more than a read."""
        return changing(self.lines)


class Clock:
    """A time that only the test moves."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def recorded_services(recorder: Recorder, **options: Any) -> Services:
    """Return services whose Mailgun is `recorder`, with the whole catalogue and a state of its own."""
    client = Client(
        resolve(url="http://127.0.0.1:1"),
        KEY,
        user_agent="tests",
        rate_limit=(0, 10.0),
        connect=lambda: recorder,
        sleep=_at_once,
    )
    options.setdefault("state", own_state())
    options.setdefault("catalogue", catalogue())
    options.setdefault("clock", Clock())
    return opened(Services(client=client, **options))
