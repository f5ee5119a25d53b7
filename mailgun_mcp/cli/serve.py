"""Run the MCP server: on stdio, or over Streamable HTTP and SSE."""

import atexit
import gc
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.foreign_package import warn_of_foreign_package

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = """\
  mailgun-mcp serve --simulator
  mailgun-mcp serve --preset deliverability --read-only --region eu
  mailgun-mcp serve --transport http --port 8000 --policy strict"""


def add_arguments(parser: "ArgumentParser") -> None:
    """Add the command's arguments."""
    from mailgun_mcp.cli.parser import add_settings

    add_settings(parser)


def run(arguments: "Namespace") -> int:
    """Serve with the settings of the command line."""
    from mailgun_mcp.cli.parser import settings_given

    return serve(settings_given(arguments))


def serve(flags: Mapping[str, Any]) -> int:
    """Serve until the client or a signal ends it. `flags` override the environment, which overrides the file."""
    # The objects that imports create all stay alive, so garbage collection during the imports would waste 70 ms.
    gc.disable()
    from mailgun_mcp import settings
    from mailgun_mcp.app import compose as start
    from mailgun_mcp.output import logs

    options = settings.load(flags)
    warn_of_foreign_package()
    logs.configure(options.log_level)
    if options.otlp_endpoint:
        from mailgun_mcp.app.tracing import start_tracing

        atexit.register(start_tracing(options.otlp_endpoint))
    if options.agent and options.transport != "http":
        raise settings.SettingsError("agent: it needs --transport http")
    if options.transport == "stdio" and (sys.stdin is None or sys.stdout is None):
        # Python sets the stream to None if it was closed at the start. Another file would then get its descriptor.
        raise settings.SettingsError(
            "transport: stdio needs stdin and stdout, which the client reads and writes, and one is closed"
        )
    services = start.create_services(options)
    if options.transport == "stdio":
        from mailgun_mcp.server import stdio_start

        # A user's own document may contain numbers that the SDK would write in another form.
        stdio_start.serve(services, answer_early=not options.spec)
    else:
        services.pack()
        from mailgun_mcp import asgi

        gc.collect()
        gc.freeze()
        gc.enable()
        asgi.serve(services, options)
    return OK
