"""Compare an OpenAPI 3.x file, such as the one that Mailgun publishes, with the catalogue."""

import argparse
from pathlib import Path

from mailgun_mcp.cli.exits import FAILED, OK
from mailgun_mcp.cli.output import out
from mailgun_mcp.cli.parser import Parser

EXAMPLES = "  mailgun-mcp spec diff mailgun-openapi.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(
        title="actions", dest="action", required=True, metavar="ACTION", parser_class=Parser
    )
    comparing = actions.add_parser(
        "diff", help="print what is new, missing or changed; the exit code is 1 if anything is"
    )
    comparing.add_argument("file", metavar="FILE", help="an OpenAPI 3.x document in YAML or JSON")
    comparing.set_defaults(parser=comparing)


def run(arguments: argparse.Namespace) -> int:
    """Print the differences. Return FAILED if there are any."""
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.catalogue.openapi.diff import compare, render

    differences = compare(Path(arguments.file), Catalogue.load())
    out(render(differences).rstrip())
    return FAILED if differences else OK
