"""How long one client's large call delays the reads of another, over HTTP.

    python -m benchmarks.large_calls [--rounds N] [--json]

A reader makes one small read after the other. Its slowest read while large calls are made is set beside its slowest read
in the same time without them, which is the floor: what the machine does anyway. The median over the rounds counts.
Exits with 1 when a large call adds more than the limit.
"""

import argparse
import asyncio
import base64
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from benchmarks import speed

ADDED_AT_MOST = 50.0
"""Milliseconds that a large call may add to the slowest read of another client."""
MB = 1024 * 1024
QUIET = 0.3
"""Seconds of reads without large calls, in each round."""
ANSWER = b'{"id": "<1@mg.example.com>", "message": "Queued. Thank you."}'


def _mail(**fields: Any) -> dict[str, Any]:
    return {"domain": "mg.example.com", "from": "a@mg.example.com", "to": "b@x.example", "subject": "s", **fields}


def kinds() -> dict[str, bytes]:
    """Return the arguments of large calls, as JSON. The first two are made, and the others are refused."""
    file = base64.b64encode(os.urandom(24 * MB)).decode()
    return {
        "a mail with 24 MB in base64": json.dumps(_mail(text="t", attachments=[{"base64": file}])).encode(),
        "a mail with 3.5 MB of HTML": json.dumps(_mail(html="<p>some text, and more</p>\n" * (MB // 8))).encode(),
        "40 MB of text": json.dumps(_mail(text="x" * 39 * MB)).encode(),
        "40 MB of numbers": b'{"to": [' + b"1," * (39 * MB // 2) + b"1]}",
        "40 MB of brackets": b'{"to": ' + b"[" * 39 * MB + b"}",
        "49,000 numbers": b'{"to": [' + b"1," * 49_000 + b"1]}",
        "49,000 names": json.dumps({f"name{number}": 1 for number in range(49_000)}).encode(),
        "a long name": json.dumps({"x" * 3 * MB: 1}).encode(),
    }


def _frame(arguments: bytes, number: int) -> bytes:
    empty = speed._frame("tools/call", {"name": "send_message", "arguments": {}}, number, speed.MODERN)
    return empty.replace(b'"arguments":{}', b'"arguments":' + arguments)


class _Reader:
    """Reads in a thread, one after the other, and keeps how long each read took."""

    def __init__(self, read: Callable[[], None]) -> None:
        self._read = read
        self._stopped = False
        self.times: list[float] = []

    @contextmanager
    def reading(self) -> Iterator[None]:
        self.times, self._stopped = [], False
        thread = Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stopped = True
            thread.join()

    @property
    def slowest(self) -> float:
        return max(self.times) * 1000

    def _run(self) -> None:
        while not self._stopped:
            began = time.perf_counter()
            self._read()
            self.times.append(time.perf_counter() - began)


def _measure(reader: _Reader, call: Callable[[bytes], None], arguments: bytes) -> tuple[float, float]:
    """Return the slowest read without large calls, and with three of them, in ms."""
    with reader.reading():
        time.sleep(QUIET)
    floor = reader.slowest
    with reader.reading():
        for number in range(3):
            call(_frame(arguments, 1_000_000 + number))
    return floor, reader.slowest


def _http_call(port: int) -> Callable[[bytes], None]:
    def call(frame: bytes) -> None:
        connection = socket.create_connection(("127.0.0.1", port), speed.TIMEOUT)
        head = (
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {speed.MODERN}\r\n"
            f"Mcp-Method: tools/call\r\nMcp-Name: send_message\r\nContent-Length: {len(frame)}\r\n"
            f"{speed._authorization()}\r\n"
        )
        connection.sendall(head.encode() + frame)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        if b"jsonrpc" not in received:
            raise SystemExit(f"a call went wrong: {received[:500]!r}")

    return call


async def _upstream() -> None:
    """Answer reads as `upstream.py` does, and take sends of any size."""
    from benchmarks.upstream import ANSWER as DOMAINS

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            left = int(length[1]) if length else 0
            while left:
                left -= len(await reader.read(min(left, MB)))
            queued = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)
            writer.write(DOMAINS if head.startswith(b"GET") else queued + ANSWER)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextmanager
def _http_server(environment: dict[str, str]) -> Iterator[tuple[Callable[[], None], Callable[[bytes], None]]]:
    command = [
        sys.executable,
        "-m",
        "mailgun_mcp",
        "serve",
        "--transport",
        "http",
        "--port",
        "0",
        "--policy",
        "unguarded",
    ]
    with speed._running(command, env=environment, stderr=subprocess.PIPE) as process:
        port = speed._told_port(process)
        connection = speed.Http(port)
        connection.calls(speed.WARM_UP)
        yield connection.call, _http_call(port)
        connection.close()


def run(rounds: int) -> list[dict[str, Any]]:
    """Return a record for each kind of call."""
    records = []
    with speed._running(
        [sys.executable, "-m", "benchmarks.large_calls", "--upstream"], stdout=subprocess.PIPE
    ) as upstream:
        assert upstream.stdout
        environment = speed._environment(int(upstream.stdout.readline()))
        with _http_server(environment) as (read, call):
            reader = _Reader(read)
            for kind, arguments in kinds().items():
                pairs = [_measure(reader, call, arguments) for _ in range(rounds)]
                floor, slowest = (statistics.median(figures) for figures in zip(*pairs, strict=True))
                records.append({"kind": kind, "floor": floor, "slowest": slowest})
    return records


def main() -> int:
    """Print the table and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--upstream", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.upstream:
        asyncio.run(_upstream())
    records = run(arguments.rounds)
    if arguments.json:
        print(json.dumps(records))
    else:
        print("| large call | slowest read without | with | added |\n| --- | --- | --- | --- |")
        for one in records:
            added = one["slowest"] - one["floor"]
            print(f"| {one['kind']} | {one['floor']:.1f} ms | {one['slowest']:.1f} ms | {added:.1f} ms |")
    return int(any(one["slowest"] - one["floor"] > ADDED_AT_MOST for one in records))


if __name__ == "__main__":
    raise SystemExit(main())
