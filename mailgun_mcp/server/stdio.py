"""The SDK's part of a session on stdio."""

import asyncio
import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.message import ServerMessageMetadata, SessionMessage
from pydantic import ValidationError

from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.principal import local_user
from mailgun_mcp.request.received_files import ReceivedFiles
from mailgun_mcp.server.large_messages import LARGE, TooLargeError, bounded, message_id
from mailgun_mcp.server.server import create_server
from mailgun_mcp.server.stdio_wire import Wire
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.json_faults import json_fault

ANSWERED = 0.02
"""Seconds after which even the longest list has been sent."""


async def serve(services: Services, wire: Wire) -> None:
    """Serve one client until it closes its end. Nothing has been answered before."""
    server = create_server(services, local_user())
    server.middleware.append(_prepare_after_first_list(services))
    await run(services, server, wire)


async def run(
    services: Services,
    server: Server[dict[str, Any]],
    wire: Wire,
    replayed: Sequence[bytes] = (),
    *,
    begun: Callable[[], object] = lambda: None,
) -> None:
    """Serve one client until it closes its end.

    `replayed` was answered before. `begun` returns the call of the last line read, if it was begun without the SDK.
    """
    replay = Replay(replayed)
    with _ignore_messages_at_the_end():
        await server.run(
            _Incoming(wire, services.files.received, replay, begun),
            _Outgoing(wire, replay),
            server.create_initialization_options(),
        )


class Replay:
    """Messages that were answered before the SDK was loaded, but that it must see.

    The SDK's own answer to the first one is dropped. The others wait until then.
    """

    def __init__(self, lines: Sequence[bytes] = ()) -> None:
        self._lines = lines
        self._position = 0
        self._answered = asyncio.Event()
        if not lines:
            self._answered.set()

    async def read_line(self) -> bytes:
        """Return the next message. Empty after the last."""
        if self._position:
            await self._answered.wait()
        line = self._lines[self._position] if self._position < len(self._lines) else b""
        self._position += 1
        return line

    def drops(self, message: types.JSONRPCMessage) -> bool:
        """Return whether the message answers the first one. The client already has that answer."""
        if self._answered.is_set() or not isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            return False
        self._answered.set()
        return True


@contextmanager
def _ignore_messages_at_the_end() -> Iterator[None]:
    """Ignore the SDK's failure to deliver a message that arrives just as an interrupt ends the session."""
    try:
        yield
    except* anyio.BrokenResourceError:
        pass
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


def _prepare_after_first_list(services: Services) -> ServerMiddleware[dict[str, Any]]:
    """Return a middleware that imports what calls need while the client reads the list. The first call saves 60 ms."""
    prepared = False

    async def prepare(ctx: ServerRequestContext[dict[str, Any], Any], call_next: CallNext) -> HandlerResult:
        nonlocal prepared
        result = await call_next(ctx)
        if ctx.method == "tools/list" and not prepared:
            prepared = True
            # The thread must not create its own: since Python 3.12, cached properties have no lock.
            _ = services.recorder, [each.account for each in (services, *services.of_accounts.values())]
            thread = Thread(target=services.prepare, name="prepare")
            asyncio.get_running_loop().call_later(ANSWERED, thread.start)
        return result

    return prepare


class _Incoming:
    """The client's messages. Invalid ones are answered here: the SDK would drop them, and the client would wait."""

    def __init__(
        self,
        wire: Wire,
        files: ReceivedFiles,
        replay: Replay | None = None,
        begun: Callable[[], object] = lambda: None,
    ) -> None:
        self._wire = wire
        self._files = files
        self._replay = replay
        self._begun = begun

    async def receive(self) -> SessionMessage:
        """Return the next message. Raises anyio.EndOfStream after the last."""
        while line := await self._read_line():
            # PowerShell and other programs write a byte order mark at the start of a pipe.
            line = line.removeprefix(BOM_UTF8)
            if not line.strip():
                continue
            try:
                if len(line) > LARGE:
                    line, _ = await in_thread(bounded, line, self._files)
                text = line.decode("utf-8")
                message = types.jsonrpc_message_adapter.validate_json(text, by_name=False)
                call = self._begun() if self._replay is None else None
                # The SDK passes it to the handler of the request.
                return SessionMessage(message, ServerMessageMetadata(request_context=call) if call else None)
            except TooLargeError as error:
                await self._wire.write(_serialized(_too_large(await in_thread(message_id, line), error)))
            except UnicodeDecodeError:
                await self._wire.write(_serialized(_not_utf8(line)))
            except (ValueError, RecursionError) as fault:
                await self._wire.write(_serialized(_error_response(fault)))
        raise anyio.EndOfStream

    async def _read_line(self) -> bytes:
        if self._replay is not None:
            if line := await self._replay.read_line():
                return line
            self._replay = None
        return await self._wire.read_line()

    async def aclose(self) -> None:
        """Do nothing: whoever opened the wire closes it."""

    def __aiter__(self) -> "_Incoming":
        return self

    async def __anext__(self) -> SessionMessage:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> "_Incoming":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class _Outgoing:
    """The messages to the client."""

    def __init__(self, wire: Wire, replay: Replay | None = None) -> None:
        self._wire = wire
        self._replay = replay or Replay()

    async def send(self, item: SessionMessage) -> None:
        """Write one message. Raises anyio.BrokenResourceError if the client has gone."""
        if self._replay.drops(item.message):
            return
        await self._wire.write(_serialized(item.message))

    async def aclose(self) -> None:
        """Do nothing: whoever opened the wire closes it."""

    async def __aenter__(self) -> "_Outgoing":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _serialized(message: types.JSONRPCMessage) -> bytes:
    return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"


def _error_response(fault: Exception) -> types.JSONRPCError:
    first: Any = fault.errors(include_url=False)[0] if isinstance(fault, ValidationError) else {}
    if first.get("type") == "json_invalid":
        text = f"Parse error: the message cannot be read: {json_fault(first['input'])}"
        error = types.ErrorData(code=types.PARSE_ERROR, message=text)
    else:
        error = types.ErrorData(code=types.INVALID_REQUEST, message="Invalid request: not a JSON-RPC 2.0 message")
    return types.JSONRPCError(jsonrpc="2.0", id=_identifier(first.get("input")), error=error)


def _too_large(identifier: int | str | None, fault: TooLargeError) -> types.JSONRPCError:
    error = types.ErrorData(code=types.INVALID_REQUEST, message=str(fault))
    return types.JSONRPCError(jsonrpc="2.0", id=identifier, error=error)


def _not_utf8(line: bytes) -> types.JSONRPCError:
    """Return a refusal of the message: other encodings must not reach a recipient as replacement characters."""
    error = types.ErrorData(code=types.PARSE_ERROR, message="Parse error: the message is not UTF-8")
    return types.JSONRPCError(jsonrpc="2.0", id=_identifier(line.decode("utf-8", "replace")), error=error)


def _identifier(message_input: Any) -> int | str | None:
    """Return the id of a message that Python can parse but the SDK cannot, such as one with a lone surrogate."""
    try:
        message = json.loads(message_input) if isinstance(message_input, str) else message_input
    except (ValueError, RecursionError):
        return None
    identifier = message.get("id") if isinstance(message, dict) else None
    return identifier if isinstance(identifier, int | str) and not isinstance(identifier, bool) else None
