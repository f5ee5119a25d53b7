"""Runs a command line, and turns what goes wrong into an exit code."""

import os
import sys
from collections.abc import Sequence

from mailgun_mcp.cli.exits import FAILED, INTERRUPTED, USAGE
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.settings import SettingsError


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
        # The reader of stdout is gone. Without this, the interpreter would complain about unwritten text when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(argv: list[str]) -> int:
    if not argv:
        # Clients run the program this way. Loading argparse would take another 15 ms.
        from mailgun_mcp.cli.serve import serve

        return serve({})
    from mailgun_mcp.cli.parser import parse

    command, arguments = parse(argv)
    try:
        return command(arguments)
    except UnknownNameError as error:
        if state := getattr(arguments, "opened_state", None):
            raise UnknownNameError(f"{error}\nSearched: {state}") from error
        raise
