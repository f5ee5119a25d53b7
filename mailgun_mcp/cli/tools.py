"""List, show and call tools: the same pipeline and guard rails as over MCP."""

import argparse
import json
import sys
from typing import Any

from mailgun_mcp.cli.exits import FAILED, OK, REFUSED, USAGE
from mailgun_mcp.cli.output import out
from mailgun_mcp.cli.parser import Parser, add_settings, settings_given
from mailgun_mcp.settings import SettingsError

SELECTING = ("toolsets", "tools", "exclude_tools", "read_only", "spec", "subaccount_argument")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|call", parser_class=Parser)
    listing = actions.add_parser("list", help="list the tools that a server with these settings offers")
    listing.add_argument("--json", action="store_true", help="as tools/list sends them")
    add_settings(listing, only=SELECTING)
    showing = actions.add_parser("show", help="show the reference of a tool")
    showing.add_argument("name", help="name of the tool")
    showing.add_argument("--json", action="store_true", help="as tools/list sends it")
    add_settings(showing, only=SELECTING)
    calling = actions.add_parser("call", help="call a tool")
    calling.add_argument("name", help="name of the tool")
    calling.add_argument("arguments", nargs="?", default="{}", help="JSON object, or - to read it from stdin")
    add_settings(calling)
    for action in (listing, showing, calling):
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {"list": _list, "show": _show, "call": _call}
    return actions[arguments.action](arguments)


def _list(arguments: argparse.Namespace) -> int:
    catalogue = _catalogue(arguments)
    if arguments.json:
        out(json.dumps(catalogue.tools(), ensure_ascii=False, indent=2))
        return OK
    width = max((len(name) for name in catalogue.names), default=0)
    for operation in catalogue:
        out(f"{operation.name:<{width}}  {operation.risk:<11}  {operation.toolset:<21}  {operation.title}")
    return OK


def _show(arguments: argparse.Namespace) -> int:
    from mailgun_mcp.catalogue.markdown import tool_reference

    catalogue = _catalogue(arguments)
    if arguments.name not in catalogue:
        raise _unknown(arguments.name, catalogue)
    operation = catalogue.find(arguments.name)
    out(
        json.dumps(operation.tool, ensure_ascii=False, indent=2)
        if arguments.json
        else tool_reference(operation).rstrip()
    )
    return OK


def _call(arguments: argparse.Namespace) -> int:
    return call(arguments, arguments.name, _arguments(arguments.arguments))


def call(arguments: argparse.Namespace, name: str, given: dict[str, Any]) -> int:
    """Call a tool with the settings of the command line, print its result, and return the exit code."""
    import anyio

    from mailgun_mcp import settings
    from mailgun_mcp.app import compose as start
    from mailgun_mcp.call.pipeline import run
    from mailgun_mcp.call.services import CallResult
    from mailgun_mcp.cli.terminal import Terminal
    from mailgun_mcp.confirm.caller import Caller
    from mailgun_mcp.errors import UnknownToolError
    from mailgun_mcp.output import logs

    options = settings.load(settings_given(arguments))
    logs.configure(options.log_level)
    services = start.create_services(options)

    async def notify(message: str) -> None:
        sys.stderr.write(f"{message}\n")

    async def make() -> CallResult:
        async with services:
            return await run(services, name, given, Caller(client="command line", asker=Terminal(), notify=notify))

    try:
        outcome = anyio.run(make)
    except UnknownToolError as error:
        raise SettingsError(str(error)) from error
    if outcome.is_error:
        sys.stderr.write(f"{outcome.text}\n")
        return {"invalid": USAGE, "refused": REFUSED}.get(outcome.kind, FAILED)
    out(json.dumps(outcome.structured, ensure_ascii=False, indent=2))
    return OK


def _arguments(text: str) -> dict[str, Any]:
    try:
        given = json.loads(sys.stdin.read() if text == "-" else text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"the arguments are not JSON: {error}") from error
    if not isinstance(given, dict):
        raise SettingsError("the arguments are not a JSON object")
    return given


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has the same key twice")
    return made


def _catalogue(arguments: argparse.Namespace) -> Any:
    from mailgun_mcp import settings
    from mailgun_mcp.app import compose as start

    return start.create_catalogue(settings.load(settings_given(arguments)))


def _unknown(name: str, catalogue: Any) -> SettingsError:
    from mailgun_mcp.text.suggest import unknown

    return SettingsError(unknown("tool", name, catalogue.names))
