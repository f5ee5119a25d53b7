"""How long workflow tools take if each answer of Mailgun takes 50 ms.

    python -m benchmarks.workflows

Each may take three round trips plus the time of this process; `deliverability_report` of ten domains 1.5 s in all.
Exits with 1 if a limit is broken.
"""

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from typing import Any

import httpx

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.services import Services
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.settings import Settings

LATENCY = 0.05
ROUNDS = 3
OWN_WORK = 0.3
"""Limit on the time of the simulator and this process, in seconds, on two busy cores."""
TEN_DOMAINS = 1.5
SHOP, NEWS = "mail.example.com", "news.example.org"
CALLS: dict[str, dict[str, Any]] = {
    "check_domain_health": {"domain": SHOP},
    "explain_delivery": {"domain": SHOP},
    "find_recipient": {"address": "nobody@novak.example"},
    "deliverability_report": {},
    "compare_domains": {"domains": [SHOP, NEWS]},
    "audit_data_flows": {},
    "plan_suppression_cleanup": {"domain": SHOP},
}


class Slow(httpx.AsyncBaseTransport):
    """The simulator behind a slow network."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.calls = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer after the latency."""
        self.calls += 1
        await asyncio.sleep(LATENCY)
        return await self._inner.handle_async_request(request)


def slow_services(state: str) -> Services:
    """Return services that reach the simulator through a slow network."""
    services = create_services(Settings(simulator=True, policy="unguarded", state=state))
    connect = services.client._connect
    assert connect is not None
    client = Client(
        services.client.endpoint, "simulator", user_agent="benchmark", timeout=30, connect=lambda: Slow(connect())
    )
    return replace(services, client=client)


async def timed(services: Services, tool: str, arguments: dict[str, Any]) -> float:
    """Return the shortest of three times of a call."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        outcome = await run(services, tool, arguments, Caller(local_user()))
        times.append(time.perf_counter() - started)
        assert not outcome.is_error, outcome.text
    return min(times)


async def main() -> int:
    """Print the table."""
    broken = False
    with tempfile.TemporaryDirectory() as state:
        async with slow_services(state) as services:
            for number in range(6):
                await run(services, "create_domain", {"domain": f"d{number}.example.com"}, Caller(local_user()))
            for tool, arguments in CALLS.items():
                limit = TEN_DOMAINS if tool == "deliverability_report" else ROUNDS * LATENCY + OWN_WORK
                seconds = await timed(services, tool, arguments)
                broken |= seconds > limit
                print(f"{tool:28} {1000 * seconds:7.0f} ms (limit {1000 * limit:.0f})")
    return int(broken)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
