"""Compares HTTP transports for the calls to Mailgun: our own, httpx's and httpx2's, in one run.

    python -m benchmarks.transports [--rounds N]

Each is used by the whole server on stdio, with the same local upstream. They take turns in each round. The ratios to
our own are formed within a round, and the median over the rounds counts. We keep our own only while the best library is
more than 15 % slower for the p50 of a call.
"""

import argparse
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WORTH = 1.15
"""How many times slower the best library must be, in the p50 of a call, to justify the code of our own transport."""


def _own() -> Any:
    from mailgun_mcp.mailgun.client import IDLE, MAX_CONNECTIONS
    from mailgun_mcp.mailgun.transport import Connections

    return Connections(None, most=MAX_CONNECTIONS, idle=IDLE)


def _httpx() -> Any:
    import httpx

    from mailgun_mcp.mailgun.client import IDLE, MAX_CONNECTIONS
    from mailgun_mcp.mailgun.httpx_transport import HttpxTransport

    limits = httpx.Limits(
        max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS, keepalive_expiry=IDLE
    )
    return HttpxTransport(httpx.AsyncHTTPTransport(limits=limits, retries=0, verify=False))


def _httpx2() -> Any:
    """Wrap httpx2's core in an httpx transport: our client uses httpx, and needs nothing else from httpx2."""
    import httpcore2
    import httpx

    from mailgun_mcp.mailgun.client import IDLE, MAX_CONNECTIONS
    from mailgun_mcp.mailgun.httpx_transport import HttpxTransport

    class Body(httpx.AsyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for part in self._stream:
                yield part

        async def aclose(self) -> None:
            await self._stream.aclose()

    class Core2(httpx.AsyncBaseTransport):
        def __init__(self) -> None:
            self._pool = httpcore2.AsyncConnectionPool(
                max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS, keepalive_expiry=IDLE
            )

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            url = request.url
            response = await self._pool.handle_async_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
            return httpx.Response(response.status, headers=response.headers, stream=Body(response.stream))

        async def aclose(self) -> None:
            await self._pool.aclose()

    return HttpxTransport(Core2())


TRANSPORTS: dict[str, Callable[[], Any]] = {"own": _own, "httpx": _httpx, "httpx2": _httpx2}


def _serve(name: str) -> None:
    """Serve on stdio with the transport called `name`."""
    from mailgun_mcp.app.compose import create_services
    from mailgun_mcp.mailgun.client import Client
    from mailgun_mcp.server import stdio_start
    from mailgun_mcp.settings import load

    transport = TRANSPORTS[name]
    setattr(Client, "_open", lambda _: transport())  # noqa: B010 - the only place where calls get their transport
    stdio_start.serve(create_services(load({})))


def _measure(name: str, upstream: int) -> dict[str, float]:
    from benchmarks.speed import (
        LEGACY,
        LONGEST,
        SEQUENTIAL,
        WARM_UP,
        Stdio,
        _cpu,
        _environment,
        _in_flight,
        _p50,
        _pin_server,
        _running,
    )

    command = [sys.executable, "-m", "benchmarks.transports", "--serve", name]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environment = {**_environment(upstream), "PYTHONPATH": str(HERE.parent)}
    with _running(command, LONGEST, env=environment, preexec_fn=_pin_server, **pipes) as process:
        connection = Stdio(process, LEGACY)
        connection.list_tools()
        for _ in range(WARM_UP):
            connection.call()
        used = _cpu(process)
        p50 = _p50(connection.call)
        alone = (_cpu(process) - used) / SEQUENTIAL
        return {"p50": p50, "cpu alone": alone, **_in_flight(process, connection.calls, "calls")}


def compare(rounds: int) -> dict[str, dict[str, float]]:
    """Return the figures of each transport: the median over the rounds, and the ratio to our own."""
    from benchmarks.speed import _running

    found: dict[str, list[dict[str, float]]] = {name: [] for name in TRANSPORTS}
    with _running([sys.executable, str(HERE / "upstream.py")], stdout=subprocess.PIPE) as upstream:
        assert upstream.stdout
        port = int(upstream.stdout.readline())
        for number in range(rounds):
            names = list(TRANSPORTS)
            for name in names[number % 3 :] + names[: number % 3]:
                found[name].append(_measure(name, port))
    return {
        name: {
            "p50": statistics.median(figures["p50"] for figures in rows),
            "ratio": statistics.median(
                figures["p50"] / own["p50"] for figures, own in zip(rows, found["own"], strict=True)
            ),
            "cpu alone": statistics.median(figures["cpu alone"] for figures in rows),
            "rate": statistics.median(figures["rate calls"] for figures in rows),
            "cpu": statistics.median(figures["cpu calls"] for figures in rows),
        }
        for name, rows in found.items()
    }


def main() -> int:
    """Print the comparison. Exits with 1 when our own transport is no longer worth its code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", choices=TRANSPORTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        _serve(arguments.serve)
        return 0
    figures = compare(arguments.rounds)
    print("| transport | a call on stdio, p50 | ratio to our own | CPU of it | 32 in flight | CPU of one of them |")
    print("| --- " * 6 + "|")
    for name, row in figures.items():
        print(
            f"| {name} | {row['p50']:.2f} ms | {row['ratio']:.2f} | {row['cpu alone']:.2f} ms "
            f"| {row['rate']:.0f}/s | {row['cpu']:.2f} ms |"
        )
    best = min(row["ratio"] for name, row in figures.items() if name != "own")
    print(f"\nThe best library takes {best:.2f} times as long as our own; it is worth its code above {WORTH}.")
    return 0 if best > WORTH else 1


if __name__ == "__main__":
    sys.exit(main())
