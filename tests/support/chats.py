"""Chats with a scripted model, in process and against the simulator."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.options import AgentOptions
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.call.services import Services
from mailgun_mcp.identity.principal import Principal
from mailgun_mcp.settings import Settings
from tests.support.apps import opened, own_state

ANN = Principal("ann@example.com")
BEN = Principal("ben@example.com")
DOMAIN = "mail.example.com"
CLEAR = ("clear_bounces", {"domain_name": DOMAIN})
LIST = ("list_bounces", {"domain": DOMAIN, "limit": 2})

Say = str | tuple[str, dict[str, Any]] | BaseException | asyncio.Event
"""A text, a call of a tool, an error, or what the model waits for."""


def model(*responses: Sequence[Say] | Callable[[list[ModelMessage], AgentInfo], Sequence[Say]]) -> Model:
    """Return a model that gives these responses, one a request, and afterwards says that it is done."""
    given = iter(responses)

    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | DeltaToolCalls]:
        response = next(given, ["Done."])
        parts = response(messages, info) if callable(response) else response
        made = sum(isinstance(message, ModelResponse) for message in messages)
        for number, part in enumerate(parts, 1):
            if isinstance(part, str):
                yield part
            elif isinstance(part, BaseException):
                raise part
            elif isinstance(part, asyncio.Event):
                await part.wait()
            else:
                tool, arguments = part
                yield {number: DeltaToolCall(tool, json.dumps(arguments), tool_call_id=f"m{made}-{number}")}

    return FunctionModel(stream_function=stream, model_name="scripted")


_numbers = count(1)


def next_run() -> str:
    """Return a run id that no test used."""
    return f"run-{next(_numbers)}"


class Chat:
    """One server's conversations with a scripted model."""

    def __init__(
        self,
        *responses: Any,
        state: Path | None = None,
        options: AgentOptions | None = None,
        services: Services | None = None,
        **settings: Any,
    ) -> None:
        self.state = state or own_state()
        self.services = services or opened(create_services(Settings(simulator=True, state=str(self.state), **settings)))
        self.runner = Runner(self.services, model(*responses), options)

    async def __aenter__(self) -> "Chat":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.runner.aclose()

    async def say(self, text: str, *, by: Principal = ANN, to: str = "c", run: str | None = None) -> list[Event]:
        """Send a message and return the events of its run."""
        started = await self.runner.start(by, to, text, run=run or next_run(), client="chat:test")
        return [event async for event in self.runner.watch(started, by)]

    async def answer(self, *answers: Answer, by: Principal = ANN, to: str = "c", run: str | None = None) -> list[Event]:
        """Answer approvals and return the events of the run that follows."""
        continued = await self.runner.answer(by, to, answers, run=run or next_run(), client="chat:test")
        return [event async for event in self.runner.watch(continued, by)]

    async def yes(self, events: list[Event]) -> list[Event]:
        """Say yes to everything that these events ask."""
        asked = [event.body for event in events if event.kind == "approval_needed"]
        return await self.answer(*(Answer(body["approval"], True, body["typed"]) for body in asked))

    async def bounces(self) -> int:
        """Return how many bounces the simulator has."""
        from mailgun_mcp.call.pipeline import run
        from mailgun_mcp.confirm.caller import Caller

        result = await run(self.services, "list_bounces", {"domain": DOMAIN}, Caller(Principal("test")))
        assert result.structured is not None
        return len(result.structured["items"])


def kinds(events: Sequence[Event]) -> list[str]:
    """Return what happened, without what it cost."""
    return [event.kind for event in events if event.kind != "usage"]


def said(events: Sequence[Event]) -> str:
    """Return the text of the assistant."""
    return "".join(event.body["text"] for event in events if event.kind == "text")


def last(events: Sequence[Event], kind: str) -> dict[str, Any]:
    """Return the body of the last event of a kind."""
    return [event.body for event in events if event.kind == kind][-1]
