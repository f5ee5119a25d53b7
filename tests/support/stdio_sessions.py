"""Sessions on stdio in the test's own process, line by line."""

import json
from collections import deque
from collections.abc import Sequence
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server

from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.server import stdio
from mailgun_mcp.server.plain_messages import MODERN
from mailgun_mcp.server.server import create_server
from mailgun_mcp.settings import Settings
from tests.support.processes import INITIALIZE

META = "io.modelcontextprotocol/"
ENVELOPE = {
    f"{META}protocolVersion": MODERN,
    f"{META}clientInfo": {"name": "tests", "version": "1"},
    f"{META}clientCapabilities": {},
}
STATE = TemporaryDirectory(prefix="mailgun-mcp-tests-")
READY = b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'


def frame(method: str, params: Any = None, identifier: Any = 1, **more: Any) -> bytes:
    message = {"jsonrpc": "2.0", "id": identifier, "method": method, **more}
    return json.dumps(message if params is None else {**message, "params": params}, ensure_ascii=False).encode() + b"\n"


def opened(version: str) -> list[bytes]:
    return [frame("initialize", {**INITIALIZE, "protocolVersion": version}, 0), READY]


def made(**settings: Any) -> Services:
    return create_services(Settings(api_key="key-0123", state=STATE.name, **settings))


@cache
def few_tools() -> Services:
    return made(toolsets=("bounces",))


class Lines:
    """A client that sends each line when the request before it was answered, and what it was sent."""

    def __init__(self, lines: Sequence[bytes], due: int = 0) -> None:
        self._lines = deque(lines)
        self.written: list[bytes] = []
        self._due = due
        self._changed = anyio.Event()

    async def read_line(self) -> bytes:
        while len(self.written) < self._due:
            await self._changed.wait()
        if not self._lines:
            return b""
        line = self._lines.popleft()
        self._due += is_answered(line)
        return line

    async def write(self, data: bytes) -> None:
        self.written.append(data)
        self._changed.set()
        self._changed = anyio.Event()

    @property
    def is_terminal(self) -> bool:
        return False


def is_answered(line: bytes) -> bool:
    """Whether the server answers the line: a request, or what is no message at all."""
    if not line.strip():
        return False
    try:
        message = types.jsonrpc_message_adapter.validate_json(line.decode(), by_name=False)
    except ValueError:
        return True
    return isinstance(message, types.JSONRPCRequest)


async def answers_of_the_sdk(
    services: Services, lines: Sequence[bytes], *, replay: Sequence[bytes] = (), server: Server[Any] | None = None
) -> list[bytes]:
    """Return what the SDK's part of the server writes for these lines, after those of `replay`."""
    client = Lines(lines)
    replayed = stdio.Replay(replay)
    server = server or create_server(services, local_user())
    with anyio.fail_after(60):
        await server.run(
            stdio._Incoming(client, services.files.received, replayed),
            stdio._Outgoing(client, replayed),
            server.create_initialization_options(),
        )
    return client.written
