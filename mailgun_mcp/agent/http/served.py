"""The chat agent of one HTTP server: its routes, its page, and its lifetime."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import Route
from starlette.types import ASGIApp

from mailgun_mcp.agent.http.metrics import UsageCollector
from mailgun_mcp.agent.http.page import PATH, SECTIONS, ChatPage
from mailgun_mcp.agent.http.routes import agent_routes
from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.setup import create_runner
from mailgun_mcp.call.services import Services
from mailgun_mcp.errors import SettingsError
from mailgun_mcp.settings import Settings
from mailgun_mcp.web.pages.app import Section
from mailgun_mcp.web.pages.pages import Pages

if TYPE_CHECKING:
    from mailgun_mcp.agent.slack.served import ServedSlack

TO_TELL = 2.0
"""Seconds reserved at shutdown to tell watchers that their turn has ended."""
NO_SLACK = "slack: it needs more packages: pip install 'mailgun-mcp-server[slack]'"


@dataclass(frozen=True, slots=True)
class ServedAgent:
    """What a server needs from the agent."""

    runner: Runner
    routes: Sequence[Route]
    """The routes of the chat protocols, for callers with a token."""
    sections: Sequence[Section] = SECTIONS
    slack: "ServedSlack | None" = None

    @property
    def streams(self) -> Sequence[str]:
        """Path prefixes of streams that end by themselves, with the turn that they show."""
        return ("/agent/", f"{PATH}/")

    @property
    def apps(self) -> Mapping[str, ASGIApp]:
        """First path segment -> app that authenticates its callers without our tokens."""
        return self.slack.apps if self.slack else {}

    def page_routes(self, pages: Pages) -> list[Route]:
        """Return the routes of the page, for people with a session."""
        return ChatPage(self.runner, pages).routes()

    def collector(self, clock: Callable[[], float]) -> UsageCollector:
        """Return the collector of the agent's costs, for `/metrics`."""
        return UsageCollector(self.runner.usage_table, self.runner.limits, clock)

    def drain(self, seconds: float) -> None:
        """End running turns a little before `seconds` have passed, so that there is time to tell their watchers."""
        self.runner.stop_in(seconds - min(TO_TELL, seconds / 2))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Continue turns that are answered elsewhere, until the block ends. Then stop the running ones."""
        async with AsyncExitStack() as stack:
            if self.slack is not None:
                await stack.enter_async_context(self.slack.running())
            stack.push_async_callback(self.runner.aclose)
            self.runner.watch_answers()
            yield


def serve_agent(services: Services, settings: Settings) -> ServedAgent:
    """Return the agent that the settings describe. Raises SettingsError."""
    runner = create_runner(services, settings)
    routes = agent_routes(runner, services.approvals_page)
    return ServedAgent(runner, routes, slack=_slack(services, settings, runner))


def _slack(services: Services, settings: Settings, runner: Runner) -> "ServedSlack | None":
    if settings.slack is None:
        return None
    try:
        from mailgun_mcp.agent.slack.served import serve_slack
    except ImportError as error:
        raise SettingsError(NO_SLACK) from error
    return serve_slack(services, runner, settings.slack, services.approvals_page)
