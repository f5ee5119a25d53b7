"""Control routes that send and receive the whole account, line by line. Other requests run meanwhile."""

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.types import Receive, Scope, Send

from mailgun_mcp.simulator.control.account_json import CodecError, restored
from mailgun_mcp.simulator.control.account_stream import (
    MAX_LINE,
    AccountReader,
    account_lines,
    is_stream,
    parse_line,
)
from mailgun_mcp.simulator.control.harness import Harness
from mailgun_mcp.simulator.http.asgi import MAX_CONTENT
from mailgun_mcp.simulator.http.body import too_large
from mailgun_mcp.simulator.http.regions import serve_storage_at
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.replies.give_way import Turn
from mailgun_mcp.simulator.replies.reply import ApiError, Reply

LINES = "application/x-ndjson"
SNAPSHOT_PART = 1 << 16
"""Approximate number of bytes that are sent at a time."""


class SnapshotReply(Reply):
    """A response that streams the account as it is being serialized."""

    def __init__(self, account: Account) -> None:
        super().__init__(b"", content_type=LINES)
        self.raw_headers = [(b"content-type", LINES.encode())]
        self._account = account

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI calls it
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        turn, pending, size = Turn(), list[bytes](), 0
        for line in account_lines(self._account):
            pending.append(line)
            size += len(line)
            if size > SNAPSHOT_PART:
                await send({"type": "http.response.body", "body": b"".join(pending), "more_body": True})
                pending, size = [], 0
            await turn.give_way()
        await send({"type": "http.response.body", "body": b"".join(pending)})


def take_snapshot(harness: Harness, _: dict[str, Any]) -> Reply:
    """Return the whole account, including its keys, as lines of JSON."""
    return SnapshotReply(harness.account)


async def restore(harness: Harness, receive: Receive) -> Reply:
    """Load a snapshot, which is the body: the account and its time."""
    try:
        now, account = await _read(harness, receive)
    except CodecError as error:
        raise ApiError(400, f"not a snapshot: {error}") from error
    harness.clock.advance(now - harness.clock.now())
    serve_storage_at(account, harness.account.storage_url)
    harness.replace_account(account)
    return Reply({"restored": account.id, "now": harness.clock.now()})


async def _read(harness: Harness, receive: Receive) -> tuple[float, Account]:
    lines = _lines(receive)
    first = await anext(lines, b"")
    if not is_stream(first):
        return _read_document(harness, first + b"".join([line async for line in lines]))
    reader, turn = AccountReader(parse_line(first), harness.clock), Turn()
    async for line in lines:
        reader.add(line)
        await turn.give_way()
    return reader.now, reader.account()


def _read_document(harness: Harness, content: bytes) -> tuple[float, Account]:
    """Return the time and the account in a snapshot of an earlier release, which is one JSON document."""
    if len(content) > MAX_CONTENT:
        raise too_large()
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "the body is not valid JSON") from error
    account = restored(document, harness.clock)
    return document["now"], account


async def _lines(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the lines of a body as they arrive. Raises ApiError when a line is too long."""
    pending, more = bytearray(), True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        start = len(pending)
        pending += message.get("body", b"")
        end = pending.find(b"\n", start)
        while end >= 0:
            yield bytes(pending[: end + 1])
            del pending[: end + 1]
            end = pending.find(b"\n")
        if len(pending) > MAX_LINE:
            raise too_large()
    if pending:
        yield bytes(pending)
