"""Sentences that the server itself sends to one person."""

from typing import TYPE_CHECKING, Any

from aiohttp import ClientError
from slack_sdk.errors import SlackClientError

from mailgun_mcp.agent.slack import blocks
from mailgun_mcp.agent.slack.text import escaped

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
"""Options that keep Slack from fetching links in a message."""
FAULTS = (SlackClientError, ClientError, OSError, TimeoutError)
"""Exceptions that a request to Slack can raise."""


async def tell(client: "AsyncWebClient", channel: str, user: str, text: str, *, thread: str | None = None) -> None:
    """Send a sentence to the user alone: in a channel, nobody else sees it. Raises the exceptions in FAULTS."""
    message: dict[str, Any] = {"channel": channel, "blocks": blocks.notice(text), "text": escaped(text)}
    if thread:
        message["thread_ts"] = thread
    if channel.startswith("D"):
        await client.chat_postMessage(**message, **QUIET)
    else:
        await client.chat_postEphemeral(user=user, **message)
