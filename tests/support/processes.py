"""Real servers as processes of their own, as a client's configuration would run them."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from tests.support.forked import forked

PATIENCE = 60.0
"""Seconds after which a process that says nothing has failed."""
ADDRESS = re.compile(r"listens on (http://\S+?:\d+)(/\S*)")
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "tests", "version": "1"},
}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mailgun_mcp", *arguments]


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without the person's own configuration and state."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("MAILGUN_", "XDG_"))}
    ours = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "MAILGUN_MCP_STATE": str(home / "state")}
    return {**kept, **ours, **(extra or {})}


def pointed_at(url: str) -> dict[str, str]:
    return {"MAILGUN_API_URL": url, "MAILGUN_API_KEY": "key-of-the-tests"}


@asynccontextmanager
async def streamable_http(url: str, headers: dict[str, str]) -> AsyncIterator[Any]:
    async with (
        create_mcp_http_client(headers=headers) as client,
        streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams


@dataclass
class HttpServer:
    """A server that listens; `address` and `path` are what it said on stderr."""

    process: Process
    address: str = ""
    path: str = ""
    said: list[str] = field(default_factory=list)
    token: str = ""
    """What it wants of callers; empty where it takes anybody."""

    @property
    def headers(self) -> dict[str, str]:
        """What a client that may call sends."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def target(self, path: str) -> Any:
        """Return what an MCP client is given to reach the server at `path`."""
        url = self.address + path
        if path != "/mcp":
            return sse_client(url, headers=self.headers)
        return streamable_http(url, self.headers)

    async def listen(self) -> None:
        assert self.process.stderr is not None
        async for chunk in self.process.stderr:
            self.said.append(chunk.decode())
            if found := ADDRESS.search("".join(self.said)):
                self.address, self.path = found.groups()
                return
        raise AssertionError(f"the server ended: {''.join(self.said)}")

    async def drain(self) -> None:
        assert self.process.stderr is not None
        async for chunk in self.process.stderr:
            self.said.append(chunk.decode())


@asynccontextmanager
async def http_server(
    arguments: Sequence[str], env: Mapping[str, str], *, start: Callable[..., list[str]] = forked
) -> AsyncIterator[HttpServer]:
    """Run `mailgun-mcp serve` with `arguments` on a free port until the block ends, then end it by a signal.

    It is forked; `start=command` starts the program as a person does, which takes two seconds of CPU.
    """
    process = await anyio.open_process(start("serve", "--port", "0", *arguments), env=env, stdin=None)
    server = HttpServer(process)
    try:
        with anyio.fail_after(PATIENCE):
            await server.listen()
        token = Path(env["MAILGUN_MCP_STATE"]) / "http-token"
        server.token = token.read_text(encoding="ascii").strip() if token.exists() else ""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.drain)
            yield server
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            with anyio.fail_after(PATIENCE):
                await process.wait()
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.aclose()


@contextmanager
def simulated(home: Path, *flags: str) -> Iterator[str]:
    """Run the simulator as a process of its own, and give its URL."""
    with simulator_output(home, *flags) as output:
        found = re.search(r"listens on (http://\S+)", output[0])
        assert found, output
        yield found[1]


@contextmanager
def simulator_output(home: Path, *flags: str, lines: int = 1) -> Iterator[list[str]]:
    """Run the simulator as a process of its own, and give the first lines that it prints."""
    with (home / "errors").open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            forked("simulator", "--port", "0", "--quiet", *flags),
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        watchdog = Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            output = [process.stdout.readline() for _ in range(lines)]
            assert output[-1], (home / "errors").read_text(encoding="utf-8")
            watchdog.cancel()
            yield output
        finally:
            watchdog.cancel()
            process.kill()
            process.communicate()
    assert "simulator_failed" not in (home / "errors").read_text(encoding="utf-8")


class RawStdio:
    """A stdio server driven frame by frame: it can be sent what no client library would send."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.lines: list[str] = []
        self._in = process.stdin
        self._out = BufferedByteReceiveStream(process.stdout)
        self._next = 0

    async def send(self, frame: str | bytes) -> None:
        await self._in.send((frame.encode() if isinstance(frame, str) else frame) + b"\n")

    async def receive(self) -> dict[str, Any]:
        """Return the next line of stdout, which has to be JSON-RPC."""
        with anyio.fail_after(PATIENCE):
            line = await self._out.receive_until(b"\n", 256 * 1024 * 1024)
        self.lines.append(line.decode())
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return message

    async def answer_to(self, identifier: int) -> dict[str, Any]:
        """Return the answer to the request `identifier`; nothing else may come before it but notifications."""
        while "id" not in (message := await self.receive()):
            pass
        assert message["id"] == identifier, message
        return message

    async def request(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        self._next += 1
        await self.send(json.dumps({"jsonrpc": "2.0", "id": self._next, "method": method, "params": params or {}}))
        return await self.answer_to(self._next)

    async def raw_call(self, tool: str, arguments: str) -> dict[str, Any]:
        """Call `tool` with `arguments` as they stand, JSON or not."""
        self._next += 1
        call = f'{{"name": "{tool}", "arguments": {arguments}}}'
        await self.send(f'{{"jsonrpc": "2.0", "id": {self._next}, "method": "tools/call", "params": {call}}}')
        return await self.answer_to(self._next)

    async def end(self) -> int:
        """Close stdin, read the rest of stdout and return the exit code."""
        await self._in.aclose()
        with anyio.fail_after(PATIENCE):
            try:
                while True:
                    await self.receive()
            except (anyio.EndOfStream, anyio.IncompleteRead):
                pass
            return await self.process.wait()


@asynccontextmanager
async def raw_stdio(
    arguments: Sequence[str],
    env: Mapping[str, str],
    *,
    greet: bool = True,
    errors: int | None = None,
    start: Callable[..., list[str]] = command,
) -> AsyncIterator[RawStdio]:
    """Run a stdio server and greet it in the older era. `errors` is where its stderr goes; None for ours."""
    process = await anyio.open_process(start("serve", *arguments), env=env, stderr=errors)
    try:
        server = RawStdio(process)
        if greet:
            await server.request("initialize", INITIALIZE)
            await server.send('{"jsonrpc": "2.0", "method": "notifications/initialized"}')
        yield server
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.aclose()
