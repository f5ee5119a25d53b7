"""Models' providers on loopback that speak the protocols of Anthropic, Google and OpenAI, and fail as these do."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest
from aiohttp import web

from mailgun_mcp.agent.models import open_model

if TYPE_CHECKING:
    from pydantic_ai.models import Model

Protocol = Literal["anthropic", "google", "openai"]
PROTOCOLS: tuple[Protocol, ...] = ("anthropic", "google", "openai")
End = Literal["stop", "calls", "length", "refusal"]
Break = Literal["cut", "silent", "error event", "no JSON", "ends early"]
SECRET = "secret detail of the provider"
KEYS = {"anthropic": "ANTHROPIC_API_KEY", "google": "GOOGLE_API_KEY", "openai": "OPENAI_API_KEY"}
GOOGLE = {
    **{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"},
    **{429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE", 529: "UNAVAILABLE"},
}
REASONS: dict[Protocol, dict[str, str]] = {
    "anthropic": {"stop": "end_turn", "calls": "tool_use", "length": "max_tokens", "refusal": "refusal"},
    "google": {"stop": "STOP", "calls": "STOP", "length": "MAX_TOKENS", "refusal": "SAFETY"},
    "openai": {"stop": "stop", "calls": "tool_calls", "length": "length", "refusal": "content_filter"},
}


@dataclass(frozen=True)
class Status:
    """An error instead of an answer."""

    code: int
    headers: tuple[tuple[str, str], ...] = ()
    body: dict[str, Any] | None = None


@dataclass(frozen=True)
class Stream:
    """An answer, word by word."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    """Tool and arguments, as the model wrote them."""
    end: End | Break = "stop"
    ids: tuple[str, ...] = ()
    """Ids of the calls. By default each is another."""


class FakeProvider:
    """One provider. It gives the answers of `next` in order, and the last one for ever."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.next: list[Status | Stream] = [Stream("Hello.")]
        self.bodies: list[dict[str, Any]] = []
        """The requests that came."""
        self.url = ""

    def model(self, name: str = "fake") -> "Model":
        """Return the model as an operator names it."""
        if self.protocol == "google":
            pytest.importorskip("google.genai")
        return open_model(f"{self.protocol}:{name}", f"{self.url}/v1" if self.protocol == "openai" else self.url)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request of the model's client."""
        self.bodies.append(await request.json())
        now = self.next.pop(0) if len(self.next) > 1 else self.next[0]
        if isinstance(now, Status):
            return web.json_response(now.body or self._error(now.code), status=now.code, headers=dict(now.headers))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        begin, end = _events(self.protocol, now)
        for event in begin:
            await response.write(event)
        match now.end:
            case "cut":
                assert request.transport is not None
                request.transport.close()
            case "silent":
                await asyncio.sleep(60)
            case "no JSON":
                await response.write(b"event: content_block_delta\ndata: {half\n\n")
            case "error event":
                await response.write(_event(self._error(529), "error"))
            case "ends early":
                pass
            case _:
                for event in end:
                    await response.write(event)
        return response

    def _error(self, code: int) -> dict[str, Any]:
        match self.protocol:
            case "anthropic":
                kind = {401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}
                return {"type": "error", "error": {"type": kind.get(code, "api_error"), "message": SECRET}}
            case "google":
                return {"error": {"code": code, "message": SECRET, "status": GOOGLE.get(code, "INTERNAL")}}
        return {"error": {"message": SECRET, "type": "server_error", "code": None}}


def _events(protocol: Protocol, stream: Stream) -> tuple[list[bytes], list[bytes]]:
    """Return the events of an answer, and those that end it."""
    reason = REASONS[protocol].get(stream.end, "stop")  # a break has no reason
    calls = [(f"call-{number}", *call) for number, call in enumerate(stream.calls)]
    calls = [(name, *call[1:]) for name, call in zip(stream.ids, calls, strict=True)] if stream.ids else calls
    match protocol:
        case "anthropic":
            return list(_anthropic(stream.text, calls)), [
                _event(
                    {
                        "type": "message_delta",
                        "delta": {"stop_reason": reason, "stop_sequence": None},
                        "usage": {"input_tokens": 700, "output_tokens": 90},
                    }
                ),
                _event({"type": "message_stop"}),
            ]
        case "google":
            return list(_google(stream.text, calls)), [
                _event(
                    {
                        "candidates": [{"content": {"role": "model", "parts": []}, "finishReason": reason}],
                        "usageMetadata": {"promptTokenCount": 700, "candidatesTokenCount": 90},
                    }
                )
            ]
    usage = {"choices": [], "usage": {"prompt_tokens": 700, "completion_tokens": 90, "total_tokens": 790}}
    return list(_openai(stream.text, calls)), [
        _event(_chunk({}, reason)),
        _event({**_chunk({}), **usage}),
        b"data: [DONE]\n\n",
    ]


def _anthropic(text: str, calls: Sequence[tuple[str, str, str]]) -> Iterator[bytes]:
    message: dict[str, Any] = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "fake",
        "content": [],
        "stop_reason": None,
    }
    usage = {"input_tokens": 700, "output_tokens": 1}
    yield _event({"type": "message_start", "message": {**message, "stop_sequence": None, "usage": usage}})
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if text:
        blocks.append(({"type": "text", "text": ""}, [{"type": "text_delta", "text": word} for word in _words(text)]))
    for name, tool, arguments in calls:
        deltas = [{"type": "input_json_delta", "partial_json": half} for half in _halves(arguments)]
        blocks.append(({"type": "tool_use", "id": name, "name": tool, "input": {}}, deltas))
    for number, (block, deltas) in enumerate(blocks):
        yield _event({"type": "content_block_start", "index": number, "content_block": block})
        for delta in deltas:
            yield _event({"type": "content_block_delta", "index": number, "delta": delta})
        yield _event({"type": "content_block_stop", "index": number})


def _google(text: str, calls: Sequence[tuple[str, str, str]]) -> Iterator[bytes]:
    parts: list[dict[str, Any]] = [{"text": word} for word in _words(text)]
    for name, tool, arguments in calls:
        parts.append({"functionCall": {"id": name, "name": tool, "args": json.loads(arguments)}})
    for part in parts:
        yield _event({"candidates": [{"content": {"role": "model", "parts": [part]}}]})


def _openai(text: str, calls: Sequence[tuple[str, str, str]]) -> Iterator[bytes]:
    yield _event(_chunk({"role": "assistant", "content": ""}))
    for word in _words(text):
        yield _event(_chunk({"content": word}))
    for number, (name, tool, arguments) in enumerate(calls):
        first, second = _halves(arguments)
        begun = {"index": number, "id": name, "type": "function", "function": {"name": tool, "arguments": first}}
        yield _event(_chunk({"tool_calls": [begun]}))
        yield _event(_chunk({"tool_calls": [{"index": number, "function": {"arguments": second}}]}))


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": [choice]}


def _words(text: str) -> list[str]:
    return [f"{word} " for word in text.split()] if text.strip() else [text] if text else []


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def _event(record: dict[str, Any], kind: str | None = None) -> bytes:
    kind = kind or record.get("type")
    name = f"event: {kind}\n" if isinstance(kind, str) else ""
    return f"{name}data: {json.dumps(record)}\n\n".encode()


@asynccontextmanager
async def fake_provider(protocol: Protocol = "openai") -> AsyncIterator[FakeProvider]:
    """Run a provider until the block ends."""
    provider = FakeProvider(protocol)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/{path:.*}", provider.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    with pytest.MonkeyPatch.context() as patch:
        for variable in KEYS.values():
            patch.setenv(variable, "a-key")
        try:
            yield provider
        finally:
            await runner.cleanup()
