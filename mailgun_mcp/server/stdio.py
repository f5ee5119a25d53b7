"""The stdio transport: what a client's configuration runs."""

import contextvars
import json
from typing import Any

import anyio
import mcp_types as types
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

from mailgun_mcp.pipeline import App
from mailgun_mcp.server.app import create_server


def serve(app: App) -> None:
    """Serve one client on stdin and stdout until it closes them."""
    anyio.run(_serve, app)


async def _serve(app: App) -> None:
    server = create_server(app)
    async with app.client, stdio_server() as (read_stream, write_stream):
        frames = _Frames(read_stream, write_stream)
        await server.run(frames, write_stream, server.create_initialization_options())


class _Frames:
    """The client's frames. One that is no JSON-RPC is answered here: the SDK drops it, and the client would wait."""

    def __init__(self, read_stream: Any, write_stream: Any) -> None:
        self._read = read_stream
        self._write = write_stream

    @property
    def last_context(self) -> contextvars.Context | None:
        """The context in which the last frame was read."""
        context: contextvars.Context | None = self._read.last_context
        return context

    async def receive(self) -> SessionMessage:
        """Return the next frame. Raises anyio.EndOfStream after the last."""
        while isinstance(frame := await self._read.receive(), Exception):
            await self._write.send(SessionMessage(_refusal(frame)))
        message: SessionMessage = frame
        return message

    async def aclose(self) -> None:
        """Close the stream."""
        await self._read.aclose()

    def __aiter__(self) -> "_Frames":
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> "_Frames":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _refusal(fault: Exception) -> types.JSONRPCError:
    first: Any = fault.errors(include_url=False)[0] if isinstance(fault, ValidationError) else {}
    if first.get("type") == "json_invalid":
        error = types.ErrorData(code=types.PARSE_ERROR, message=f"Parse error: {first['ctx']['error']}")
    else:
        error = types.ErrorData(code=types.INVALID_REQUEST, message="Invalid request: not a JSON-RPC 2.0 message")
    return types.JSONRPCError(jsonrpc="2.0", id=_identifier(first.get("input")), error=error)


def _identifier(frame: Any) -> int | str | None:
    """Return the id of a frame that the SDK cannot read but Python can, such as one with a lone surrogate."""
    try:
        message = json.loads(frame) if isinstance(frame, str) else frame
    except (ValueError, RecursionError):
        return None
    found = message.get("id") if isinstance(message, dict) else None
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None
