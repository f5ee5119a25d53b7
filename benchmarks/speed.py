"""Compares the server with its floor: start, calls, throughput and memory, as ratios.

    python benchmarks/speed.py [--rounds N] [--floors] [--json]

The floor (`floor.py`) is the least that the bare SDK and httpx can do. This harness exchanges raw JSON-RPC frames with
both, and both ask the same local upstream; every answer is checked. They take turns in each round. The ratios are
formed within a round, and the median over the rounds counts, so that other load on the machine affects both. The
server has its own core if the machine has two.
`--floors` adds two more floors: the same server on httpx2, and one on the official TypeScript SDK.
Exits with 1 when a limit is broken.
"""

import argparse
import atexit
import json
import math
import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Thread, Timer
from typing import Any

HERE = Path(__file__).parent
KEY = "key-for-the-benchmark"
STATE = mkdtemp(prefix="mailgun-mcp-speed-")
"""The state directory of the servers. It has the token that our server requires over HTTP."""
atexit.register(rmtree, STATE, ignore_errors=True)
LEGACY, MODERN = "2025-11-25", "2026-07-28"
IN_FLIGHT = 32
SEQUENTIAL, CONCURRENT, WARM_UP = 300, 1000, 50
SEEN_IN_EVERY_ANSWER = b"news.example.org"
TOOLS_AT_LEAST = 238
TIMEOUT = 60
"""Seconds after which an answer is no longer waited for."""
LONGEST = 900
"""Seconds after which the measurement of one server is given up. With 20 other programs it takes some minutes."""
LATE = 0.3
"""Seconds after the list until a person makes the first call, and between their later ones."""
LATER = 5
"""Number of those later calls."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server under measurement."""

    name: str
    stdio: Sequence[str]
    http: Sequence[str]
    tools: int = 1
    """The least number of tools in its list."""
    eras: tuple[str, ...] = (LEGACY, MODERN)
    """The protocol versions that it speaks."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table: a figure of each peer in each round, and the limit on the ratio."""

    key: str
    title: str
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    of_itself: bool = False
    """Whether the limit is on the server's own figure, which is a ratio already, instead of that to the floor's."""

    def kept(self, ratio: float) -> bool:
        """Return whether `ratio` is within the limit."""
        return (self.at_most is None or ratio <= self.at_most) and (self.at_least is None or ratio >= self.at_least)

    @property
    def limit(self) -> str:
        """The limit as text."""
        return f"<= {self.at_most:g}" if self.at_most else f">= {self.at_least:g}" if self.at_least else ""


MEASURES = (
    Measure("start legacy", f"start to first tools/list, {LEGACY}", "ms", at_most=0.3),
    Measure("start modern", f"start to first tools/list, {MODERN}", "ms", at_most=0.3),
    Measure("first legacy", "first call at once after it", "ms"),
    Measure("opened legacy", "start and first call together", "ms", at_most=1.0),
    Measure("late legacy", "first call 300 ms after the list", "ms"),
    Measure("rested legacy", "a later call 300 ms after another", "ms"),
    Measure("late to rested", "that first call to such a later one", "times", at_most=2.0, of_itself=True),
    Measure("p50 legacy", f"a call on stdio, p50, {LEGACY}", "ms", at_most=0.65),
    Measure("p50 modern", f"a call on stdio, p50, {MODERN}", "ms", at_most=0.65),
    Measure("rate legacy", f"calls with {IN_FLIGHT} in flight, {LEGACY}", "/s", at_least=2.5),
    Measure("rate modern", f"calls with {IN_FLIGHT} in flight, {MODERN}", "/s", at_least=2.5),
    Measure("p50 http legacy", f"a call over HTTP, p50, {LEGACY}", "ms", at_most=0.8),
    Measure("p50 http modern", f"a call over HTTP, p50, {MODERN}", "ms", at_most=0.65),
    Measure("rate http legacy", f"HTTP calls with {IN_FLIGHT} in flight, {LEGACY}", "/s", at_least=1.5),
    Measure("rate http modern", f"HTTP calls with {IN_FLIGHT} in flight, {MODERN}", "/s", at_least=2.5),
    Measure("cpu start", f"CPU of the start, {LEGACY}", "ms"),
    Measure("cpu legacy", f"CPU of a call, {IN_FLIGHT} in flight, {LEGACY}", "ms"),
    Measure("cpu modern", f"CPU of a call, {IN_FLIGHT} in flight, {MODERN}", "ms"),
    Measure("cpu http legacy", f"CPU of an HTTP call, {IN_FLIGHT} in flight, {LEGACY}", "ms"),
    Measure("cpu http modern", f"CPU of an HTTP call, {IN_FLIGHT} in flight, {MODERN}", "ms"),
    Measure("rss legacy", "peak memory after list and calls", "MB", at_most=1.1),
    Measure("rss http modern", "peak memory after calls over HTTP", "MB", at_most=1.1),
)

Figures = dict[str, float]


def _meta() -> dict[str, Any]:
    prefix = "io.modelcontextprotocol/"
    return {
        f"{prefix}protocolVersion": MODERN,
        f"{prefix}clientInfo": {"name": "speed", "version": "1"},
        f"{prefix}clientCapabilities": {},
    }


def _frame(method: str, params: dict[str, Any], number: int | None, era: str) -> bytes:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if number is not None:
        message["id"] = number
    message["params"] = {**params, "_meta": _meta()} if era == MODERN else params
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _call_frame(number: int, era: str) -> bytes:
    return _frame("tools/call", {"name": "list_domains", "arguments": {"limit": 5}}, number, era)


def _check(answer: bytes) -> None:
    if SEEN_IN_EVERY_ANSWER not in answer or b'"isError":true' in answer:
        raise SystemExit(f"a call went wrong: {answer[:500]!r}")


class Stdio:
    """Exchanges frames with a server over its stdin and stdout."""

    def __init__(self, process: "subprocess.Popen[bytes]", era: str) -> None:
        assert process.stdin
        assert process.stdout
        self._stdin, self._stdout = process.stdin, process.stdout
        self._era = era
        self._number = 0

    def list_tools(self) -> list[Any]:
        """Open the connection and return the tools."""
        if self._era == LEGACY:
            client = {"name": "speed", "version": "1"}
            params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client}
            self._send(_frame("initialize", params, 0, LEGACY))
            self._receive()
            self._send(_frame("notifications/initialized", {}, None, LEGACY))
        self._send(_frame("tools/list", {}, 0, self._era))
        answer = json.loads(self._receive())
        if "result" not in answer:
            raise SystemExit(f"no list: {answer}")
        tools: list[Any] = answer["result"]["tools"]
        return tools

    def call(self) -> None:
        """Make one call and wait for its answer."""
        self._send(self._next())
        _check(self._receive())

    def calls(self, count: int) -> None:
        """Make `count` calls, IN_FLIGHT at a time."""
        self._send(b"".join(self._next() for _ in range(IN_FLIGHT)))
        for done in range(1, count + 1):
            _check(self._receive())
            if done + IN_FLIGHT <= count:
                self._send(self._next())

    def _next(self) -> bytes:
        self._number += 1
        return _call_frame(self._number, self._era)

    def _send(self, data: bytes) -> None:
        self._stdin.write(data)
        self._stdin.flush()

    def _receive(self) -> bytes:
        line = self._stdout.readline()
        if not line:
            raise SystemExit("the server closed its stdout")
        return line


class Http:
    """Talks to a server over persistent sockets. In the older era, all share one session."""

    def __init__(self, port: int, era: str) -> None:
        self._port, self._era = port, era
        self._number = 0
        self._session = ""
        self._sockets = [socket.create_connection(("127.0.0.1", port), TIMEOUT) for _ in range(IN_FLIGHT)]
        for connection in self._sockets:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if era == LEGACY:
            client = {"name": "speed", "version": "1"}
            params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client}
            head = self._ask(_frame("initialize", params, 0, LEGACY))
            found = re.search(rb"mcp-session-id: (\S+)", head, re.IGNORECASE)
            if found is None:
                raise SystemExit(f"no session: {head[:500]!r}")
            self._session = f"Mcp-Session-Id: {found[1].decode()}\r\n"
            self._ask(_frame("notifications/initialized", {}, None, LEGACY))

    def _ask(self, body: bytes) -> bytes:
        self._sockets[0].sendall(self._posted(body))
        received = b""
        while not _is_whole(received):
            received += _receive(self._sockets[0])
        return received

    def call(self) -> None:
        """Make one call and wait for its answer."""
        _check(self._ask(self._call()))

    def calls(self, count: int) -> None:
        """Make `count` calls, one at a time on each socket."""
        received = dict.fromkeys(self._sockets, b"")
        started = finished = 0
        with selectors.DefaultSelector() as selector:
            for connection in self._sockets:
                selector.register(connection, selectors.EVENT_READ, connection)
                connection.sendall(self._posted(self._call()))
                started += 1
            while finished < count:
                ready = selector.select(TIMEOUT)
                if not ready:
                    raise SystemExit(f"no answer in {TIMEOUT} s")
                for key, _ in ready:
                    connection = key.data
                    received[connection] += _receive(connection)
                    if not _is_whole(received[connection]):
                        continue
                    _check(received[connection])
                    received[connection] = b""
                    finished += 1
                    if started < count:
                        connection.sendall(self._posted(self._call()))
                        started += 1

    def close(self) -> None:
        """Close the sockets."""
        for connection in self._sockets:
            connection.close()

    def _call(self) -> bytes:
        self._number += 1
        return _call_frame(self._number, self._era)

    def _posted(self, body: bytes) -> bytes:
        named = "Mcp-Method: tools/call\r\nMcp-Name: list_domains\r\n" if self._era == MODERN else self._session
        head = (
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {self._era}\r\n"
            f"{named}Content-Length: {len(body)}\r\n{_authorization()}\r\n"
        )
        return head.encode() + body


def _authorization() -> str:
    """Return the header with the token that our server wrote into its state. The floor ignores it."""
    token = Path(STATE, "http-token")
    return f"Authorization: Bearer {token.read_text(encoding='ascii').strip()}\r\n" if token.exists() else ""


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise SystemExit("the server closed a connection")
    return data


def _is_whole(received: bytes) -> bool:
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return len(body) == int(length[1]) if length else body.endswith(b"0\r\n\r\n")


def _cores() -> tuple[set[int], set[int]] | None:
    """Return the server's core and those for the rest, or None if processes cannot be pinned."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    return ({cores[-1]}, set(cores[:-1])) if len(cores) > 1 else None


CORES = _cores()


def _pin_server() -> None:
    if CORES:
        os.sched_setaffinity(0, CORES[0])


def _environment(upstream: int) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    return {
        **kept,
        "MAILGUN_API_KEY": KEY,
        "MAILGUN_API_URL": f"http://127.0.0.1:{upstream}",
        "MAILGUN_MCP_RATE_LIMIT": "0",
        "MAILGUN_MCP_STATE": STATE,
    }


@contextmanager
def _running(
    command: Sequence[str], seconds: float | None = None, **options: Any
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a process, and kill it after `seconds`, so that waiting for its frames ends. Raises SystemExit then."""
    process = subprocess.Popen(command, **options)
    watchdog = Timer(seconds or 0, process.kill)
    if seconds:
        watchdog.start()
    try:
        yield process
    except SystemExit as error:
        if not seconds:
            raise
        name = Path(command[0] if len(command) == 1 else command[1]).name
        if watchdog.finished.is_set():
            raise SystemExit(f"{name} was stopped after {seconds:.0f} s: is the machine busy? ({error})") from None
        raise SystemExit(f"{name}: {error} (exit code {process.poll()})") from None
    finally:
        watchdog.cancel()
        process.terminate()
        process.wait(TIMEOUT)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


def _peak_memory(process: "subprocess.Popen[bytes]") -> float:
    """Return the peak resident memory in MB. NaN if the system does not report it."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(peak[1]) / 1024 if peak else float("nan")


def _cpu(process: "subprocess.Popen[bytes]") -> float:
    """Return the CPU time that the process has used, in ms. NaN if the system does not report it."""
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _p50(call: Callable[[], None]) -> float:
    times = []
    for _ in range(SEQUENTIAL):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def _in_flight(process: "subprocess.Popen[bytes]", calls: Callable[[int], None], name: str) -> Figures:
    used, began = _cpu(process), time.perf_counter()
    calls(CONCURRENT)
    seconds = time.perf_counter() - began
    return {f"rate {name}": CONCURRENT / seconds, f"cpu {name}": (_cpu(process) - used) / CONCURRENT}


def _measure_stdio(peer: Peer, era: str, upstream: int) -> Figures:
    name = "legacy" if era == LEGACY else "modern"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    began = time.perf_counter()
    with _running(peer.stdio, LONGEST, env=_environment(upstream), preexec_fn=_pin_server, **pipes) as process:
        connection = Stdio(process, era)
        tools = connection.list_tools()
        figures = {f"start {name}": (time.perf_counter() - began) * 1000}
        if era == LEGACY:
            figures["cpu start"] = _cpu(process)
        if len(tools) < peer.tools:
            raise SystemExit(f"{peer.name} lists {len(tools)} tools, not {peer.tools}")
        began = time.perf_counter()
        connection.call()
        figures[f"first {name}"] = (time.perf_counter() - began) * 1000
        figures[f"opened {name}"] = figures[f"start {name}"] + figures[f"first {name}"]
        connection.calls(WARM_UP)
        figures[f"p50 {name}"] = _p50(connection.call)
        figures |= _in_flight(process, connection.calls, name)
        figures[f"rss {name}"] = _peak_memory(process)
    return figures


def _measure_late_call(peer: Peer, upstream: int) -> Figures:
    """Measure the first call of a person who has read the list of tools, and their later ones.

    A person pauses between calls. Meanwhile, other programs get the processor's caches, so such a call takes twice as
    long as one that follows another at once.
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with _running(peer.stdio, LONGEST, env=_environment(upstream), preexec_fn=_pin_server, **pipes) as process:
        connection = Stdio(process, LEGACY)
        connection.list_tools()
        first, *later = (_rested(connection.call) for _ in range(1 + LATER))
        rested = statistics.median(later)
        return {"late legacy": first, "rested legacy": rested, "late to rested": first / rested}


def _rested(call: Callable[[], None]) -> float:
    """Return how long a call takes after a pause, in ms."""
    time.sleep(LATE)
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def _measure_http(peer: Peer, era: str, upstream: int) -> Figures:
    name = "http legacy" if era == LEGACY else "http modern"
    with _running(
        peer.http, LONGEST, env=_environment(upstream), preexec_fn=_pin_server, stderr=subprocess.PIPE
    ) as process:
        port = _told_port(process)
        connection = Http(port, era)
        connection.calls(WARM_UP)
        figures = {f"p50 {name}": _p50(connection.call)}
        # On a busy machine, the other sockets may have been idle for so long that the server has closed them.
        connection.close()
        connection = Http(port, era)
        figures |= _in_flight(process, connection.calls, name)
        figures[f"rss {name}"] = _peak_memory(process)
        connection.close()
        return figures


def _told_port(process: "subprocess.Popen[bytes]") -> int:
    assert process.stderr
    for line in process.stderr:
        told = re.search(rb"http://127\.0\.0\.1:(\d+)/mcp", line)
        if told:
            # Nothing else reads this stream, so a server that writes a lot would block.
            Thread(target=process.stderr.read, daemon=True).start()
            port = int(told[1])
            _await_listening(port)
            return port
    raise SystemExit("the server did not tell its port")


def _await_listening(port: int) -> None:
    """Wait for a first answer: the port is printed before the application has started."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        while connection.recv(65536):
            pass


def _round(peers: Sequence[Peer], upstream: int) -> dict[str, Figures]:
    found: dict[str, Figures] = {peer.name: {} for peer in peers}
    for era in (LEGACY, MODERN):
        speaking = [peer for peer in peers if era in peer.eras]
        for peer in speaking:
            found[peer.name] |= _measure_stdio(peer, era, upstream)
        for peer in speaking:
            found[peer.name] |= _measure_http(peer, era, upstream)
    for peer in peers:
        found[peer.name] |= _measure_late_call(peer, upstream)
    return found


def further_floors(told: Callable[[str], None]) -> list[Peer]:
    """Return the additional floors that can run here. `told` is called with a sentence for each that cannot."""
    from benchmarks.typescript import MissingFloorError, command

    on_httpx2 = [sys.executable, str(HERE / "floor.py"), "httpx2"]
    peers = [Peer("bare SDK, httpx2", on_httpx2, [*on_httpx2, "http"])]
    try:
        node = command()
    except MissingFloorError as error:
        told(str(error))
    else:
        peers.append(Peer("TypeScript SDK", node, [*node, "http"], eras=(LEGACY,)))
    return peers


def run(rounds: int, told: Callable[[str], None], further: Sequence[Peer] = ()) -> dict[str, Any]:
    """Return every figure of `rounds` rounds, and how much other programs used the machine meanwhile."""
    floor = str(HERE / "floor.py")
    ours = str(Path(sys.executable).with_name("mailgun-mcp"))
    peers = (
        Peer("floor", [sys.executable, floor], [sys.executable, floor, "http"], 1),
        Peer("ours", [ours], [ours, "serve", "--transport", "http", "--port", "0"], TOOLS_AT_LEAST),
        *further,
    )
    if CORES:
        os.sched_setaffinity(0, CORES[1])
    results = []
    with _running([sys.executable, str(HERE / "upstream.py")], stdout=subprocess.PIPE) as upstream:
        assert upstream.stdout
        port = int(upstream.stdout.readline())
        _round(peers, port)  # Compiles bytecode, and fills the page cache.
        load = _Load()
        for number in range(rounds):
            told(f"round {number + 1} of {rounds}")
            turns = peers if number % 2 == 0 else peers[::-1]
            results.append(_round(turns, port))
    return {"rounds": results, "foreign": load.foreign(), "pinned": CORES is not None}


class _Load:
    """Number of cores that other programs kept busy since this was created. NaN if the system does not report it."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._busy, self._own = self._read()

    def foreign(self) -> float:
        busy, own = self._read()
        return max(0.0, busy - self._busy - (own - self._own)) / (time.perf_counter() - self._began)

    def _read(self) -> tuple[float, float]:
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        try:
            fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
        except OSError:
            return float("nan"), own
        user, nice, system, _, _, irq, soft = map(int, fields[:7])
        return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK"), own


@dataclass(frozen=True, slots=True)
class Line:
    """A measure with its results."""

    measure: Measure
    floor: float
    ours: float
    ratios: list[float]
    further: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Name of an additional floor -> its figure, and its ratio to the first floor."""

    @property
    def ratio(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        """`kept`, `BROKEN`, or empty if there is no limit."""
        if not self.measure.limit:
            return ""
        return "kept" if self.measure.kept(self.ours if self.measure.of_itself else self.ratio) else "BROKEN"

    def cells(self, further: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the cells of the printed line, with the additional floors of these names."""
        shown = f"{self.ratio:.2f} [{min(self.ratios):.2f}-{max(self.ratios):.2f}]"
        others = [
            f"{self._figure(self.further[name][0])} ({self.further[name][1]:.2f})" if name in self.further else "-"
            for name in further
        ]
        figures = self._figure(self.floor), self._figure(self.ours)
        return (self.measure.title, *figures, shown, self.measure.limit, self.verdict, *others)

    def _figure(self, value: float) -> str:
        digits = 2 if self.measure.unit in ("ms", "times") and self.floor < 10 else 0
        return f"{value:.{digits}f} {self.measure.unit}"


def lines(rounds: list[dict[str, Figures]]) -> list[Line]:
    """Return a line for each measure in the rounds. Ratios are formed within a round."""
    found = []
    for measure in MEASURES:
        floor, ours = _figures(rounds, "floor", measure), _figures(rounds, "ours", measure)
        if not floor or not ours:
            continue
        ratios = [own / least for least, own in zip(floor, ours, strict=True)]
        further = {}
        for name in rounds[0].keys() - {"floor", "ours"}:
            if figures := _figures(rounds, name, measure):
                ratio = statistics.median(own / least for least, own in zip(floor, figures, strict=True))
                further[name] = statistics.median(figures), ratio
        found.append(Line(measure, statistics.median(floor), statistics.median(ours), ratios, further))
    return found


def _figures(rounds: list[dict[str, Figures]], name: str, measure: Measure) -> list[float]:
    """Return the figure of each round. Empty if a server does not have it, or the system does not report it."""
    figures = [each[name].get(measure.key, float("nan")) for each in rounds]
    return [] if any(map(math.isnan, figures)) else figures


def table(found: list[Line]) -> list[str]:
    """Return the lines of the table. Brackets show an additional floor's ratio to the first."""
    further = list(dict.fromkeys(name for line in found for name in line.further))
    head = ("", "floor", "mailgun-mcp", "ratio [min-max]", "limit", "", *further)
    rows = [head, *(line.cells(further) for line in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares the server with its floor.")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is measured (default 7)")
    parser.add_argument("--floors", action="store_true", help="also measure two more floors; npm installs one of them")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    skipped: list[str] = []
    further = further_floors(skipped.append) if options.floors else []
    results = run(options.rounds, lambda text: print(text, file=sys.stderr), further)
    found = lines(results["rounds"])
    if options.json:
        print(json.dumps({**results, "ratios": {line.measure.key: line.ratios for line in found}}))
    else:
        print("\n".join([*table(found), *skipped]))
        print(f"{options.rounds} rounds; others kept {results['foreign']:.1f} cores busy meanwhile.")
        print("Server on a core of its own." if results["pinned"] else "Cores not chosen: floor and server share all.")
    return 0 if all(line.verdict != "BROKEN" for line in found) else 1


if __name__ == "__main__":
    sys.exit(main())
