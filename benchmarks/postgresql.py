"""What the audit log costs on PostgreSQL, and what three servers do that one does not.

    python -m benchmarks.postgresql [--calls N] [--append-only]

Starts a PostgreSQL of its own on loopback, which waits for the disk. An append takes turns with a bare INSERT and COMMIT
of psycopg: where other programs keep the machine busy, the ratio of the two counts. The clients and Mailgun cost next to
nothing, so that the servers have both cores. Ends with exit code 1 when a limit is broken.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.many_clients import Clients, cpu_seconds
from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.store.opening import open_store
from tests.support.postgresql import Cluster, cluster
from tests.support.replicas import Replica, team

WARM_UP = 100
MOST_MS = 1.0
MOST_RATIO = 1.5
"""An append may take so many times as long as a bare insert, where that alone is slow."""
LEAST_RATIO = 1.6
CLIENTS = 24


def milliseconds(calls: int, *runs: Callable[[int], object]) -> list[float]:
    """Return the median time of each of the calls, which take turns."""
    spans: list[list[float]] = [[] for _ in runs]
    for number in range(calls + WARM_UP):
        for span, run in zip(spans, runs, strict=True):
            start = time.perf_counter()
            run(number)
            span.append((time.perf_counter() - start) * 1000)
    return [median(span[WARM_UP:]) for span in spans]


def appends(database: Cluster, home: Path, calls: int) -> tuple[float, float]:
    """Return the medians of an append to the log and of a bare insert."""
    store = open_store(home / "state", database.prepared_database())
    log = AuditLog(store)
    body = {"tool": "delete_bounce", "arguments": {"domain": "mail.example.com", "address": "ann@example.com"}}

    def append(number: int) -> None:
        log.append([LogEntry(f"call{number}", "intent", body)], store.clock(), durable=True)

    with psycopg.connect(database.new_database()) as connection:
        connection.execute("CREATE TABLE floor (id INTEGER PRIMARY KEY, body TEXT)")
        connection.commit()

        def insert(number: int) -> None:
            connection.execute("INSERT INTO floor VALUES (%s, %s)", (number, str(body)))
            connection.commit()

        ours, floor = milliseconds(calls, append, insert)
    store.close()
    return ours, floor


@contextmanager
def upstream() -> Iterator[str]:
    """Run what answers in Mailgun's place."""
    command = [sys.executable, str(Path(__file__).parent / "upstream.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def calls_a_second(replicas: list[Replica], token: str, calls: int) -> tuple[float, float]:
    """Return how many reads the servers answer in a second, and how many milliseconds of CPU they use for one."""
    with Clients([one.url for one in replicas], token, CLIENTS) as clients:
        clients.call(WARM_UP)
        used = sum(cpu_seconds(one.process.pid) for one in replicas)
        answers = clients.call(calls)
    if answers.errors:
        raise SystemExit(f"a call went wrong: {answers.errors[0]}")
    used = sum(cpu_seconds(one.process.pid) for one in replicas) - used
    return answers.rate, used / calls * 1000


def main() -> int:
    """Print the figures. Returns 1 when a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1500)
    parser.add_argument("--append-only", action="store_true")
    arguments = parser.parse_args()
    with TemporaryDirectory() as directory, cluster(safe=True) as database:
        home = Path(directory)
        ours, floor = appends(database, home, arguments.calls)
        limit = max(MOST_MS, MOST_RATIO * floor)
        sys.stdout.write(
            f"log append p50 {ours:.2f} ms, bare insert {floor:.2f} ms: {ours / floor:.2f}, limit {limit:.2f} ms\n"
        )
        broken = ours > limit
        if not arguments.append_only:
            flags = ("--rate-limit", "0")
            with upstream() as mailgun, team(home, mailgun, database.prepared_database(), *flags) as servers:
                token = servers.token("benchmark")["Authorization"].removeprefix("Bearer ")
                one, alone = calls_a_second(servers.replicas[:1], token, arguments.calls)
                three, each = calls_a_second(servers.replicas, token, arguments.calls)
            sys.stdout.write(
                f"one server {one:.0f} calls/s ({alone:.2f} ms of CPU each), three {three:.0f} calls/s ({each:.2f} ms): "
                f"{three / one:.2f}, limit {LEAST_RATIO}\n"
            )
            broken = broken or three / one < LEAST_RATIO
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
