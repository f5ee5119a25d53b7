"""What the audit log adds to a call, and what a copy of 10,000 bounces and its undo cost.

    python benchmarks/audit_log.py [--rounds N] [--calls N]

A read goes through the whole pipeline to a stub in process, once recorded in the audit log and once not
(`audit: {reads: false}`); the two take turns in each round, and the medians count. The limits are for CPU time, which
other programs lengthen less: what passes is printed too. Beside them, a bare thread writes two
rows of the same size into SQLite with the same settings and answers: that is the floor for a record that is in the
store before the call is made. The copy is made of 10,000 bounces of
the simulator in process, before they are cleared, beside the plain call without a copy. Exits with 1 when a limit is broken.
"""

import argparse
import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
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
ADDED_AT_MOST = 1.3
"""Limit on the CPU time that the audit log adds to a read, beyond the bare log, as a multiple of the plain read."""
SECONDS_AT_MOST = 5.0
"""Limit on the seconds of CPU time for clearing 10,000 bounces with their copy."""
BOUNCES = 10_000


class Stub(httpx.AsyncBaseTransport):
    """A stand-in for Mailgun that answers at once."""

    async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"domain": {"name": DOMAIN, "state": "active"}})


def _app(connect: Any, policy: Policy, state: Path, catalogue: Catalogue) -> Services:
    client = Client(
        resolve(region="us"), "key-of-the-benchmark", user_agent="benchmark", rate_limit=(0, 10.0), connect=connect
    )
    return Services(catalogue=catalogue, client=client, policy=policy, state=state)


Figures = tuple[float, float]
"""The medians of the elapsed time and of the CPU time of the process, in ms."""


async def _medians(once: Callable[[], Awaitable[None]], calls: int) -> Figures:
    times, cpu = [], []
    for _ in range(calls):
        began, cpu_began = time.perf_counter(), time.process_time()
        await once()
        times.append(time.perf_counter() - began)
        cpu.append(time.process_time() - cpu_began)
    return statistics.median(times) * 1000, statistics.median(cpu) * 1000


def _read(services: Services) -> Callable[[], Awaitable[None]]:
    async def once() -> None:
        outcome = await run(services, "get_domain", {"domain": DOMAIN}, CALLER)
        assert not outcome.is_error, outcome.text

    return once


class _BareLog:
    """A thread that only does what the audit log does for a read: writes two rows in a transaction, and answers."""

    def __init__(self, directory: Path) -> None:
        self._jobs: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]] | None] = SimpleQueue()
        self._file = directory / "bare.sqlite3"
        self._thread = Thread(target=self._run)
        self._thread.start()

    async def write(self) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._jobs.put((loop, done))
        await done

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        connection = sqlite3.connect(self._file, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY, body TEXT)")
        while job := self._jobs.get():
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO log (body) VALUES (?)", [("x" * 900,), ("x" * 200,)])
            connection.execute("COMMIT")
            loop, done = job
            loop.call_soon_threadsafe(done.set_result, None)
        connection.close()


async def _reads(catalogue: Catalogue, rounds: int, calls: int) -> list[Figures]:
    """Return the figures of a read with the audit log, a read without it, and the bare log."""
    policy = profile("guarded")
    without = replace(policy, audit=AuditRules(reads=False), plans={})
    with tempfile.TemporaryDirectory() as directory:
        apps = [
            _app(Stub, one, Path(directory) / str(number), catalogue) for number, one in enumerate((policy, without))
        ]
        bare = _BareLog(Path(directory))
        measured = [*map(_read, apps), bare.write]
        for once in measured:
            await _medians(once, 50)
        found = [[await _medians(once, calls) for once in measured] for _ in range(rounds)]
        bare.close()
        for services in apps:
            await services.aclose()
    columns = list(zip(*found, strict=True))
    return [(statistics.median(a for a, _ in column), statistics.median(b for _, b in column)) for column in columns]


def _account() -> Account:
    account = demo_account(SystemClock())
    now = account.clock.now()
    for number in range(BOUNCES):
        address = f"p{number:05}@x.example"
        account.domains[DOMAIN].bounces[address] = Bounce(address, now - number, "550", f"5.1.1 no such user {address}")
    return account


async def _clear(catalogue: Catalogue, *, copied: bool) -> tuple[float, float, float]:
    """Return the CPU seconds of the call and of its undo, and the call's peak memory in megabytes."""
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
        began = time.process_time()
        outcome = await run(services, "clear_bounces", {"domain": DOMAIN}, CALLER)
        called, most = time.process_time() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert outcome.structured is not None, outcome.text
        undone = 0.0
        if copied:
            began = time.process_time()
            back = await run(services, "undo_operation", {"id": outcome.structured["undo"]["id"]}, CALLER)
            undone = time.process_time() - began
            assert back.structured is not None, back.text
            assert back.structured["put_back"] >= BOUNCES
        await services.aclose()
    return called, undone, most / 1e6


async def _measure(rounds: int, calls: int) -> int:
    catalogue = Catalogue.load()
    recorded, plain_read, floor = await _reads(catalogue, rounds, calls)
    for name, index in (("passes", 0), ("CPU", 1)):
        print(
            f"read p50, {name:6} {recorded[index]:6.3f} ms with the audit log, {plain_read[index]:6.3f} ms without; "
            f"a bare thread with SQLite {floor[index]:.3f} ms"
        )
    own = (recorded[1] - plain_read[1] - floor[1]) / plain_read[1]
    print(f"  the log's own CPU time is {own:.2f} of the read's (limit {ADDED_AT_MOST})")
    copied, undone, megabytes = await _clear(catalogue, copied=True)
    plain, _, floor_megabytes = await _clear(catalogue, copied=False)
    print(
        f"copy       {BOUNCES:,} bounces cleared in {copied:.2f} s of CPU time with a copy (limit {SECONDS_AT_MOST:g}), {plain:.2f} s without; "
        f"{megabytes:.1f} MB at most, {floor_megabytes:.1f} MB without"
    )
    print(f"undo       {BOUNCES:,} bounces put back and checked in {undone:.2f} s")
    return 0 if own < ADDED_AT_MOST and copied < SECONDS_AT_MOST else 1


def main() -> int:
    """Print the figures, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=300)
    arguments = parser.parse_args()
    return asyncio.run(_measure(arguments.rounds, arguments.calls))


if __name__ == "__main__":
    sys.exit(main())
