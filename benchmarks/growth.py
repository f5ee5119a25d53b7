"""What a read costs as a server grows in tools, audit log entries, pending approvals, or sessions.

    python -m benchmarks.growth [--calls N] [--plot FILE]

Each read goes through the whole pipeline in this process, with a stand-in for Mailgun. It is timed in CPU time of the
event loop's thread, and the lower quartile counts. The sizes of one kind take turns, so that other load on the machine
affects all of them. Exits with 1 if a read costs over 10 % more at the largest size than at the smallest.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.speed import LEGACY, _call_frame, _frame
from benchmarks.stages import MemoryClient
from benchmarks.upstream import BODY
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.services import Services
from mailgun_mcp.mailgun.client import Client
from mailgun_mcp.server import stdio, stdio_session
from mailgun_mcp.server.early_answers import EarlyAnswers
from mailgun_mcp.settings import Settings

LIMIT = 1.1
BATCH = 25
SIZES: dict[str, tuple[int, ...]] = {
    "tools": (1, 500, 1000, 2000),
    "entries of the audit log": (0, 10_000, 100_000, 1_000_000),
    "pending approvals": (0, 100, 1000, 10_000),
    "sessions": (1, 10, 100, 1000),
}
INFO = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "growth", "version": "1"}}


def _document(count: int) -> str:
    """Return an OpenAPI document with `count` operations that the catalogue does not have."""
    done = {"responses": {"200": {"description": "Done"}}}
    paths = {
        f"/v9/things{number}": {
            "get": {"operationId": f"listThings{number}", "summary": f"Lists things {number}", **done}
        }
        for number in range(count)
    }
    return json.dumps({"openapi": "3.1.0", "info": {"title": "More", "version": "1"}, "paths": paths})


def _settings(directory: str, kind: str, size: int) -> Settings:
    if kind != "tools":
        return Settings(api_key="key-of-the-benchmark", state=directory, rate_limit=0)
    document = Path(directory, "more.json")
    document.write_text(_document(size), encoding="utf-8")
    only = ("list_domains",) if size == 1 else ()
    return Settings(api_key="key-of-the-benchmark", state=directory, rate_limit=0, spec=str(document), tools=only)


def _fill(services: Services, kind: str, size: int) -> None:
    """Write `size` rows into the state. Nothing reads them here, so they need not be valid."""
    now = time.time()
    with services.store.writing() as connection:
        if kind == "entries of the audit log" and size:
            body = json.dumps({"tool": "list_domains", "risk": "read", "arguments": {"limit": 5}, "principal": "local"})
            connection.executemany(
                "INSERT INTO audit_log (seq, at, call, kind, body, prev, hash) VALUES (?, ?, ?, 'intent', ?, '', ?)",
                (
                    (number + 1, now, f"call{number}", body, "" if number + 1 < size else "0" * 64)
                    for number in range(size)
                ),
            )
        if kind == "pending approvals":
            connection.executemany(
                """INSERT INTO approvals (id, created, expires, status, tool, title, text, level, typed, account,
                principal, client, binding, preview, details)
                VALUES (?, ?, ?, 'pending', 'delete_domain', 'Delete', 'x', 'ask', NULL, 'a', 'p', 'c', ?, '', '{}')""",
                ((f"id{number}", now, now + 600, f"binding{number}") for number in range(size)),
            )


class _Session:
    """A session in memory, served as `mailgun-mcp` serves one on stdio."""

    def __init__(self, services: Services, *, with_sdk: bool) -> None:
        self.client = MemoryClient()
        # With a document of the user's own, the server leaves everything to the SDK.
        serving = (
            stdio.serve(services, self.client)
            if with_sdk
            else stdio_session.Session(services, self.client, EarlyAnswers(services)).run()
        )
        self._serving = asyncio.create_task(serving)

    async def open(self) -> None:
        await self.client.ask(_frame("initialize", INFO, 0, LEGACY))
        self.client.send(_frame("notifications/initialized", {}, None, LEGACY))

    async def call(self) -> float:
        """Make a read, and return its CPU time in microseconds."""
        began = time.thread_time()
        answer = await self.client.ask(_call_frame(1, LEGACY))
        spent = time.thread_time() - began
        if b"news.example.org" not in answer:
            raise SystemExit(f"a call went wrong: {answer[:500]!r}")
        return spent * 1e6

    async def close(self) -> None:
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)


@asynccontextmanager
async def _server(kind: str, size: int) -> AsyncIterator[Callable[[], Any]]:
    """Run a server of this size, and yield a function that makes a read on it."""
    with tempfile.TemporaryDirectory() as directory:
        services = create_services(_settings(directory, kind, size))
        answer = httpx.MockTransport(
            lambda _: httpx.Response(200, content=BODY, headers={"Content-Type": "application/json"})
        )
        services.client._transport = Client(
            services.client.endpoint, "key-of-the-benchmark", user_agent="growth", connect=lambda: answer
        )._ready()
        async with services, AsyncExitStack() as stack:
            _fill(services, kind, size)
            sessions = [_Session(services, with_sdk=kind == "tools") for _ in range(size if kind == "sessions" else 1)]
            for session in sessions:
                stack.push_async_callback(session.close)
                await session.open()
            yield sessions[-1].call


async def _measure(kind: str, calls: int) -> list[float]:
    async with AsyncExitStack() as stack:
        reads = [await stack.enter_async_context(_server(kind, size)) for size in SIZES[kind]]
        spent: list[list[float]] = [[] for _ in reads]
        for turn in range(calls // BATCH + 2):
            for read, times in zip(reads, spent, strict=True):
                batch = [await read() for _ in range(BATCH)]
                times += batch if turn > 1 else []
    return [statistics.quantiles(times, n=4)[0] for times in spent]


def _plot(measured: dict[str, list[float]], file: str) -> None:
    """Plot each kind relative to its smallest size, because the kinds are measured one after the other."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    mpl.rcParams.update({"font.size": 11})
    figure, all_axes = pyplot.subplots(1, len(measured), figsize=(12, 3.8), sharey=True, layout="constrained")
    figure.suptitle("Cost of a read as a server grows", fontsize=14, fontweight="bold")
    for axes, (kind, figures) in zip(all_axes, measured.items(), strict=True):
        ratios = [figure / figures[0] for figure in figures]
        axes.axhline(LIMIT, color="#b35900", linestyle="--", linewidth=1)
        axes.plot([_short(size) for size in SIZES[kind]], ratios, marker="o", linewidth=2, color="#1f6feb")
        last = len(ratios) - 1
        for position, text, side in ((0, f"{figures[0] / 1000:.1f} ms", "left"), (last, f"{ratios[-1]:.2f}", "right")):
            at = position, ratios[position]
            axes.annotate(text, at, (0, -12), textcoords="offset points", ha=side, va="top")
        axes.set_xlabel(kind)
        axes.set_ylim(0, 1.3)
        axes.margins(x=0.1)
        axes.grid(axis="y", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(length=0)
    limit = f"limit: {LIMIT:g}"
    all_axes[0].annotate(limit, (0, LIMIT), (0, 4), textcoords="offset points", color="#b35900", va="bottom")
    all_axes[0].set_ylabel("CPU time of a read,\nsmallest size = 1")
    figure.savefig(file, metadata={"Date": None} if file.endswith(".svg") else None, dpi=150, facecolor="white")


def _short(size: int) -> str:
    return f"{size // 1_000_000} million" if size >= 1_000_000 else f"{size:,}"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What a read costs as a server grows.")
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--plot", metavar="FILE", help="draw the figures as PNG or SVG; needs matplotlib")
    options = parser.parse_args()
    measured = {kind: asyncio.run(_measure(kind, options.calls)) for kind in SIZES}
    print("| | sizes | CPU time of a read, us | largest to smallest | limit |\n| --- | --- | --- | --- | --- |")
    for kind, figures in measured.items():
        sizes = ", ".join(f"{size:,}" for size in SIZES[kind])
        print(
            f"| {kind} | {sizes} | {', '.join(f'{figure:.0f}' for figure in figures)} | {figures[-1] / figures[0]:.2f} | <= {LIMIT} |"
        )
    if options.plot:
        _plot(measured, options.plot)
    return 0 if all(figures[-1] <= LIMIT * figures[0] for figures in measured.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
