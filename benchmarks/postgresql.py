"""What the audit log costs on PostgreSQL, and what three servers do that one does not.

    python -m benchmarks.postgresql [--calls N] [--append-only]

Starts a PostgreSQL of its own on loopback, which waits for the disk. An append is compared with a bare INSERT and COMMIT
of psycopg in the same run. Ends with exit code 1 when a limit is broken. Needs a quiet machine with two cores.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg

from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.store.opening import open_store
from tests.support.postgresql import Cluster, cluster
from tests.support.processes import simulated
from tests.support.replicas import team
from tests.support.team import call_modern, client_of_url

WARM_UP = 100
MOST_MS = 1.0
LEAST_RATIO = 1.6
CLIENTS = 24


def milliseconds(calls: int, run: Callable[[int], object]) -> float:
    """Return the median time of a call."""
    spans = []
    for number in range(calls + WARM_UP):
        start = time.perf_counter()
        run(number)
        spans.append((time.perf_counter() - start) * 1000)
    return median(spans[WARM_UP:])


def appends(database: Cluster, home: Path, calls: int) -> tuple[float, float]:
    """Return the medians of an append to the log and of a bare insert."""
    store = open_store(home / "state", database.prepared_database())
    log = AuditLog(store)
    body = {"tool": "delete_bounce", "arguments": {"domain": "mail.example.com", "address": "ann@example.com"}}

    def append(number: int) -> None:
        log.append([LogEntry(f"call{number}", "intent", body)], store.clock(), durable=True)

    ours = milliseconds(calls, append)
    store.close()
    with psycopg.connect(database.new_database()) as connection:
        connection.execute("CREATE TABLE floor (id INTEGER PRIMARY KEY, body TEXT)")

        def insert(number: int) -> None:
            connection.execute("INSERT INTO floor VALUES (%s, %s)", (number, str(body)))
            connection.commit()

        return ours, milliseconds(calls, insert)


async def calls_a_second(urls: list[str], token: dict[str, str], calls: int) -> float:
    """Return how many reads the servers answer in a second, with clients spread over them."""
    left = iter(range(calls))

    async def work(url: str) -> None:
        async with client_of_url(url, token) as client:
            for _ in left:
                answer = await call_modern(client, token, "list_domains", {})
                answer.raise_for_status()

    start = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(CLIENTS):
            tasks.create_task(work(urls[number % len(urls)]))
    return calls / (time.perf_counter() - start)


def main() -> int:
    """Print the figures. Returns 1 when a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1500)
    parser.add_argument("--append-only", action="store_true")
    arguments = parser.parse_args()
    with TemporaryDirectory() as directory, cluster(safe=True) as database:
        home = Path(directory)
        ours, floor = appends(database, home, arguments.calls)
        sys.stdout.write(f"log append p50 {ours:.2f} ms, bare insert {floor:.2f} ms, limit {MOST_MS} ms\n")
        broken = ours > MOST_MS
        if not arguments.append_only:
            with simulated(home) as mailgun, team(home, mailgun, database.prepared_database()) as servers:
                token = servers.token("benchmark")
                urls = [one.url for one in servers.replicas]
                asyncio.run(calls_a_second(urls, token, 100))
                one = asyncio.run(calls_a_second(urls[:1], token, arguments.calls))
                three = asyncio.run(calls_a_second(urls, token, arguments.calls))
            sys.stdout.write(
                f"one server {one:.0f} calls/s, three {three:.0f} calls/s: {three / one:.2f}, limit {LEAST_RATIO}\n"
            )
            broken = broken or three / one < LEAST_RATIO
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
