"""The command line: one module a command, imported when that command runs.

It may use everything else, and nothing else may use it. Importing this package must stay cheap: it is the first
thing that a client's configuration loads.
"""

import os
import sys
from collections.abc import Sequence

from mailgun_mcp.cli.exits import FAILED, INTERRUPTED, USAGE
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.settings import SettingsError

COMMANDS = {
    "serve": "run the MCP server",
    "demo": "watch an assistant use the simulator, step by step",
    "simulator": "run the Mailgun simulator as an HTTP server, or control a running one",
    "tools": "list, show and call tools",
    "spec": "compare an OpenAPI file with the catalogue",
    "policy": "check, explain, test and show a policy, or replay recorded calls against it",
    "approvals": "answer pending approvals, and grant calls for a limited time",
    "audit": "read, verify and prune the audit log",
    "undo": "list and restore what calls removed or overwrote",
    "secrets": "list, show and delete secrets that were withheld from the model",
    "doctor": "check API key, region, network and clock",
    "install": "add this server to the configuration of an MCP client",
}
"""Command -> what it does, as help and docs show it."""


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
    except StateError as error:
        sys.stderr.write(f"mailgun-mcp: error: {error}\n")
        return USAGE if isinstance(error, UnknownNameError) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of stdout has left. Without this, the interpreter would complain about unwritten text at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(argv: list[str]) -> int:
    if not argv:
        # A client's configuration runs this. Loading argparse would cost it 15 ms.
        from mailgun_mcp.cli.serve import serve

        return serve({})
    from mailgun_mcp.cli.parser import parse

    command, arguments = parse(argv)
    return command(arguments)
