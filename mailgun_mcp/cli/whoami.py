"""Show who you are to the server: the principal of your calls, its scopes, the account and the policy.

On the command line you are the user of the operating system. Over HTTP the tool `whoami` says who the holder of a token is.
"""

import argparse

from mailgun_mcp.cli.parser import CALL_SETTINGS, add_settings
from mailgun_mcp.cli.tools import call

EXAMPLES = """\
  mailgun-mcp whoami
  mailgun-mcp whoami --simulator --policy strict"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="as JSON, also in a terminal")
    add_settings(parser, only=CALL_SETTINGS)


def run(arguments: argparse.Namespace) -> int:
    """Print the identity: in words in a terminal, otherwise as JSON."""
    return call(arguments, "whoami", {})
