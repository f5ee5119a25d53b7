"""Many HTTP clients that cost next to nothing, so that the server is what is measured.

Each has one connection, sends the same call of the newer protocol, and waits for the answer. Each answer is checked.
"""

import json
import re
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

MODERN = "2026-07-28"
TOOL = "list_domains"
ARGUMENTS = {"limit": 5}
IN_EVERY_ANSWER = b"news.example.org"
PATIENCE = 30
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Answers:
    """The answers that the clients received."""

    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Calls per second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, percent: int) -> float:
        """Return the given percentile of the answer times, in milliseconds."""
        return quantiles(self.milliseconds, n=100)[percent - 1]


@dataclass(slots=True)
class _Client:
    address: tuple[str, int]
    request: bytes
    sent: float | None = None
    """When the request was sent that it waits for. None if it waits for nothing."""
    received: bytes = b""


class Clients:
    """`count` connections, spread over the servers. They stay open until the block ends."""

    def __init__(self, urls: Sequence[str], token: str, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        for number in range(count):
            parts = urlsplit(urls[number % len(urls)])
            address = (str(parts.hostname), int(parts.port or 80))
            self._connect(_Client(address, _request(parts.netloc, token)))

    def _connect(self, client: _Client) -> None:
        connection = socket.create_connection(client.address, timeout=PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ, client)

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *_: object) -> None:
        for key in [*self._selector.get_map().values()]:
            self._connection(key).close()
        self._selector.close()

    def call(self, calls: int) -> Answers:
        """Make `calls` calls, one at a time on each connection."""
        answers, began = Answers(), time.perf_counter()
        left = calls
        for key in [*self._selector.get_map().values()][:calls]:
            left -= 1
            self._send(key)
        while len(answers.milliseconds) + len(answers.errors) < calls:
            ready = self._selector.select(PATIENCE)
            if not ready:
                answers.errors.append(f"no answer in {PATIENCE} s")
                break
            for key, _ in ready:
                # A broken connection makes no more calls.
                if self._receive(key, answers) and left > 0:
                    left -= 1
                    self._send(key)
        answers.seconds = time.perf_counter() - began
        return answers

    def _send(self, key: selectors.SelectorKey) -> None:
        key.data.sent = time.perf_counter()
        self._connection(key).sendall(key.data.request)

    def _receive(self, key: selectors.SelectorKey, answers: Answers) -> bool:
        """Read from the connection, and count a complete answer. Return whether it was complete."""
        client: _Client = key.data
        try:
            data = self._connection(key).recv(65536)
        except OSError as error:
            data, client.received = b"", str(error).encode()
        if not data:
            self._selector.unregister(key.fileobj)
            self._connection(key).close()
            if client.sent is None:
                # No request was pending: a server may close an idle connection.
                self._connect(client)
                return False
            answers.errors.append(f"a connection was closed: {client.received[:200]!r}")
            return False
        assert client.sent is not None
        client.received += data
        head, separator, body = client.received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not separator or (len(body) < int(length[1]) if length else not body.endswith(b"0\r\n\r\n")):
            return False
        if IN_EVERY_ANSWER in body and b'"isError":true' not in body:
            answers.milliseconds.append((time.perf_counter() - client.sent) * 1000)
        else:
            answers.errors.append(client.received[:500].decode(errors="replace"))
        client.received, client.sent = b"", None
        return True

    @staticmethod
    def _connection(key: selectors.SelectorKey) -> socket.socket:
        assert isinstance(key.fileobj, socket.socket)
        return key.fileobj


def _request(host: str, token: str) -> bytes:
    prefix = "io.modelcontextprotocol/"
    meta: dict[str, Any] = {
        f"{prefix}protocolVersion": MODERN,
        f"{prefix}clientInfo": {"name": "load", "version": "1"},
        f"{prefix}clientCapabilities": {},
    }
    parameters = {"name": TOOL, "arguments": ARGUMENTS, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}).encode()
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
        f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {MODERN}\r\n"
        f"Mcp-Method: tools/call\r\nMcp-Name: {TOOL}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def cpu_seconds(process: int) -> float:
    """Return the CPU time that a process has used, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def megabytes(process: int) -> float:
    """Return the resident memory of a process in megabytes."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
