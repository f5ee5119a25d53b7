"""The stdio transport: what a client's configuration runs."""

import anyio
from mcp.server.stdio import stdio_server

from mailgun_mcp.pipeline import App
from mailgun_mcp.server.app import create_server


def serve(app: App) -> None:
    """Serve one client on stdin and stdout until it closes them."""
    anyio.run(_serve, app)


async def _serve(app: App) -> None:
    server = create_server(app)
    async with app.client, stdio_server() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())
