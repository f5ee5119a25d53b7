"""Servers in the test's own process that are reached as real ones are: over a socket, and over pipes.

No process is started, so many clients can be tried; what crosses is the same bytes.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import mcp_types as types
import uvicorn
from mcp.shared.message import SessionMessage

from mailgun_mcp.app.listen import listen, url_of
from mailgun_mcp.asgi import create
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.identity.start_token import start_token
from mailgun_mcp.server import stdio
from mailgun_mcp.server.server import create_server
from mailgun_mcp.server.stdio_wire import _open_pipes
from mailgun_mcp.settings import Settings
from tests.support.processes import streamable_http

Connect = Callable[[], Any]
"""Returns the transport of one more client."""


@asynccontextmanager
async def over_http(services: Services, principal: Principal) -> AsyncIterator[Connect]:
    """Serve on a free port. An anonymous principal is one of a server without a token."""
    settings = Settings(transport="http", without_token=not principal.authenticated)
    app = create(settings, services=services, loopback=True)
    headers = {"Authorization": f"Bearer {start_token(services.state)}"} if principal.authenticated else {}
    listener = listen("127.0.0.1", 0, authenticated=True)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    url = f"{url_of(listener, '127.0.0.1')}/mcp"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server._serve, [listener])
        while not server.started:
            await anyio.lowlevel.checkpoint()
        yield lambda: streamable_http(url, headers)
        server.should_exit = True


@asynccontextmanager
async def over_stdio(services: Services, principal: Principal) -> AsyncIterator[Connect]:
    yield lambda: _piped(services, principal)


@asynccontextmanager
async def _piped(services: Services, principal: Principal) -> AsyncIterator[Any]:
    server = create_server(services, principal)
    (stdin, to_server), (from_server, stdout) = os.pipe(), os.pipe()

    async def serve() -> None:
        async with _open_pipes(stdin, stdout) as wire:
            incoming, outgoing = stdio._Incoming(wire, services.files.received), stdio._Outgoing(wire)
            await server.run(incoming, outgoing, server.create_initialization_options())

    to_client, received = anyio.create_memory_object_stream[SessionMessage | Exception](100)
    sent, from_client = anyio.create_memory_object_stream[SessionMessage](100)

    async def read() -> None:
        reader = asyncio.StreamReader(limit=2**26)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(from_server, "rb", buffering=0)
        )
        while line := await reader.readline():
            await to_client.send(SessionMessage(types.jsonrpc_message_adapter.validate_json(line, by_name=False)))

    async def write() -> None:
        async for item in from_client:
            line = item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
            await anyio.to_thread.run_sync(os.write, to_server, line)

    async with to_client, from_client, received, sent, anyio.create_task_group() as tasks:
        for task in (serve, read, write):
            tasks.start_soon(task)
        yield received, sent
        tasks.cancel_scope.cancel()
    for end in (stdin, stdout, to_server):
        os.close(end)
