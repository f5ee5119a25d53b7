"""Parses the command line. An unknown command, flag or value is refused, with the nearest valid one.

Flags may come before or after other arguments. Words of the previous release are still accepted; help and docs show
only the new ones.
"""

import argparse
import importlib
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from mailgun_mcp import __version__
from mailgun_mcp.cli.commands import COMMANDS
from mailgun_mcp.cli.exits import MEANINGS, USAGE
from mailgun_mcp.cli.help import HelpFormatter, action_list, examples_of, sentences
from mailgun_mcp.settings import OPTIONS, load, state_directory
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from mailgun_mcp.store.database import Store

Command = Callable[[argparse.Namespace], int]
_Action = TypeVar("_Action", bound=argparse.Action)

HELP = ("-h", "--help")
FOR_CLIENTS = ("transport", "mode", "require_user_interaction")
CALL_SETTINGS = tuple(
    name for name, option in OPTIONS.items() if name not in FOR_CLIENTS and not option.metadata["over_http"]
)
"""The settings that matter for a single call, without those for serving clients."""
STATE_SETTINGS = ("state", "state_url", "seal_keys")
"""The settings for the location of the state."""
METAVARS = {
    **dict.fromkeys(("spec", "api_key_file", "instructions", "seal_keys", "slack"), "FILE"),
    **dict.fromkeys(("model", "summary_model"), "PROVIDER:NAME"),
    **dict.fromkeys(("chat_cost", "chat_cost_per_day"), "USD"),
    "files": "DIR,...",
    "policy": "FILE|PROFILE",
    "scenario": "NAME|FILE",
    "state": "DIR",
    "account": "NAME",
    "otlp_endpoint": "URL",
    "oauth_issuer": "URL",
    "oauth_audience": "TEXT",
    "oauth_principal": "CLAIM",
    "hostname": "HOST",
    "subaccount": "ID",
}
"""Setting -> the placeholder for its value in help, if the setting's own name is unsuitable."""
VALUE_OF_SWITCH = re.compile(r"^argument (--\S+): ignored explicit argument (.*)$")
"""What argparse says of a value for a flag that has none."""


class Parser(argparse.ArgumentParser):
    """An argument parser that takes flags anywhere, and whose errors suggest the nearest valid word."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, allow_abbrev=False, formatter_class=HelpFormatter)
        self._positionals.title = "arguments"

    def _add_action(self, action: _Action) -> _Action:
        if not action.option_strings and action.metavar is None and action.choices is None:
            action.metavar = action.dest.upper()
        return super()._add_action(action)

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override] # the base class overloads it
        """Parse with the flags moved to the front. argparse alone would miss the name in `show --json NAME`."""
        words = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(words if self.actions() else self._flags_first(words), namespace)

    def actions(self) -> "list[argparse._SubParsersAction[Any]]":
        """Return the parsers of the command's actions."""
        return [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]

    def flags(self) -> list[str]:
        """Return every flag that the parser accepts, except those for help."""
        return [flag for action in self._actions for flag in action.option_strings if flag not in HELP]

    def _flags_first(self, words: list[str]) -> list[str]:
        flags: list[str] = []
        others: list[str] = []
        rest = iter(words)
        for word in rest:
            if word == "--":
                others += rest
            elif word.startswith("-") and word != "-":
                flags.append(word)
                flags += [value for value in [next(rest, None)] if value is not None] if self.takes_value(word) else []
            else:
                others.append(word)
        return [*flags, "--", *others] if any(word.startswith("-") for word in others) else [*flags, *others]

    def takes_value(self, flag: str) -> bool:
        """Return whether the word after the flag is its value."""
        action = self._option_string_actions.get(flag)
        return action is not None and action.nargs != 0

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = action.choices
        if choices is not None and value not in choices:
            kind = "action" if isinstance(action, argparse._SubParsersAction) else "value"
            flag = action if action.option_strings else None
            raise argparse.ArgumentError(flag, unknown(kind, str(value), [str(choice) for choice in choices]))

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and where to find help, and exit."""
        message = VALUE_OF_SWITCH.sub(r"\1 takes no value, such as \2", message)
        helped = self.prog.removeprefix("mailgun-mcp").strip()
        sys.stderr.write(
            f"{self.prog}: error: {message}\nFor help: {' '.join(['mailgun-mcp', 'help', helped]).strip()}\n"
        )
        raise SystemExit(USAGE)


def parse(argv: list[str]) -> tuple[Command, argparse.Namespace]:
    """Return the command and its arguments. Exits with USAGE on an error, with OK after help."""
    if argv[0] == "help":
        argv = [*argv[1:], "--help"]
    if argv[0].startswith("-") and argv[0] not in (*HELP, "--version"):
        argv = _command_first(argv)
    if argv[1:2] == ["help"]:
        argv = [argv[0], *argv[2:], "--help"]
    if argv[0] in (*HELP, "--version"):
        _overview().parse_args(argv)
    if argv[0] not in COMMANDS:
        _overview().error(unknown("command", argv[0], COMMANDS))
    module, parser = importlib.import_module(f"mailgun_mcp.cli.{argv[0]}"), command_parser(argv[0])
    renamed = getattr(module, "RENAMED", {})
    words = _with_new_words(_action_first(parser, _with_new_words(argv[1:], renamed)), renamed)
    if not words and any(action.required for action in parser.actions()):
        parser.error(f"it needs an action:\n{action_list(_helps(parser))}")
    arguments, extra = parser.parse_known_args(words)
    if extra:
        _refuse_extra(parser, arguments, extra[0].partition("=")[0])
    command: Command = module.run
    return command, arguments


def _command_first(words: list[str]) -> list[str]:
    """Return the words with the command moved to the front, since flags may precede it. The default is `serve`."""
    flags = command_parser("serve") if any(word in COMMANDS for word in words) else None
    position = 0
    while flags is not None and position < len(words):
        word = words[position]
        if word in COMMANDS:
            rest = words[position + 1 :]
            end = rest.index("--") if "--" in rest else len(rest)
            return [word, *rest[:end], *words[:position], *rest[end:]]
        if not word.startswith("-"):
            break
        position += 2 if flags.takes_value(word) else 1
    return ["serve", *words]


def _action_first(parser: Parser, words: list[str]) -> list[str]:
    """Return the words with an action's flags moved behind the action, since they may precede it."""
    for actions in parser.actions():
        own: list[str] = []
        moved: list[str] = []
        position = 0
        pages = [parser, *actions.choices.values()]
        while position < len(words) and words[position].startswith("-") and words[position] != "--":
            flag, equals, _ = words[position].partition("=")
            if not any(flag in (*HELP, *page.flags()) for page in pages):
                parser.error(unknown("flag", flag, {option for page in pages for option in page.flags()}))
            size = 2 if not equals and any(page.takes_value(flag) for page in pages) else 1
            (own if flag in (*HELP, *parser.flags()) else moved).extend(words[position : position + size])
            position += size
        rest = words[position:]
        end = rest.index("--") if "--" in rest else len(rest)
        if rest or actions.required:
            return [*own, *rest[:end], *(moved if rest else []), *rest[end:]]
    return words


def _refuse_extra(parser: Parser, arguments: argparse.Namespace, name: str) -> NoReturn:
    action = getattr(arguments, "parser", None)
    page = action if isinstance(action, Parser) else parser
    if not name.startswith("-"):
        page.error(f"unexpected argument {name!r}")
    takes_pairs = isinstance(getattr(arguments, "arguments", None), list)
    hint = f"; an argument of the tool is written {name.lstrip('-')}=VALUE" if takes_pairs else ""
    page.error(unknown("flag", name, {*parser.flags(), *page.flags()}, none="it takes no flags") + hint)


def command_parser(name: str) -> Parser:
    """Return the parser of a command, with its actions. The docs are generated from it as well."""
    module = importlib.import_module(f"mailgun_mcp.cli.{name}")
    examples = getattr(module, "EXAMPLES", "")
    prog = f"mailgun-mcp {name}"
    parser = Parser(prog=prog, description=module.__doc__, epilog=examples_of(examples, prog))
    module.add_arguments(parser)
    helps = dict(_helps(parser))
    for actions in parser.actions():
        for action, subparser in actions.choices.items():
            subparser.description = subparser.description or sentences(helps[action])
            subparser.epilog = subparser.epilog or examples_of(examples, f"{prog} {action}")
    return parser


def _helps(parser: Parser) -> list[tuple[str, str]]:
    """Return the actions of a command, and what each does."""
    return [(choice.dest, choice.help or "") for action in parser.actions() for choice in action._choices_actions]


def _with_new_words(words: list[str], renamed: Mapping[str, str]) -> list[str]:
    """Replace the previous release's actions and flags, which a command lists in RENAMED, by the current ones."""
    replaced = []
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        is_name = position == 0 or name.startswith("--")
        replaced.append(f"{renamed[name]}{equals}{value}" if is_name and name in renamed else word)
    return replaced


def add_settings(parser: argparse.ArgumentParser, *, only: Iterable[str] | None = None) -> None:
    """Add the flags of the settings (all, or those named in `only`) and `--config`."""
    group = parser.add_argument_group("settings", "each can also be set in the environment or the configuration file")
    for name, option in OPTIONS.items():
        data = option.metadata
        if not data["flag"] or (only is not None and name not in only):
            continue
        flag = f"--{name.replace('_', '-')}"
        if data["kind"] == "switch":
            group.add_argument(flag, action="store_true", default=None, help=data["help"])
        elif data["kind"] == "list":
            group.add_argument(flag, action="append", metavar=METAVARS.get(name, "A,B"), help=data["help"])
        else:
            group.add_argument(flag, metavar=_metavar(name, data), help=_help(data, option.default))
    group.add_argument(
        "--config", metavar="FILE", help="configuration file (default: mailgun-mcp.toml in the user's configuration)"
    )


def settings_given(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings given on the command line."""
    flags = {name: getattr(arguments, name, None) for name in (*OPTIONS, "config")}
    return {
        name: ",".join(value) if isinstance(value, list) else value
        for name, value in flags.items()
        if value is not None
    }


def open_store(arguments: argparse.Namespace) -> "Store":
    """Return the state store that the settings name. Nothing is created before something is stored."""
    from mailgun_mcp.store.opening import open_store as opened

    settings = load(settings_given(arguments))
    store = opened(state_directory(settings.state), settings.state_url, settings.seal_keys)
    arguments.opened_state = store.name
    if settings.state_url:
        # Opened before the person is asked anything. The store's clock is the one that counts.
        with store.reading():
            pass
    return store


def _metavar(name: str, data: Mapping[str, Any]) -> str:
    if data["choices"]:
        return "|".join(data["choices"])
    return METAVARS.get(name) or {"integer": "N", "number": "SECONDS"}.get(
        data["kind"], name.rpartition("_")[2].upper()
    )


def _help(data: Mapping[str, Any], default: Any) -> str:
    text: str = data["help"]
    return text if default in (None, "") else f"{text}; default {default}"


def _overview() -> Parser:
    commands = "\n".join(f"  {name:<10} {help_text}" for name, help_text in COMMANDS.items())
    codes = "\n".join(f"  {code:<10} {meaning}" for code, meaning in MEANINGS.items())
    parser = Parser(
        prog="mailgun-mcp",
        description="Every Mailgun operation as a typed, guarded MCP tool.\nWithout a command: the server on stdio.",
        epilog=f"commands:\n{commands}\n\n`mailgun-mcp help COMMAND` shows the help of a command.\n\nexit codes:\n{codes}",
        usage="mailgun-mcp [COMMAND] [FLAGS]",
    )
    parser.add_argument("--version", action="version", version=f"mailgun-mcp {__version__}")
    return parser
