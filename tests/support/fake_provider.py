"""A model's provider on loopback that speaks OpenAI's protocol, and fails as providers do."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from aiohttp import web
from pydantic_ai.models.openai import OpenAIChatModel

from mailgun_mcp.agent.models import open_model

Fault = Literal["none", "401", "404", "429", "500", "cut", "silent", "error event", "no JSON"]


class FakeProvider:
    """What it does next."""

    def __init__(self) -> None:
        self.fault: Fault = "none"
        self.requests = 0
        self.url = ""

    @property
    def model(self) -> OpenAIChatModel:
        """The model, as an operator names it."""
        model = open_model("openai:fake", f"{self.url}/v1")
        assert isinstance(model, OpenAIChatModel)
        return model

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request of Chat Completions."""
        await request.read()
        self.requests += 1
        if self.fault.isdigit():
            error = {"error": {"message": "secret detail of the provider", "type": "x", "code": "x"}}
            return web.json_response(error, status=int(self.fault), headers={"retry-after-ms": "1"})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(_chunk("Half "))
        match self.fault:
            case "cut":
                assert request.transport is not None
                request.transport.close()
            case "silent":
                await asyncio.sleep(30)
            case "error event":
                await response.write(b'data: {"error": {"message": "overloaded", "type": "overloaded_error"}}\n\n')
            case "no JSON":
                await response.write(b"data: {half\n\n")
            case _:
                await response.write(_chunk("a sentence.") + _chunk("", "stop") + b"data: [DONE]\n\n")
        return response


def _chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "fake", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


@asynccontextmanager
async def fake_provider() -> AsyncIterator[FakeProvider]:
    """Run it until the block ends."""
    provider = FakeProvider()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", provider.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield provider
    finally:
        await runner.cleanup()
