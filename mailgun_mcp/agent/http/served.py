"""The chat agent of one HTTP server: its routes, its page, and how long it runs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.routing import Route

from mailgun_mcp.agent.http.page import SECTIONS, ChatPage
from mailgun_mcp.agent.http.routes import agent_routes
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.setup import create_runner
from mailgun_mcp.call.services import Services
from mailgun_mcp.settings import Settings
from mailgun_mcp.web.pages.app import Section
from mailgun_mcp.web.pages.pages import Pages


@dataclass(frozen=True, slots=True)
class ServedAgent:
    """What a server needs of the agent."""

    runner: Runner
    routes: Sequence[Route]
    """The routes of the chat protocols, for callers with a token."""
    sections: Sequence[Section] = SECTIONS

    def page_routes(self, pages: Pages) -> list[Route]:
        """Return the routes of the page, for people with a session."""
        return ChatPage(self.runner, pages).routes()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Continue what is answered elsewhere until the block ends, and stop what runs then."""
        self.runner.watch_answers()
        try:
            yield
        finally:
            await self.runner.aclose()


def serve_agent(services: Services, settings: Settings) -> ServedAgent:
    """Return the agent that the settings describe. Raises SettingsError."""
    runner = create_runner(services, settings)
    return ServedAgent(runner, agent_routes(runner, settings.public_url))
