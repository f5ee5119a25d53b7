"""Evens out how clients spell media types, and limits the size of what they send.

The SDK demands both media types, logs a traceback if a body breaks off, and uses pydantic's words.
"""

import json
import re
from typing import Any

import anyio
from mcp_types import INVALID_REQUEST, PARSE_ERROR
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailgun_mcp.request.received_files import ReceivedFiles
from mailgun_mcp.server.large_messages import LARGE, MOST_TEXT, MOST_VALUES, TooLargeError, bounded, refuse_longer
from mailgun_mcp.store.database import in_thread
from mailgun_mcp.text.json_faults import json_fault
from mailgun_mcp.text.sizes import megabytes
from mailgun_mcp.web.body_replay import replay
from mailgun_mcp.web.principal import path_in

SAME_ROUTE = {"/messages": "/messages/"}
"""Path without a slash at the end, as `Paths` passes it on -> the path of the route."""
TAKES_MESSAGES = ("/mcp", "/messages/")
JSON, EVENTS = "application/json", "text/event-stream"
READS_JSON = frozenset({JSON, "application/*", "*/*", ""})
READS_EVENTS = frozenset({EVENTS, "text/*", "*/*", ""})
LONGEST_NUMBER = 30
NOT_A_MESSAGE = "The body is not a JSON-RPC 2.0 message: write an object with `jsonrpc`, `method` and, for a request, `id` and `params`."
TOO_LARGE = {
    "error": {
        "message": f"The request is too large: it may have at most {megabytes(MOST_TEXT)} and {MOST_VALUES:,} values. Nothing was done. "
        "Send less. A chat needs only its newest message: its history is on the server.",
        "type": "TooLarge",
        "code": "too_large",
        "param": None,
    }
}
"""What the other routes say, in the form of the chat protocols."""
NO_MESSAGE = (b"errors.pydantic.dev", b"Body must be a single JSON-RPC request or notification object")
NO_SESSION = b"Missing session ID"
NO_JSON = re.compile(rb'"code": ?-32700\b|^Could not parse message')
WITHOUT_SESSION = (
    "There is no session: send `initialize` first, and then the header `Mcp-Session-Id` that its answer has. "
    "With protocol 2026-07-28, no session is needed: send the header `MCP-Protocol-Version: 2026-07-28`."
)
ACCEPTED = 202
"""Status of the answer to a message over HTTP+SSE. Its call goes on after that answer."""


class Normalized:
    """Passes requests on with one spelling, and with the whole body in one message."""

    def __init__(self, app: ASGIApp, *, files: ReceivedFiles) -> None:
        self._app = app
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is too large, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = path_in(scope)
        prefix = scope["path"][: len(scope["path"]) - len(path)]
        path = SAME_ROUTE.get(path, path)
        whole = prefix + path
        scope = {**scope, "path": whole, "raw_path": whole.encode(), "headers": list(scope["headers"])}
        refusal = _media_type_refusal(scope, path)
        if path == "/mcp":
            send = _accept(scope, send)
        if scope["method"] == "POST":
            try:
                body = await _body(scope, receive)
                if body is None:
                    return
                if path in TAKES_MESSAGES:
                    send = _in_plain_words(send, bytes(body) if len(body) <= LARGE else b"")
                if refusal is not None:
                    await refusal(scope, receive, send)
                    return
                await self._pass_body(body, scope, receive, send)
            except TooLargeError as error:
                refuse = _refusal(413, str(error)) if path in TAKES_MESSAGES else JSONResponse(TOO_LARGE, 413)
                await refuse(scope, receive, send)
        else:
            await (refusal or self._answer)(scope, receive, send)

    async def _pass_body(self, body: bytearray, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body. The files in the body are kept until the request is answered."""
        if len(body) <= LARGE:
            await self._answer(scope, replay(bytes(body), receive), send)
            return
        rest, names = await in_thread(bounded, body, self._files)
        body.clear()
        scope["headers"] = [header for header in scope["headers"] if header[0] != b"content-length"]
        scope["headers"].append((b"content-length", str(len(rest)).encode()))
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._answer(scope, replay(rest, receive), watch)
        finally:
            if status != ACCEPTED:
                self._files.discard(names)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, ClientDisconnect):
            # The client has gone. There is nobody to answer, and nothing for an operator to fix.
            return


async def _body(scope: Scope, receive: Receive) -> bytearray | None:
    """Return the whole body, or None if it broke off. Raises TooLargeError as soon as it is too large."""
    declared = Headers(scope=scope).get("content-length", "")
    # Python does not convert longer numbers, and no body is that long.
    refuse_longer(int(declared[:LONGEST_NUMBER]) if declared.isdecimal() else 0)
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        refuse_longer(len(body))
        more = message.get("more_body", False)
    return body


def _refusal(status: int, message: str) -> Response:
    """Return a refusal in the form in which clients show the reason."""
    fault = {"code": INVALID_REQUEST, "message": message}
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": fault}, status)


def _media_type_refusal(scope: Scope, path: str) -> Response | None:
    """Return a refusal if the message is not declared as JSON, or the client accepts no type that we send.

    Browsers let a page of another site send other types without asking this server first.
    """
    headers = MutableHeaders(scope=scope)
    if scope["method"] == "POST" and path in TAKES_MESSAGES:
        if _media_types(headers.get("content-type", "")) != {JSON}:
            return _refusal(415, "The body must be JSON: send the header `Content-Type: application/json`")
        # The SDK recognizes it in lower case only.
        headers["content-type"] = JSON
    reads = READS_EVENTS if scope["method"] == "GET" else READS_JSON | READS_EVENTS
    if path == "/mcp" and scope["method"] in ("GET", "POST") and not _media_types(headers.get("accept", "")) & reads:
        answers = EVENTS if scope["method"] == "GET" else f"{JSON}, {EVENTS}"
        return _refusal(406, f"The client does not accept the answer: send the header `Accept: {answers}`")
    return None


def _media_types(header: str) -> set[str]:
    return {part.partition(";")[0].strip().lower() for part in header.split(",")}


def _accept(scope: Scope, send: Send) -> Send:
    """Ask the SDK for both media types, as it demands. Return a `send` that answers in one that the client accepts."""
    headers = MutableHeaders(scope=scope)
    types = _media_types(headers.get("accept", ""))
    headers["accept"] = f"{JSON}, {EVENTS}"
    return send if types & READS_EVENTS or scope["method"] != "POST" else _as_json(send)


def _in_plain_words(send: Send, sent: bytes) -> Send:
    """Return a `send` that refuses malformed messages in our words: the parser's are long and name types of the SDK.

    `sent` is the body of the request, or empty if it is a large one.
    """
    start: Message = {}

    async def convert(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start" and message["status"] == 400:
            start = message
            return
        if start:
            fault = _fault(message.get("body", b""), sent)
            if fault is not None:
                body = json.dumps({"jsonrpc": "2.0", "id": None, "error": fault}).encode()
                headers = MutableHeaders(raw=list(start["headers"]))
                headers["content-type"], headers["content-length"] = JSON, str(len(body))
                start, message = {**start, "headers": headers.raw}, {**message, "body": body}
            await send(start)
            start = {}
        await send(message)

    return convert


def _fault(answer: bytes, sent: bytes) -> dict[str, Any] | None:
    """Return in our words what the SDK says in `answer`. None: its own words are plain."""
    if any(words in answer for words in NO_MESSAGE):
        return {"code": INVALID_REQUEST, "message": NOT_A_MESSAGE}
    if NO_SESSION in answer:
        return {"code": INVALID_REQUEST, "message": WITHOUT_SESSION}
    if NO_JSON.search(answer):
        fault = f": {json_fault(sent)}" if sent else ""
        return {"code": PARSE_ERROR, "message": f"Parse error: the body cannot be read{fault}"}
    return None


def _as_json(send: Send) -> Send:
    """Return a `send` that turns an event stream into the one response at its end."""
    start: Message = {}
    body = bytearray()

    async def convert(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            if Headers(raw=message.get("headers", [])).get("content-type", "").startswith(EVENTS):
                start = message
                return
        elif start and message["type"] == "http.response.body":
            body.extend(message.get("body", b""))
            if message.get("more_body", False):
                return
            content = _response_in(bytes(body))
            headers = MutableHeaders(raw=list(start["headers"]))
            headers["content-type"], headers["content-length"] = JSON, str(len(content))
            await send({**start, "headers": headers.raw})
            message = {"type": "http.response.body", "body": content}
        await send(message)

    return convert


def _response_in(events: bytes) -> bytes:
    """Return the JSON-RPC response among server-sent events. The events before it are notifications."""
    for line in reversed(events.splitlines()):
        if line.startswith(b"data:") and (content := line[5:].strip()):
            message: Any = json.loads(content)
            if "method" not in message:
                return content
    return b""
