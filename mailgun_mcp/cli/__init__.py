"""The command line. One module a command, imported when it is asked for."""

import sys
from collections.abc import Sequence

from mailgun_mcp.cli.exits import FAILED, INTERRUPTED, USAGE
from mailgun_mcp.settings import SettingsError

COMMANDS = {
    "serve": "run the MCP server",
    "demo": "watch an assistant's session against the simulator, explained step by step",
    "simulator": "run Mailgun in the box as an HTTP server",
    "tools": "list, show and call tools",
    "spec": "compare an OpenAPI file with the catalogue",
    "doctor": "check key, region, network and clock",
    "install": "write the configuration of an MCP client",
}


def run(argv: Sequence[str]) -> int:
    """Run the command line `argv` and return its exit code (see `exits`)."""
    try:
        return _run(list(argv))
    except SettingsError as error:
        sys.stderr.write(f"mailgun-mcp: error: {error}\n")
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return FAILED


def _run(argv: list[str]) -> int:
    if not argv:
        # What a client's configuration runs: argparse would cost it 15 ms.
        from mailgun_mcp.cli.serve import serve

        return serve({})
    from mailgun_mcp.cli.parser import parse

    command, arguments = parse(argv)
    return command(arguments)
