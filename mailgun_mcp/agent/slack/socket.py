"""Socket Mode: this server opens the connection to Slack. For servers that Slack cannot reach."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient


@asynccontextmanager
async def connected(bolt: AsyncApp, client: "AsyncWebClient", app_token: str) -> AsyncIterator[None]:
    """Receive through a socket until the block ends. Does not wait for the connection, and reopens a lost one."""
    handler = AsyncSocketModeHandler(bolt, app_token, web_client=client)
    connecting = asyncio.get_running_loop().create_task(handler.connect_async())  # type: ignore[no-untyped-call] # it has no types
    try:
        yield
    finally:
        connecting.cancel()
        with suppress(asyncio.CancelledError):
            await connecting
        await handler.close_async()  # type: ignore[no-untyped-call] # it has no types
