"""List, show, find and call tools, with the same guard rails as over MCP; say what they cost, export them, and list the presets."""

import argparse
import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from mailgun_mcp.catalogue.provider_formats import FORMATS, formatted
from mailgun_mcp.catalogue.search.tools import DEFAULT_HITS
from mailgun_mcp.catalogue.tool_costs import estimated_tokens
from mailgun_mcp.cli.call_arguments import HELP as CALL_ARGUMENTS
from mailgun_mcp.cli.call_arguments import read_call_arguments, tool_and_arguments
from mailgun_mcp.cli.clients import CLIENTS
from mailgun_mcp.cli.exits import FAILED, OK, REFUSED, USAGE
from mailgun_mcp.cli.output import as_json, note, out, table
from mailgun_mcp.cli.parser import CALL_SETTINGS, Parser, add_settings, settings_given
from mailgun_mcp.cli.result_words import error_words, result_words
from mailgun_mcp.cli.tool_selection import SELECTING
from mailgun_mcp.settings import SettingsError, load
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from mailgun_mcp.catalogue.catalogue import Catalogue

CHOSEN_WITH = (*SELECTING, "spec", "subaccount_argument")
EXAMPLES = """\
  mailgun-mcp tools list --toolsets bounces,events
  mailgun-mcp tools search who complained about our newsletter
  mailgun-mcp tools presets
  mailgun-mcp tools budget --preset sending --client cursor
  mailgun-mcp tools export --format openai-strict --preset sending
  mailgun-mcp tools show send_message
  mailgun-mcp tools call get_domain domain=mail.example.com --simulator
  mailgun-mcp tools call query_logs '{"events": ["failed"], "duration": "7d"}' --simulator"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(
        title="actions", dest="action", required=True, metavar="ACTION", parser_class=Parser
    )
    listing = actions.add_parser("list", help="list the tools that a server with these settings offers")
    listing.add_argument("--json", action="store_true", help="as tools/list returns them")
    add_settings(listing, only=CHOSEN_WITH)
    showing = actions.add_parser("show", help="show the reference of a tool")
    showing.add_argument("name", help="name of the tool")
    showing.add_argument("--json", action="store_true", help="as tools/list returns it")
    add_settings(showing, only=CHOSEN_WITH)
    searching = actions.add_parser("search", help="find the tools for a task")
    searching.add_argument("query", nargs="+", help="the task, in your own words")
    searching.add_argument("--limit", type=int, default=DEFAULT_HITS, metavar="N", help="most tools; default 8")
    searching.add_argument("--json", action="store_true", help="as tools/list returns them")
    add_settings(searching, only=CHOSEN_WITH)
    presets = actions.add_parser("presets", help="list the presets: named choices of tools for a job")
    presets.add_argument("--json", action="store_true", help="with the names of their tools")
    budget = actions.add_parser(
        "budget", help="show how many tokens the tools cost a model, and what a client does with them"
    )
    budget.add_argument(
        "--client", choices=CLIENTS, metavar="CLIENT", help=f"only for this client: {', '.join(CLIENTS)}"
    )
    budget.add_argument("--json", action="store_true", help="as JSON")
    add_settings(budget, only=("mode", *CHOSEN_WITH))
    exporting = actions.add_parser("export", help="print the tools as a model provider's API takes them")
    exporting.add_argument("--format", choices=FORMATS, default="json-schema", help="default json-schema")
    add_settings(exporting, only=("mode", *CHOSEN_WITH))
    calling = actions.add_parser("call", help="call a tool")
    calling.add_argument("name", help="name of the tool")
    calling.add_argument("arguments", nargs="*", default=[], help=CALL_ARGUMENTS)
    calling.add_argument("--json", action="store_true", help="the result as JSON, also in a terminal")
    add_settings(calling, only=CALL_SETTINGS)
    for action in (listing, showing, searching, presets, budget, exporting, calling):
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {
        "list": _list,
        "show": _show,
        "search": _search,
        "presets": _presets,
        "budget": _budget,
        "export": _export,
        "call": _call,
    }
    return actions[arguments.action](arguments)


def _list(arguments: argparse.Namespace) -> int:
    tools = _tools(arguments)
    if arguments.json:
        as_json(list(tools.values()))
    elif tools:
        table([(name, *_labels(tool), tool["title"]) for name, tool in tools.items()])
    return OK


def _labels(tool: dict[str, Any]) -> tuple[str, str]:
    return tool["_meta"]["mailgun-mcp/risk"], tool["_meta"]["mailgun-mcp/toolset"]


def _show(arguments: argparse.Namespace) -> int:
    from mailgun_mcp.catalogue.builtin_tools import OWN_TOOLS, builtin_operation
    from mailgun_mcp.catalogue.markdown import tool_reference

    name: str = arguments.name
    tools = _tools(arguments)
    if name not in tools:
        raise SettingsError(unknown("tool", name, tools))
    if arguments.json:
        as_json(tools[name])
    else:
        catalogue = _catalogue(arguments)
        operation = builtin_operation(name) if name in OWN_TOOLS else catalogue.find(name)
        out(tool_reference(operation).rstrip())
    return OK


def _search(arguments: argparse.Namespace) -> int:
    from mailgun_mcp.catalogue.search.index import index_of

    if arguments.limit < 1:
        raise SettingsError("limit: must be 1 or more")
    tools_by_name = _tools(arguments)
    ranked = index_of(_catalogue(arguments)).rank(" ".join(arguments.query), tools_by_name)[: arguments.limit]
    tools = [tools_by_name[name] for name, _ in ranked]
    if arguments.json:
        as_json(tools)
    elif tools:
        table([(tool["name"], *_labels(tool), tool["title"]) for tool in tools])
    else:
        note("No tool fits. Use other words, or see `mailgun-mcp tools list`.")
    return OK


def _presets(arguments: argparse.Namespace) -> int:
    from mailgun_mcp.catalogue.builtin_tools import listed
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.catalogue.presets import PRESETS, tools_of_presets

    catalogue = Catalogue.load()
    rows: list[dict[str, Any]] = []
    for name, preset in PRESETS.items():
        tools = listed(catalogue.select(tools=tools_of_presets([name], catalogue)))
        names, tokens = [tool["name"] for tool in tools], estimated_tokens(tools)
        rows.append({"name": name, "description": preset.description, "tokens": tokens, "tools": names})
    if arguments.json:
        as_json(rows)
    else:
        cells = [(row["name"], f"{len(row['tools'])}", f"{row['tokens']:,}", row["description"]) for row in rows]
        table([("preset", "tools", "tokens", "for"), *cells])
    return OK


def _budget(arguments: argparse.Namespace) -> int:
    from mailgun_mcp.cli.tool_budget import show_budget

    return show_budget(arguments, _listed(arguments))


def _export(arguments: argparse.Namespace) -> int:
    as_json([formatted(tool, arguments.format) for tool in _listed(arguments)])
    return OK


def _listed(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the tools that a server with these settings lists. In search mode, it lists fewer than it offers."""
    from mailgun_mcp.catalogue.builtin_tools import listed

    options = load(settings_given(arguments))
    return listed(_catalogue(arguments), options.exclude_tools, search_mode=options.mode == "search")


def _call(arguments: argparse.Namespace) -> int:
    name, words = tool_and_arguments(arguments.name, arguments.arguments)
    tool = _tools(arguments).get(name, {})
    return call(arguments, name, read_call_arguments(words, tool.get("inputSchema", {})))


def call(arguments: argparse.Namespace, name: str, call_arguments: dict[str, Any]) -> int:
    """Call a tool with the settings of the command line, print its result, and return the exit code."""
    import anyio

    from mailgun_mcp.app import compose as start
    from mailgun_mcp.call.pipeline import run
    from mailgun_mcp.call.results import CallResult
    from mailgun_mcp.cli.terminal import Terminal
    from mailgun_mcp.confirm.caller import Caller
    from mailgun_mcp.errors import UnknownToolError
    from mailgun_mcp.identity.principal import local_user
    from mailgun_mcp.output import logs

    options = load(settings_given(arguments))
    logs.configure(options.log_level)
    services = start.create_services(options)

    async def notify(message: str) -> None:
        note(message)

    async def make() -> CallResult:
        async with services:
            caller = Caller(local_user(), client="command line", asker=Terminal(), notify=notify)
            return await run(services, name, call_arguments, caller)

    try:
        outcome = anyio.run(make)
    except UnknownToolError as error:
        raise SettingsError(str(error)) from error
    if outcome.is_error:
        note(error_words(outcome, services.store.command_directory) if sys.stdout.isatty() else outcome.text)
        return {"invalid": USAGE, "refused": REFUSED}.get(outcome.kind, FAILED)
    if sys.stdout.isatty() and not arguments.json:
        out(result_words(outcome.structured or {}, get_terminal_size().columns))
    else:
        as_json(outcome.structured)
    return OK


def _tools(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return tool name -> definition for all tools that a server with these settings offers."""
    from mailgun_mcp.catalogue.builtin_tools import listed

    exclude = load(settings_given(arguments)).exclude_tools
    return {tool["name"]: tool for tool in listed(_catalogue(arguments), exclude)}


def _catalogue(arguments: argparse.Namespace) -> "Catalogue":
    from mailgun_mcp.app.compose import create_catalogue

    return create_catalogue(load(settings_given(arguments)))
