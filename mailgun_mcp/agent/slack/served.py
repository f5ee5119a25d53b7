"""Slack as a part of one HTTP server: built from the settings, and running for as long as the server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from starlette.types import ASGIApp

from mailgun_mcp.agent.runner import Runner
from mailgun_mcp.agent.slack.app import SlackApp
from mailgun_mcp.agent.slack.config import SlackFile, SlackSecrets, read_file, read_secrets
from mailgun_mcp.agent.slack.events_route import PREFIX, EventsRoute
from mailgun_mcp.agent.slack.people import People
from mailgun_mcp.agent.slack.socket import connected
from mailgun_mcp.call.services import Services
from mailgun_mcp.output.logs import withhold

if TYPE_CHECKING:
    from collections.abc import Mapping

RETRIES = 3


class ServedSlack:
    """Slack in one server."""

    def __init__(
        self,
        services: Services,
        runner: Runner,
        people: People,
        secrets: SlackSecrets,
        file: SlackFile,
        page: str | None,
    ) -> None:
        self._secrets = secrets
        limits = AsyncRateLimitErrorRetryHandler(max_retry_count=RETRIES)
        self._client = AsyncWebClient(secrets.bot_token, base_url=file.api_url)
        self._client.retry_handlers.append(limits)
        self.app = SlackApp(services, runner, self._client, people, page)
        self._route = EventsRoute(self.app.bolt, secrets.signing_secret) if secrets.signing_secret else None

    @property
    def apps(self) -> "Mapping[str, ASGIApp]":
        """First path segment -> app. Slack signs its requests instead of sending a token."""
        return {PREFIX: self._route.app()} if self._route is not None else {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run until the block ends, then finish the replies."""
        from aiohttp import ClientSession

        async with AsyncExitStack() as stack:
            self._client.session = await stack.enter_async_context(ClientSession())
            stack.push_async_callback(self.app.aclose)
            if self._secrets.app_token is not None:
                await stack.enter_async_context(connected(self.app.bolt, self._client, self._secrets.app_token))
            yield


def serve_slack(
    services: Services, runner: Runner, path: str, page: str | None, variables: "Mapping[str, str] | None" = None
) -> ServedSlack:
    """Return the Slack app that the file at `path` describes. `page` is the approvals page. Raises SettingsError."""
    where = Path(path).expanduser()
    file = read_file(where)
    secrets = read_secrets(file, variables)
    for secret in (secrets.bot_token, secrets.signing_secret, secrets.app_token):
        if secret:
            withhold(secret)
    return ServedSlack(services, runner, People(where, file), secrets, file, page)
