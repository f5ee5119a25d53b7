"""Measures the simulator: requests a second beside a bare ASGI app, and what a million events cost.

    python -m benchmarks.simulator [--rounds N] [--events N [--copies N]] [--cpu] [--json]

Requests are made in process, one at a time, on one core. The simulator and a bare ASGI app that answers
the same bytes take turns in each round; the ratio is formed inside the round, and the median over the
rounds counts. Exits with 1 when a limit is broken. With --cpu, queries are measured in CPU time, for a busy machine.
Each figure is printed when it is there. A million events take about 80 s of CPU time, 55 s with --copies 10.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.types import ASGIApp, Message

from benchmarks.many_events import fill
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.simulator import create_app
from mailgun_mcp.simulator.control.account_stream import account_lines
from mailgun_mcp.simulator.control.full_collections import short_collections
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import ManualClock
from mailgun_mcp.simulator.worlds.demo import demo_account
from mailgun_mcp.text.atomic_write import write_file

REQUESTS, WARM_UP = 2000, 200
RATE_AT_LEAST = 2000.0
MEGABYTES_AT_MOST, LARGE_MEGABYTES_AT_MOST = 300.0, 2000.0
PEAK_AT_MOST, START_AT_MOST = 400.0, 1.0
"""Limits: peak megabytes while a million events are sent or written as a whole, and CPU seconds to start with them."""
MS_AT_MOST, P99_AT_MOST = 2000, 100
"""Limits in ms: for a query of a million events, and for the p99 of small requests meanwhile."""
HEADERS = [
    (b"authorization", b"Basic " + b64encode(b"api:key")),
    (b"host", b"api.mailgun.net"),
    (b"accept", b"*/*"),
]
FORM = (b"content-type", b"application/x-www-form-urlencoded")
JSON = (b"content-type", b"application/json")
MAIL = b"from=a%40mail.example.com&to=b%40x.example&subject=Hi&text=Hello&o%3Atag=one"
METRICS = json.dumps({"duration": "1d", "metrics": ["delivered_count", "opened_rate"], "dimensions": ["time"]}).encode()


@dataclass(frozen=True, slots=True)
class Case:
    """A request that is made repeatedly."""

    name: str
    method: str
    path: str
    query: bytes = b""
    content: bytes = b""
    kind: tuple[bytes, bytes] | None = None
    at_least: float | None = None


CASES = (
    Case("get a domain", "GET", "/v4/domains/mail.example.com", at_least=RATE_AT_LEAST),
    Case("get a bounce", "GET", "/v3/mail.example.com/bounces/nobody@novak.example", at_least=RATE_AT_LEAST),
    Case("list domains", "GET", "/v4/domains", b"limit=5", at_least=RATE_AT_LEAST),
    Case("list events", "GET", "/v3/mail.example.com/events", b"limit=5"),
    Case("send", "POST", "/v3/mail.example.com/messages", content=MAIL, kind=FORM),
    Case("query metrics", "POST", "/v1/analytics/metrics", content=METRICS, kind=JSON),
)


def scope_of(case: Case) -> dict[str, Any]:
    """Return the ASGI scope of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": case.method,
        "scheme": "https",
        "path": case.path,
        "raw_path": case.path.encode(),
        "query_string": case.query,
        "headers": [*HEADERS, *([case.kind] if case.kind else [])],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }


def bare(answer: bytes) -> ASGIApp:
    """Return a minimal ASGI app: it reads the request, and sends `answer`."""

    async def app(
        _: Any, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        await receive()
        start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]}
        await send(start)
        await send({"type": "http.response.body", "body": answer})

    return app


async def ask(app: ASGIApp, case: Case) -> bytes:
    """Make the request once. Exits the program if it fails."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": case.content, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope_of(case), receive, send)
    if sent[0]["status"] != 200:
        raise SystemExit(f"{case.name}: {sent[0]['status']} {sent[1]['body']!r}")
    return b"".join(message["body"] for message in sent[1:])


async def rate(app: ASGIApp, case: Case) -> float:
    """Return the requests per second."""
    for _ in range(WARM_UP):
        await ask(app, case)
    begin = time.perf_counter()
    for _ in range(REQUESTS):
        await ask(app, case)
    return REQUESTS / (time.perf_counter() - begin)


Show = Callable[[str], None]
"""Shows a line as soon as its figure is there."""


async def speeds(rounds: int, show: Show) -> list[dict[str, Any]]:
    """Return each case's figures."""
    catalogue = Catalogue.load()
    results = []
    for case in CASES:
        pairs = []
        for _ in range(rounds):
            simulator = create_app(catalogue, account=demo_account(ManualClock()))
            answer = await ask(simulator, case)
            pairs.append((await rate(simulator, case), await rate(bare(answer), case)))
        ours = statistics.median(pair[0] for pair in pairs)
        ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
        results.append({"name": case.name, "rate": round(ours), "ratio": round(ratio, 4), "at_least": case.at_least})
        limit = f"at least {case.at_least:g}" if case.at_least else ""
        show(f"{case.name:24} {ours:>8.0f}/s  {ratio:.4f} of a bare app  {limit}")
    return results


def resident() -> float:
    """Return the resident memory of this process in megabytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


@dataclass(frozen=True, slots=True)
class Waits:
    """How long small requests took while something else was running, in milliseconds."""

    times: list[float]

    @property
    def p99(self) -> float:
        return sorted(self.times)[int(len(self.times) * 0.99)] if self.times else 0.0


now = time.perf_counter
"""The clock for queries: elapsed time, or with --cpu the CPU time of this process."""


async def beside_small_requests(app: ASGIApp, work: Callable[[], Awaitable[Any]]) -> tuple[float, Waits]:
    """Return how long the work took in ms, and how long small requests took meanwhile."""
    times: list[float] = []
    task = asyncio.ensure_future(work())
    begin = now()
    while not task.done():
        start = now()
        # The request is made now, and answered when the work allows it.
        await asyncio.sleep(0)
        await ask(app, SMALL)
        times.append((now() - start) * 1000)
    took = (now() - begin) * 1000
    await task
    return took, Waits(times)


async def bare_milliseconds(size: int, case: Case) -> float:
    """Return how long a bare app takes for an answer of `size` bytes, in ms."""
    begin = now()
    await ask(bare(b"x" * size), case)
    return (now() - begin) * 1000


async def memory(events: int, copies: int, show: Show) -> dict[str, Any]:
    """Return the memory that so many events use, and the figures of queries and of the whole account."""
    show(f"making {events:,} events …")
    before = resident()
    begin = time.perf_counter()
    account, domain = fill(events, copies)
    took = time.perf_counter() - begin
    megabytes = resident() - before
    figures = {
        "events": len(domain.events),
        "MB of memory": round(megabytes),
        "bytes per event": round(megabytes * 1024 * 1024 / len(domain.events)),
        "MB of packed events": round(
            sum(one.packed.packed_size for one in domain.events._chunks if one.packed) / 1024 / 1024
        ),
        "stored messages": len(domain.messages),
        "seconds to make them": round(took, 1),
    }
    show_figures(figures, show)
    app = create_app(Catalogue.load(), account=account, control=True)
    results = await queries(app, show)
    whole = await whole_account(app, account)
    show_figures(whole, show)
    return figures | whole | {"queries": results}


def show_figures(figures: dict[str, Any], show: Show) -> None:
    """Show each figure on a line."""
    for name, figure in figures.items():
        show(f"{name:45} {figure:>8}")


async def queries(app: ASGIApp, show: Show) -> list[dict[str, Any]]:
    """Return how long each query takes, and how long small requests take meanwhile."""
    results = []
    for name, case in QUERIES.items():
        answers: list[bytes] = []

        async def work(case: Case = case, answers: list[bytes] = answers) -> None:
            answers.append(await ask(app, case))

        took, waits = await beside_small_requests(app, work)
        slower = took / await bare_milliseconds(len(answers[0]), case)
        results.append({"name": name, "ms": round(took), "p99": round(waits.p99, 1), "times_bare": round(slower)})
        text = f"p99 of small requests {waits.p99:.1f} ms"
        show(f"{name:36} {took:>6.0f} ms  {text:36} {slower:.0f} times a bare app")
    return results


async def whole_account(app: ASGIApp, account: Account) -> dict[str, Any]:
    """Return the cost of a snapshot, of a state file, and of a start from it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        forget_peak()
        took, waits = await beside_small_requests(app, lambda: discard(app, SNAPSHOT))
        writing, waits_of_write = await beside_small_requests(
            app, lambda: asyncio.to_thread(write_file, path, account_lines(account))
        )
        peak_of_writing = peak()
        code = START.format(path=str(path))
        run = partial(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=True)
        start = json.loads((await asyncio.to_thread(run)).stdout)
        return {
            "snapshot, s": round(took / 1000, 1),
            "snapshot, p99 of small requests, ms": round(waits.p99, 1),
            "state file, s": round(writing / 1000, 1),
            "state file, p99 of small requests, ms": round(waits_of_write.p99, 1),
            "peak memory of both, MB": round(peak_of_writing),
            "state file, MB": round(path.stat().st_size / 1024 / 1024),
            **start,
        }


async def discard(app: ASGIApp, case: Case) -> None:
    """Make the request, and discard the answer as it arrives."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Message) -> None:
        await asyncio.sleep(0)

    await app(scope_of(case), receive, send)


def peak() -> float:
    """Return the peak memory of this process since `forget_peak`, in megabytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def forget_peak() -> None:
    """Reset the peak of memory, so that it counts from now on."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


START = """
import asyncio, json, time
from pathlib import Path
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.simulator import create_app
from mailgun_mcp.simulator.control.state_file import open_account
from mailgun_mcp.simulator.model.clock import SystemClock
app = create_app(Catalogue.load(), account=open_account(Path({path!r}), SystemClock()), control=True)
figures = {{"start from it, s of CPU time": round(time.process_time(), 2)}}
from benchmarks.simulator import QUERIES, SNAPSHOT, ask, discard, peak
figures["peak memory of the start, MB"] = round(peak())
asyncio.run(discard(app, SNAPSHOT))
figures["peak memory with a snapshot after it, MB"] = round(peak())
slowest = 0.0
for case in QUERIES.values():
    begin = time.process_time()
    asyncio.run(ask(app, case))
    slowest = max(slowest, time.process_time() - begin)
figures["slowest query after the start, s of CPU time"] = round(slowest, 2)
figures["peak memory with all queries after it, MB"] = round(peak())
print(json.dumps(figures))
"""
"""Code that starts the simulator with a state file, from the first import until it could listen. It then takes a
snapshot and makes all queries, which read the rest of the file as needed.
"""


def _posted(name: str, path: str, **body: Any) -> Case:
    return Case(name, "POST", path, content=json.dumps(body).encode(), kind=JSON)


SMALL = Case("small", "GET", "/v4/domains/mg.example.com")
SNAPSHOT = Case("snapshot", "GET", "/simulator/snapshot")


def _events(query: bytes) -> Case:
    return Case("events", "GET", "/v3/mg.example.com/events", b"limit=100&" + query)


def _metrics(*dimensions: str, **body: Any) -> Case:
    return _posted("metrics", "/v1/analytics/metrics", duration="25d", dimensions=list(dimensions), **body)


QUERIES = {
    "newest page of events": _events(b""),
    "events of a rare recipient": _events(b"recipient=person1%40host1.example"),
    "events, a subject that none has": _events(b"subject=nosuch"),
    "events, a tag that none has": _events(b"tags=nosuch"),
    "events, an attachment that none has": _events(b"attachment=nosuch"),
    "failures of a day in logs": _posted("logs", "/v1/analytics/logs", duration="1d", events=["failed"]),
    "logs with totals": _posted("logs", "/v1/analytics/logs", duration="25d", include_totals=True),
    "metrics by day": _metrics("time"),
    "metrics by recipient domain": _metrics("recipient_domain"),
    "metrics by day and recipient domain": _metrics("time", "recipient_domain"),
    "metrics of one recipient domain": _metrics(
        "time",
        filter={"AND": [{"attribute": "recipient_domain", "comparator": "=", "values": [{"value": "host1.example"}]}]},
    ),
    "bounce classification": _posted(
        "bounces", "/v2/bounce-classification/metrics", duration="25d", dimensions=["entity-name"]
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=100_000, help="1000000 and more take minutes")
    parser.add_argument(
        "--copies", type=int, default=1, help="make only one part of so many by sending mail, and copy it"
    )
    parser.add_argument("--cpu", action="store_true", help="measure queries in CPU time")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.cpu:
        global now
        now = time.process_time
    show: Show = partial(print, file=sys.stderr if arguments.json else sys.stdout, flush=True)
    results = asyncio.run(speeds(arguments.rounds, show))
    # As the command does it.
    with short_collections():
        figures = asyncio.run(memory(arguments.events, arguments.copies, show)) if arguments.events else {"queries": []}
    if arguments.json:
        print(json.dumps({"requests": results, "events": figures}, indent=2))
    slow = [result for result in results if result["at_least"] and result["rate"] < result["at_least"]]
    held_up = [query for query in figures["queries"] if query["ms"] > MS_AT_MOST or query["p99"] > P99_AT_MOST]
    return 1 if slow or held_up or too_large(figures, arguments.events) else 0


def too_large(figures: dict[str, Any], events: int) -> bool:
    """Return whether an account with so many events uses too much memory, or takes too long to start."""
    if "start from it, s of CPU time" not in figures:
        return False
    peaks = [figure for name, figure in figures.items() if name.startswith("peak")]
    if events > 1_000_000:
        return bool(max(figures["MB of memory"], *peaks) > LARGE_MEGABYTES_AT_MOST)
    if max(peaks) > PEAK_AT_MOST or figures["MB of memory"] > MEGABYTES_AT_MOST:
        return True
    return bool(figures["start from it, s of CPU time"] > START_AT_MOST)


if __name__ == "__main__":
    sys.exit(main())
