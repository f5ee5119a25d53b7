"""How much one client's large call delays another client's reads over HTTP.

    python -m benchmarks.large_calls [--rounds N] [--json]

One process makes small reads one after another, while a second makes three large calls. Two figures count. Each is the
median over the rounds, and has a floor from the same run:

- the longest pause of the event loop, in CPU time of the whole process, which other programs do not lengthen. The
  limit applies to this figure.
- the slowest read, in elapsed time. On a busy machine, this shows the load of other programs more than ours.

The floor is a bare server: a uvicorn app that receives the same bytes and answers. Exits with 1 if a large call costs
more than the limit.
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
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from benchmarks import speed
from benchmarks.heartbeat import Pauses

ADDED_AT_MOST = 50.0
"""Limit on the CPU time for which a large call blocks the event loop, and so other clients' reads, in milliseconds."""
MB = 1024 * 1024
CALLS = 3
"""Number of large calls in each round."""
ANSWER = b'{"id": "<1@mg.example.com>", "message": "Queued. Thank you."}'


def _mail(**fields: Any) -> dict[str, Any]:
    return {"domain": "mg.example.com", "from": "a@mg.example.com", "to": "b@x.example", "subject": "s", **fields}


def kinds() -> dict[str, bytes]:
    """Return the arguments of large calls as JSON. The first two calls are made; the others are refused."""
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
    """Reads in a thread, one after another, and records how long each read takes."""

    def __init__(self, read: Callable[[], None]) -> None:
        self._read = read
        self._stopped = False
        self._times: list[float] = []

    @contextmanager
    def reading(self) -> Iterator[None]:
        self._times, self._stopped = [], False
        thread = Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stopped = True
            thread.join()

    @property
    def slowest(self) -> float:
        return max(self._times) * 1000

    def _run(self) -> None:
        while not self._stopped:
            began = time.perf_counter()
            self._read()
            self._times.append(time.perf_counter() - began)


def _send() -> None:
    """Make large calls. Each line of stdin has a port, a kind and a header. Prints `done` after the calls of a line.

    This is a separate process, because building and sending 40 MB must not delay the reader.
    """
    frames = {kind: _frame(arguments, 1_000_000) for kind, arguments in kinds().items()}
    print("ready", flush=True)
    for line in sys.stdin:
        port, kind, authorization = json.loads(line)
        for _ in range(CALLS):
            _call(port, frames[kind], authorization)
        print("done", flush=True)


def _call(port: int, frame: bytes, authorization: str) -> None:
    with socket.create_connection(("127.0.0.1", port), speed.TIMEOUT) as connection:
        head = (
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {speed.MODERN}\r\n"
            f"Mcp-Method: tools/call\r\nMcp-Name: send_message\r\nContent-Length: {len(frame)}\r\n"
            f"{authorization}\r\n"
        )
        connection.sendall(head.encode())
        connection.sendall(frame)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        if not received.startswith(b"HTTP/1.1 "):
            raise SystemExit(f"a call went wrong: {received[:500]!r}")


async def _upstream() -> None:
    """Answer reads like `upstream.py`, and accept sends of any size."""
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


class _Client:
    """Controls the process that makes the large calls."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin
        assert process.stdout
        self._stdin, self._stdout = process.stdin, process.stdout
        self._await_line()

    def call(self, port: int, kind: str) -> None:
        self._stdin.write(json.dumps([port, kind, speed._authorization()]).encode() + b"\n")
        self._stdin.flush()
        self._await_line()

    def _await_line(self) -> None:
        if not self._stdout.readline():
            raise SystemExit("the client of the large calls has ended")


class _Server:
    """A server under measurement, with a reader that has warmed it up."""

    def __init__(self, process: "subprocess.Popen[bytes]", pauses: Pauses) -> None:
        self.port = speed._told_port(process)
        self._pauses = pauses
        connection = speed.Http(self.port, speed.MODERN)
        connection.calls(speed.WARM_UP)
        connection.close()

    def measure(self, client: _Client, kind: str) -> "Figures":
        """Return the figures of one round."""
        connection = speed.Http(self.port, speed.MODERN)
        reader = _Reader(connection.call)
        self._pauses.reset()
        with reader.reading():
            client.call(self.port, kind)
        connection.close()
        return Figures(self._pauses.read()[1], reader.slowest)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one round, in ms."""

    pause: float
    """The longest pause of the event loop, in CPU time of the process."""
    slowest: float
    """The slowest read, in elapsed time."""


def _median(rounds: list[Figures]) -> Figures:
    return Figures(statistics.median(one.pause for one in rounds), statistics.median(one.slowest for one in rounds))


def run(rounds: int) -> dict[str, dict[str, Figures]]:
    """Return the figures of the bare server and of ours for each kind of call."""
    module = [sys.executable, "-m", "benchmarks.large_calls"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory()))
        upstream = stack.enter_context(speed._running([*module, "--upstream"], stdout=subprocess.PIPE))
        assert upstream.stdout
        environment = speed._environment(int(upstream.stdout.readline()))
        servers = {}
        for name in ("bare", "ours"):
            command = [sys.executable, "-m", "benchmarks.heartbeat", str(directory / name), name]
            pauses = Pauses(directory / name)
            process = stack.enter_context(speed._running(command, env=environment, stderr=subprocess.PIPE))
            servers[name] = _Server(process, pauses)
        client = _Client(stack.enter_context(speed._running([*module, "--send"], **pipes)))
        return {
            kind: {
                name: _median([server.measure(client, kind) for _ in range(rounds)]) for name, server in servers.items()
            }
            for kind in kinds()
        }


def main() -> int:
    """Print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--upstream", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--send", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.upstream:
        asyncio.run(_upstream())
    if arguments.send:
        _send()
        return 0
    records = run(arguments.rounds)
    if arguments.json:
        figures = {kind: {name: asdict(one) for name, one in record.items()} for kind, record in records.items()}
        print(json.dumps(figures))
    else:
        print(
            "| large call | longest pause, CPU | bare server | slowest read | bare server |\n| --- | --- | --- | --- | --- |"
        )
        for kind, record in records.items():
            ours, bare = record["ours"], record["bare"]
            print(
                f"| {kind} | {ours.pause:.0f} ms | {bare.pause:.0f} ms | {ours.slowest:.0f} ms | {bare.slowest:.0f} ms |"
            )
    return int(any(record["ours"].pause > ADDED_AT_MOST for record in records.values()))


if __name__ == "__main__":
    raise SystemExit(main())
