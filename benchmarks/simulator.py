"""Measures the simulator: requests a second beside a bare ASGI app, and what a million events cost.

    python benchmarks/simulator.py [--rounds N] [--events N] [--json]

Requests are made in process, one at a time, on one core. The simulator and a bare ASGI app that answers
the same bytes take turns in each round; the ratio is formed inside the round, and the median over the
rounds counts. Exits with 1 when a limit is broken.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.simulator import create_app
from mailgun_mcp.simulator.mail.delivery import accept
from mailgun_mcp.simulator.mail.record_events import record_event
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import DAY, ManualClock
from mailgun_mcp.simulator.model.domains import Domain
from mailgun_mcp.simulator.model.messages import StoredMessage as Mail
from mailgun_mcp.simulator.worlds.demo import demo_account

REQUESTS, WARM_UP = 2000, 200
RATE_AT_LEAST = 2000.0
MEGABYTES_AT_MOST = 300.0
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
    """A request that is made over and over."""

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
    """Return the least that an ASGI app can do: read the request, send `answer`."""

    async def app(
        _: Any, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        await receive()
        start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]}
        await send(start)
        await send({"type": "http.response.body", "body": answer})

    return app


async def ask(app: ASGIApp, case: Case) -> bytes:
    """Make the request once. Exits when it does not go well."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": case.content, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope_of(case), receive, send)
    if sent[0]["status"] != 200:
        raise SystemExit(f"{case.name}: {sent[0]['status']} {sent[1]['body']!r}")
    body: bytes = sent[1]["body"]
    return body


async def rate(app: ASGIApp, case: Case) -> float:
    """Return requests a second."""
    for _ in range(WARM_UP):
        await ask(app, case)
    begin = time.perf_counter()
    for _ in range(REQUESTS):
        await ask(app, case)
    return REQUESTS / (time.perf_counter() - begin)


async def speeds(rounds: int) -> list[dict[str, Any]]:
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
    return results


def resident() -> float:
    """Return the megabytes that this process holds in memory."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def fill(events: int) -> tuple[Account, Domain]:
    """Return an account whose domain had so many events, over 25 days: mail to a thousand domains, a third opened."""
    clock = ManualClock()
    account = Account(clock)
    domain = account.domains["mg.example.com"] = Domain("1", "mg.example.com", clock.now(), "active")
    step = 25 * DAY / events
    number = 0
    while len(domain.events) < events:
        number += 1
        clock.advance(3 * step)
        recipient = f"{'bounce' if number % 50 == 0 else 'person'}{number}@host{number % 1000}.example"
        headers = {"From": "Shop <shop@mg.example.com>", "To": recipient, "Subject": f"Order {number}"}
        identity = f"{number:x}.{number * 7919:x}@mg.example.com"
        mail = Mail(
            account.opaque_id(30),
            identity,
            domain.name,
            clock.now(),
            "shop@mg.example.com",
            [recipient],
            headers,
            text="Hello",
        )
        mail.tags = [("order", "shipping", "newsletter")[number % 3]]
        accept(account, domain, mail)
        if number % 3:
            record_event(account, domain, "opened", mail, recipient, clock.now() + 60)
    return account, domain


async def memory(events: int) -> dict[str, Any]:
    """Return what so many events cost, and how long the account takes to answer with them."""
    before = resident()
    begin = time.perf_counter()
    account, domain = fill(events)
    took = time.perf_counter() - begin
    megabytes = resident() - before
    app = create_app(Catalogue.load(), account=account)
    figures = {
        "events": len(domain.events),
        "megabytes": round(megabytes),
        "bytes_per_event": round(megabytes * 1024 * 1024 / len(domain.events)),
        "seconds": round(took, 1),
        "packed_megabytes": round(
            sum(one.packed.packed_size for one in domain.events._chunks if one.packed) / 1024 / 1024
        ),
        "stored_messages": len(domain.messages),
    }
    for name, case in QUERIES.items():
        begin = time.perf_counter()
        await ask(app, case)
        figures[name] = round((time.perf_counter() - begin) * 1000)
    return figures


def _posted(name: str, path: str, **body: Any) -> Case:
    return Case(name, "POST", path, content=json.dumps(body).encode(), kind=JSON)


QUERIES = {
    "newest page, ms": Case("events", "GET", "/v3/mg.example.com/events", b"limit=100"),
    "rare recipient, ms": Case(
        "recipient", "GET", "/v3/mg.example.com/events", b"limit=100&recipient=person1%40host1.example"
    ),
    "failures of a day, ms": _posted("logs", "/v1/analytics/logs", duration="1d", events=["failed"]),
    "metrics by day, ms": _posted("metrics", "/v1/analytics/metrics", duration="25d", dimensions=["time"]),
    "metrics by domain, ms": _posted(
        "metrics", "/v1/analytics/metrics", duration="25d", dimensions=["recipient_domain"]
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = asyncio.run(speeds(arguments.rounds))
    figures = asyncio.run(memory(arguments.events)) if arguments.events else {}
    if arguments.json:
        print(json.dumps({"requests": results, "events": figures}, indent=2))
    else:
        for result in results:
            limit = f"at least {result['at_least']:g}" if result["at_least"] else ""
            print(f"{result['name']:24} {result['rate']:>8}/s  {result['ratio']:.4f} of a bare app  {limit}")
        for name, figure in figures.items():
            print(f"{name:24} {figure:>8}")
    slow = [result for result in results if result["at_least"] and result["rate"] < result["at_least"]]
    return 1 if slow or figures.get("megabytes", 0) > MEGABYTES_AT_MOST else 0


if __name__ == "__main__":
    sys.exit(main())
