"""The agent as a library, for a program that is itself a chat bot."""

from collections.abc import AsyncIterator
from secrets import token_hex
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mailgun_mcp.agent.approving import Answer
from mailgun_mcp.agent.events import Event
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.setup import create_runner
from mailgun_mcp.app.compose import create_services
from mailgun_mcp.app.embedding import principal_named, settings_of
from mailgun_mcp.identity.principal import Principal

if TYPE_CHECKING:
    from pydantic_ai.models import Model

CLIENT = "chat:python"


class Agent:
    """Conversations with a model that administers the account. Takes the server's settings as arguments.

    `model` is a Pydantic AI model, or a name as `--model` takes it. Use the agent as an async context manager.
    `principal` is always the person as your program authenticated them. Raises SettingsError.
    """

    def __init__(self, *, model: "Model | str | None" = None, **settings: Any) -> None:
        if isinstance(model, str):
            settings["model"] = model
        options = settings_of(settings)
        self._services = create_services(options)
        self.runner: Runner = create_runner(self._services, options, None if isinstance(model, str) else model)
        """For everything else that can be done with conversations."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop all runs, and close the connections to Mailgun."""
        await self.runner.aclose()
        await self._services.aclose()

    async def ask(
        self, text: str, *, conversation: str, principal: Principal | str | None = None, run: str | None = None
    ) -> AsyncIterator[Event]:
        """Send a message, and yield events until the turn is done or waits for a person. Raises AgentError.

        Asking again with the same `run` yields the same events: nothing is done twice.
        """
        who = principal_named(principal)
        started = await self.runner.start(who, conversation, text, run=run or f"run-{token_hex(8)}", client=CLIENT)
        async for event in self.runner.watch(started, who):
            yield event

    async def answer(
        self,
        approval: str,
        *,
        yes: bool,
        conversation: str,
        principal: Principal | str | None = None,
        typed: str | None = None,
        reason: str = "",
        run: str | None = None,
    ) -> AsyncIterator[Event]:
        """Give a person's answer to an approval, and yield what follows. Raises AgentError.

        Pass only an answer that this person gave themselves, on a channel on which you authenticated them.
        """
        who = principal_named(principal)
        answers = [Answer(approval, yes, typed, reason)]
        name = run or f"run-{token_hex(8)}"
        continued = await self.runner.answer(who, conversation, answers, run=name, client=CLIENT)
        async for event in self.runner.watch(continued, who):
            yield event
