"""The command line. One module a command, imported when it is asked for."""

import os
import sys
from collections.abc import Sequence

from mailgun_mcp.cli.exits import FAILED, INTERRUPTED, USAGE
from mailgun_mcp.settings import SettingsError

COMMANDS = {
    "serve": "run the MCP server",
    "demo": "watch an assistant's session against the simulator, explained step by step",
    "simulator": "run Mailgun in the box as an HTTP server, or control one that runs",
    "tools": "list, show and call tools",
    "spec": "compare an OpenAPI file with the catalogue",
    "policy": "check, explain, test, tabulate and rehearse a policy",
    "approvals": "answer held calls, and allow calls for a while",
    "audit": "read and check the journal of calls",
    "undo": "list and put back what calls removed or overwrote",
    "secrets": "list, show and forget what was withheld from the model",
    "doctor": "check key, region, network and clock",
    "install": "write the configuration of an MCP client",
}


def run(argv: Sequence[str]) -> int:
    """Run the command line `argv` and return its exit code (see `exits`)."""
    try:
        code = _run(list(argv))
        if not sys.stdout.closed:
            sys.stdout.flush()
        return code
    except SettingsError as error:
        sys.stderr.write(f"mailgun-mcp: error: {error}\n")
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # What is still buffered has no reader; without this the interpreter would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(argv: list[str]) -> int:
    if not argv:
        # What a client's configuration runs: argparse would cost it 15 ms.
        from mailgun_mcp.cli.serve import serve

        return serve({})
    from mailgun_mcp.cli.parser import parse

    command, arguments = parse(argv)
    return command(arguments)
