"""A client whose time is the test's."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from mailgun_mcp.errors import MailgunError
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.request.build import Request

KEY = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"

GET = Request("GET", "/v4/domains", "limit=5")
SEND = Request(
    "POST", "/v3/x.example/messages", headers=(("Content-Type", "application/x-www-form-urlencoded"),), content=b"to=a"
)


@dataclass
class Time:
    """A clock that moves only by the waits asked of it, and records them."""

    now: float = 1_800_000_000.0
    waits: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


def make_client(time: Time | None = None, url: str | None = None, **options: Any) -> Client:
    """A client of the US region on httpx's own transport, which can be mocked, or of `url` on the real one; no rate limit."""
    time = time or Time()
    settings = {
        "user_agent": "mailgun-mcp/test",
        "rate_limit": (0, 10.0),
        "connect": None if url else httpx.AsyncHTTPTransport,
        "clock": time.clock,
        "sleep": time.sleep,
    }
    return Client(resolve(url=url), KEY, **{**settings, **options})


async def fault_of(client: Client, request: Request, *, repeatable: bool) -> MailgunError:
    """Send what is bound to fail and return how."""
    with pytest.raises(MailgunError) as caught:
        await client.send(request, repeatable=repeatable)
    return caught.value


def answering(handler: Callable[[httpx.Request], httpx.Response]) -> Callable[[], httpx.AsyncBaseTransport]:
    return lambda: httpx.MockTransport(handler)
