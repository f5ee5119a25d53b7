"""Parses the command line. What is unknown is refused with the nearest that is known."""

import argparse
import importlib
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from mailgun_mcp import __version__
from mailgun_mcp.cli import COMMANDS
from mailgun_mcp.cli.exits import USAGE
from mailgun_mcp.settings import OPTIONS
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from mailgun_mcp.store.database import Store

Command = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors name the nearest."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = action.choices
        if choices is not None and value not in choices:
            raise argparse.ArgumentError(action, unknown("value", str(value), [str(choice) for choice in choices]))

    def _subparsers_actions(self) -> "list[argparse._SubParsersAction[Any]]":
        return [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]

    def flags(self) -> Iterable[str]:
        """Return every flag that the parser knows."""
        return [flag for action in self._actions for flag in action.option_strings]

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: error: {message}\n")
        raise SystemExit(USAGE)


def parse(argv: list[str]) -> tuple[Command, argparse.Namespace]:
    """Return the command and its arguments. Exits with USAGE on what is wrong, 0 after help."""
    if argv[0].startswith("-") and argv[0] not in ("-h", "--help", "--version"):
        argv = ["serve", *argv]
    if argv[0] in ("-h", "--help", "--version"):
        _overview().parse_args(argv)
    if argv[0] not in COMMANDS:
        _overview().error(unknown("command", argv[0], COMMANDS))
    module = importlib.import_module(f"mailgun_mcp.cli.{argv[0]}")
    parser = Parser(prog=f"mailgun-mcp {argv[0]}", description=module.__doc__)
    module.add_arguments(parser)
    _check_flags_before_the_action(parser, argv[1:])
    arguments, extra = parser.parse_known_args(argv[1:])
    if extra:
        name = extra[0].partition("=")[0]
        parser.error(unknown("flag" if name.startswith("-") else "argument", name, _known_flags(parser, arguments)))
    command: Command = module.run
    return command, arguments


def _check_flags_before_the_action(parser: Parser, words: list[str]) -> None:
    """Where an action may be left out, argparse would take the value of an unknown flag for one."""
    optional = [action for action in parser._subparsers_actions() if not action.required]
    actions = {choice for action in optional for choice in action.choices}
    for word in words if actions else ():
        if word in actions:
            return
        flag = word.partition("=")[0]
        if flag.startswith("--") and flag not in parser.flags():
            parser.error(unknown("flag", flag, parser.flags()))


def add_settings(parser: argparse.ArgumentParser, *, only: Iterable[str] | None = None) -> None:
    """Add the flags of the settings (all, or those named in `only`) and `--config`."""
    group = parser.add_argument_group("settings", "each is also read from the environment and the configuration file")
    for name, option in OPTIONS.items():
        data = option.metadata
        if not data["flag"] or (only is not None and name not in only):
            continue
        flag = f"--{name.replace('_', '-')}"
        if data["kind"] == "switch":
            group.add_argument(flag, action="store_true", default=None, help=data["help"])
        elif data["kind"] == "list":
            group.add_argument(flag, action="append", metavar="A,B", help=data["help"])
        else:
            group.add_argument(flag, metavar=data["kind"].upper(), help=_help(data, option.default))
    group.add_argument("--config", metavar="FILE", help="configuration file (default: mailgun-mcp.toml in the user's)")


def settings_given(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the command line gave."""
    given = {name: getattr(arguments, name, None) for name in (*OPTIONS, "config")}
    return {
        name: ",".join(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }


def open_store(arguments: argparse.Namespace) -> "Store":
    """Return the state store that the settings name; nothing is made before something is kept."""
    from mailgun_mcp import settings
    from mailgun_mcp.store.database import Store

    return Store(settings.state_directory(settings.load(settings_given(arguments)).state))


def _help(data: Any, default: Any) -> str:
    choices = f" ({', '.join(data['choices'])})" if data["choices"] else ""
    return f"{data['help']}{choices}" + (f"; default {default}" if default not in (None, "") else "")


def _known_flags(parser: Parser, arguments: argparse.Namespace) -> list[str]:
    inner = getattr(arguments, "parser", None)
    return [*parser.flags(), *(inner.flags() if isinstance(inner, Parser) else [])]


def _overview() -> Parser:
    commands = "\n".join(f"  {name:<10} {help_text}" for name, help_text in COMMANDS.items())
    parser = Parser(
        prog="mailgun-mcp",
        description="Every Mailgun operation as a typed, guarded MCP tool.\nWithout a command: the server on stdio.",
        epilog=f"commands:\n{commands}\n\nexit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 refused or held, 130 interrupted",
        usage="mailgun-mcp [COMMAND] [FLAGS]",
    )
    parser.add_argument("--version", action="version", version=f"mailgun-mcp {__version__}")
    return parser
