"""What the audit log adds to a call, and what a copy of 10,000 bounces and its undo cost.

    python benchmarks/audit_log.py [--rounds N] [--calls N]

A read goes through the whole pipeline to a stub in process, once recorded in the audit log and once not
(`audit: {reads: false}`); the two take turns in each round, and the medians count. The copy is made of 10,000 bounces of
the simulator in process, before they are cleared, beside the plain call without a copy. Exits with 1 when a limit is broken.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from mailgun_mcp.call.pipeline import run
from mailgun_mcp.call.services import Services
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.confirm.caller import Caller
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.mailgun.endpoint import resolve
from mailgun_mcp.policy.model import AuditRules, Policy, UndoRules
from mailgun_mcp.policy.profiles import profile
from mailgun_mcp.simulator import create_app
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import SystemClock
from mailgun_mcp.simulator.model.suppressions import Bounce
from mailgun_mcp.simulator.transport import InProcessTransport
from mailgun_mcp.simulator.worlds.demo import demo_account

DOMAIN = "mail.example.com"
CALLER = Caller(local_user())
ADDED_AT_MOST = 0.3
"""Milliseconds that the audit log may add to a read's median."""
SECONDS_AT_MOST = 5.0
BOUNCES = 10_000


class Stub(httpx.AsyncBaseTransport):
    """Answers at once."""

    async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"domain": {"name": DOMAIN, "state": "active"}})


def _app(connect: Any, policy: Policy, state: Path, catalogue: Catalogue) -> Services:
    client = Client(
        resolve(region="us"), "key-of-the-benchmark", user_agent="benchmark", rate_limit=(0, 10.0), connect=connect
    )
    return Services(catalogue=catalogue, client=client, policy=policy, state=state)


async def _median(services: Services, calls: int) -> float:
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        outcome = await run(services, "get_domain", {"domain": DOMAIN}, CALLER)
        times.append(time.perf_counter() - began)
        assert not outcome.is_error, outcome.text
    return statistics.median(times) * 1000


async def _reads(catalogue: Catalogue, rounds: int, calls: int) -> tuple[float, float]:
    policy = profile("guarded")
    without = replace(policy, audit=AuditRules(reads=False), plans={})
    found: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as directory:
        apps = [
            _app(Stub, one, Path(directory) / str(number), catalogue) for number, one in enumerate((policy, without))
        ]
        for services in apps:
            await _median(services, 50)
        while len(found) < rounds:
            found.append((await _median(apps[0], calls), await _median(apps[1], calls)))
        for services in apps:
            await services.aclose()
    recorded, floor = (statistics.median(column) for column in zip(*found, strict=True))
    return recorded, floor


def _account() -> Account:
    account = demo_account(SystemClock())
    now = account.clock.now()
    for number in range(BOUNCES):
        address = f"p{number:05}@x.example"
        account.domains[DOMAIN].bounces[address] = Bounce(address, now - number, "550", f"5.1.1 no such user {address}")
    return account


async def _clear(catalogue: Catalogue, *, copied: bool) -> tuple[float, float, float]:
    """Return the seconds of the call and of its undo, and the most megabytes that the call took."""
    account = _account()
    policy = (
        profile("unguarded")
        if copied
        else replace(profile("unguarded"), undo=UndoRules(records=0, too_many="allow"), plans={})
    )
    with tempfile.TemporaryDirectory() as directory:
        services = _app(
            lambda: InProcessTransport(create_app(catalogue, account=account)),
            policy,
            Path(directory) / "state",
            catalogue,
        )
        await run(services, "get_domain", {"domain": DOMAIN}, CALLER)
        tracemalloc.start()
        began = time.perf_counter()
        outcome = await run(services, "clear_bounces", {"domain": DOMAIN}, CALLER)
        called, most = time.perf_counter() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert outcome.structured is not None, outcome.text
        undone = 0.0
        if copied:
            began = time.perf_counter()
            back = await run(services, "undo_operation", {"id": outcome.structured["undo"]["id"]}, CALLER)
            undone = time.perf_counter() - began
            assert back.structured is not None, back.text
            assert back.structured["put_back"] >= BOUNCES
        await services.aclose()
    return called, undone, most / 1e6


async def _measure(rounds: int, calls: int) -> int:
    catalogue = Catalogue.load()
    recorded, floor = await _reads(catalogue, rounds, calls)
    added = recorded - floor
    print(
        f"read p50   {recorded:6.3f} ms with the audit log, {floor:6.3f} ms without, ratio {recorded / floor:.2f}; "
        f"added {added:.3f} ms (limit {ADDED_AT_MOST})"
    )
    copied, undone, megabytes = await _clear(catalogue, copied=True)
    plain, _, floor_megabytes = await _clear(catalogue, copied=False)
    print(
        f"copy       {BOUNCES:,} bounces cleared in {copied:.2f} s with a copy (limit {SECONDS_AT_MOST:g}), {plain:.2f} s without; "
        f"{megabytes:.1f} MB at most, {floor_megabytes:.1f} MB without"
    )
    print(f"undo       {BOUNCES:,} bounces put back and checked in {undone:.2f} s")
    return 0 if added < ADDED_AT_MOST and copied < SECONDS_AT_MOST else 1


def main() -> int:
    """Print the figures and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=300)
    arguments = parser.parse_args()
    return asyncio.run(_measure(arguments.rounds, arguments.calls))


if __name__ == "__main__":
    sys.exit(main())
