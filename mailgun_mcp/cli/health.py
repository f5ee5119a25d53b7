"""Ask a running HTTP server whether it is ready: for the health checks of containers. Exits with 1 where it is not."""

import argparse
import json
from http.client import HTTPConnection, HTTPException

from mailgun_mcp.cli.exits import FAILED, OK
from mailgun_mcp.cli.output import note, out
from mailgun_mcp.cli.parser import add_settings, settings_given
from mailgun_mcp.errors import reason_of
from mailgun_mcp.settings import load
from mailgun_mcp.text.host_names import EVERY_ADDRESS

EXAMPLES = """\
  mailgun-mcp health
  mailgun-mcp health --port 9000"""
TIMEOUT = 4.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_settings(parser, only=("host", "port"))


def run(arguments: argparse.Namespace) -> int:
    """Ask the server with these settings on this machine, and return the exit code."""
    options = load(settings_given(arguments))
    host = EVERY_ADDRESS.get(options.host, options.host)
    connection = HTTPConnection(host, options.port, timeout=TIMEOUT)
    try:
        # A host name that every server accepts.
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        answer = connection.getresponse()
        status = json.loads(answer.read(10_000)).get("status")
    except (OSError, HTTPException, ValueError, AttributeError) as error:
        note(f"no answer from {host}:{options.port}: {reason_of(error)}")
        return FAILED
    finally:
        connection.close()
    out(str(status))
    return OK if answer.status == 200 else FAILED
