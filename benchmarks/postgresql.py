"""What the audit log costs on PostgreSQL, and what three servers do that one does not.

    python -m benchmarks.postgresql [--appends N] [--append-only]

Starts a PostgreSQL of its own on loopback, which waits for the disk. An append takes turns with a bare INSERT and COMMIT
of psycopg: where other programs keep the machine busy, the ratio of the two counts. One server and three take turns too,
and the median of their ratios counts. The clients and Mailgun cost next to nothing, so that the servers have both cores.
Ends with exit code 1 when a limit is broken.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.many_clients import Clients, cpu_seconds
from mailgun_mcp.audit.entries import LogEntry
from mailgun_mcp.audit.log import AuditLog
from mailgun_mcp.store.opening import open_store
from tests.support.postgresql import Cluster, cluster
from tests.support.processes import command
from tests.support.replicas import Replica, team

WARM_UP = 100
MOST_MS = 1.0
MOST_RATIO = 1.5
"""Limit on an append, as a multiple of a bare insert. It applies if the insert alone is slow."""
LEAST_RATIO = 1.6
ROUNDS = 7
CALLS = 3000
"""Calls of one server, and of three, in each round."""
CLIENTS = 72
"""Clients of one server and of three, so that none of three waits for its share of them: a server is busy with 24."""


def milliseconds(calls: int, *runs: Callable[[int], object]) -> list[float]:
    """Return the median time of each function, in ms. The functions take turns."""
    spans: list[list[float]] = [[] for _ in runs]
    for number in range(calls + WARM_UP):
        for span, run in zip(spans, runs, strict=True):
            start = time.perf_counter()
            run(number)
            span.append((time.perf_counter() - start) * 1000)
    return [median(span[WARM_UP:]) for span in spans]


def appends(database: Cluster, home: Path, calls: int) -> tuple[float, float]:
    """Return the medians of an append to the audit log and of a bare insert, in ms."""
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
    """Run the stand-in for Mailgun, and yield its URL."""
    with upstream_process() as (url, _):
        yield url


@contextmanager
def upstream_process() -> Iterator[tuple[str, int]]:
    """Run the stand-in for Mailgun, and yield its URL and process id."""
    command = [sys.executable, str(Path(__file__).parent / "upstream.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Rate:
    """What a number of servers achieve together."""

    rate: float
    """Reads per second."""
    servers: float
    """Milliseconds of the servers' CPU time per read."""
    others: float
    """The same for PostgreSQL, the stand-in for Mailgun and the clients, which use the same cores."""

    def __str__(self) -> str:
        return f"{self.rate:.0f} calls/s ({self.servers:.2f} ms of CPU each, and {self.others:.2f} ms of others)"


@dataclass(frozen=True, slots=True)
class Scaling:
    """One server and three in turns, as many times each."""

    one: list[Rate]
    three: list[Rate]

    @property
    def ratios(self) -> list[float]:
        """How many times the rate of one server three achieve, in each round."""
        return [three.rate / one.rate for one, three in zip(self.one, self.three, strict=True)]

    @property
    def ratio(self) -> float:
        """The median."""
        return median(self.ratios)

    @property
    def bound(self) -> float:
        """How many times the rate of one server on its own core is possible on two busy cores."""
        return median(2 * one.servers / (one.servers + one.others) for one in self.one)

    def __str__(self) -> str:
        return (
            f"one server {_median(self.one)}, three {_median(self.three)}: "
            f"{self.ratio:.2f} [{min(self.ratios):.2f}-{max(self.ratios):.2f}]"
        )


def _median(rates: list[Rate]) -> Rate:
    return Rate(*(median(values) for values in zip(*map(astuple, rates), strict=True)))


def _cpu(processes: Iterable[int], parents: Iterable[int]) -> float:
    """Return the CPU seconds of the processes, of the children of `parents`, and of this process."""
    children = [
        int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and _parent(path) in {*parents}
    ]
    return time.process_time() + sum(cpu_seconds(process) for process in {*processes, *children})


def _parent(process: Path) -> int:
    with suppress(OSError):
        return int((process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])
    return 0


def calls_a_second(replicas: list[Replica], token: str, calls: int, others: list[int]) -> Rate:
    """Return the rate of the servers. `others` are the processes of PostgreSQL and of the stand-in for Mailgun."""
    with Clients([one.url for one in replicas], token, CLIENTS) as clients:
        clients.call(WARM_UP)
        used, beside = sum(cpu_seconds(one.process.pid) for one in replicas), _cpu(others, others)
        answers = clients.call(calls)
        used = sum(cpu_seconds(one.process.pid) for one in replicas) - used
        beside = _cpu(others, others) - beside
    if answers.errors:
        raise SystemExit(f"a call went wrong: {answers.errors[0]}")
    return Rate(answers.rate, used / calls * 1000, beside / calls * 1000)


def _do_not_interrupt_servers(stand_in: int) -> None:
    """Let the clients and the stand-in for Mailgun wait for a free core, as they do not share one with servers at work.

    By default the kernel takes the core from a server for each answer that arrives at a client. They get as much time.
    """
    if sys.platform == "linux":
        for process in (0, stand_in):
            os.sched_setscheduler(process, os.SCHED_BATCH, os.sched_param(0))


def scaling(database: Cluster, home: Path) -> Scaling:
    """Let one server and three take turns. A different one of the three is alone in each round."""
    flags = ("--rate-limit", "0")
    with (
        upstream_process() as (mailgun, process),
        team(home, mailgun, database.prepared_database(), *flags, start=command()) as servers,
    ):
        assert database.process is not None
        others = [process, database.process.pid]
        token = servers.token("benchmark")["Authorization"].removeprefix("Bearer ")
        _do_not_interrupt_servers(process)
        calls_a_second(servers.replicas, token, CALLS, others)
        one, three = [], []
        for number in range(ROUNDS):
            alone = servers.replicas[number % len(servers.replicas)]
            one.append(calls_a_second([alone], token, CALLS, others))
            three.append(calls_a_second(servers.replicas, token, CALLS, others))
    return Scaling(one, three)


def main() -> int:
    """Print the figures. Return 1 if a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appends", type=int, default=1500)
    parser.add_argument("--append-only", action="store_true")
    arguments = parser.parse_args()
    with TemporaryDirectory() as directory, cluster(safe=True) as database:
        home = Path(directory)
        ours, floor = appends(database, home, arguments.appends)
        limit = max(MOST_MS, MOST_RATIO * floor)
        sys.stdout.write(
            f"log append p50 {ours:.2f} ms, bare insert {floor:.2f} ms: {ours / floor:.2f}, limit {limit:.2f} ms\n"
        )
        broken = ours > limit
        if not arguments.append_only:
            found = scaling(database, home)
            sys.stdout.write(f"{found}, limit {LEAST_RATIO}; two cores allow {found.bound:.2f}\n")
            broken = broken or found.ratio < LEAST_RATIO
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
