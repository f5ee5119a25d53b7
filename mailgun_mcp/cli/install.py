"""Write the configuration of an MCP client, so that it runs this server. Nothing that is there is lost."""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailgun_mcp.cli.clients import CLIENTS, Client, entry
from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.output import out
from mailgun_mcp.cli.parser import add_settings, settings_given
from mailgun_mcp.policy.profiles import PROFILES
from mailgun_mcp.settings import Settings, SettingsError
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from mailgun_mcp.catalogue.catalogue import Catalogue

PASSED_ON = ("simulator", "read_only", "toolsets", "tools", "exclude_tools", "region", "policy", "api_key_file")
NAME = re.compile(r"[A-Za-z0-9_-]+")
LONGEST_TOOL_NAME = 64
"""Characters that the large providers take; most clients put `mcp__<server>__` before the tool's name."""
USED_MOST = (
    "messages",
    "domains",
    "events",
    "bounces",
    "complaints",
    "unsubscribes",
    "allowlist",
    "metrics",
    "logs",
    "templates",
    "webhooks",
    "routes",
    "tracking",
    "lists",
)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be written, and where."""

    client: Client
    path: Path
    name: str
    entry: dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--client", required=True, choices=CLIENTS, metavar="CLIENT", help=f"one of {', '.join(CLIENTS)}"
    )
    parser.add_argument("--print", action="store_true", help="print what would be added, and write nothing")
    parser.add_argument("--scope", metavar="SCOPE", help="project or user, where the client has both")
    parser.add_argument(
        "--file", metavar="FILE", help="the configuration file, when it is not where the client's usually is"
    )
    parser.add_argument("--name", default="mailgun", help="name of the server in the client; default mailgun")
    parser.add_argument(
        "--uvx", action="store_true", help="let the client run `uvx mailgun-mcp`, not this installation"
    )
    parser.add_argument("--force", action="store_true", help="replace another server of the same name")
    add_settings(parser, only=PASSED_ON)


def run(arguments: argparse.Namespace) -> int:
    """Write or print the configuration."""
    from mailgun_mcp import settings
    from mailgun_mcp.app import compose as start

    options = settings.load(settings_given(arguments))
    catalogue = start.create_catalogue(options)
    start.create_policy(options)
    plan = _plan(arguments, options)
    if arguments.print:
        _print(plan)
    else:
        _write(plan, force=arguments.force)
    _advise(plan, options, catalogue, uvx=arguments.uvx)
    return OK


def _plan(arguments: argparse.Namespace, options: Settings) -> _Plan:
    client = CLIENTS[arguments.client]
    if not NAME.fullmatch(arguments.name):
        raise SettingsError(f"name: {arguments.name!r} holds more than letters, digits, - and _")
    key_file = str(Path(options.api_key_file).expanduser().absolute()) if options.api_key_file else None
    command = [*_program(uvx=arguments.uvx), *_server_arguments(arguments)]
    made = entry(client, command, key_file, keyless=options.simulator)
    return _Plan(client, _path(client, arguments).absolute(), arguments.name, made)


def _path(client: Client, arguments: argparse.Namespace) -> Path:
    if arguments.file:
        return Path(arguments.file).expanduser()
    try:
        return client.file(arguments.scope)
    except KeyError as error:
        raise SettingsError(f"{client.title}: {unknown('scope', arguments.scope, client.files)}") from error


def _program(*, uvx: bool) -> list[str]:
    if uvx:
        return ["uvx", "mailgun-mcp"]
    script = Path(sys.executable).with_name("mailgun-mcp.exe" if sys.platform == "win32" else "mailgun-mcp")
    return [str(script)] if script.is_file() else [sys.executable, "-m", "mailgun_mcp"]


def _server_arguments(arguments: argparse.Namespace) -> list[str]:
    """Return the flags of the command line that are for the server; the key's file goes by the environment."""
    flags: list[str] = []
    for name, value in settings_given(arguments).items():
        if name == "api_key_file":
            continue
        flags.append(f"--{name.replace('_', '-')}")
        if value is not True:
            file = name == "config" or (name == "policy" and value not in PROFILES)
            flags.append(str(Path(value).expanduser().absolute()) if file else value)
    return ["serve", *flags] if flags else []


def _print(plan: _Plan) -> None:
    from mailgun_mcp.cli.config_edit import snippet

    out(snippet(plan.client, plan.name, plan.entry).rstrip())
    _tell(f"This goes into {plan.path}; nothing was written.")


def _write(plan: _Plan, *, force: bool) -> None:
    from mailgun_mcp.cli.config_edit import with_server
    from mailgun_mcp.cli.config_write import read, replace

    old = read(plan.path)
    new = with_server(old, plan.path, plan.client, plan.name, plan.entry, force=force)
    if new == old:
        out(f"{plan.path} already has it; nothing was changed.")
        return
    backup = replace(plan.path, old, new)
    out(f"{plan.client.title} now runs this server as {plan.name!r}: {plan.path}")
    if backup:
        out(f"The file as it was: {backup}")


def _advise(plan: _Plan, options: Settings, catalogue: "Catalogue", *, uvx: bool) -> None:
    for line in (_short_lived(uvx=uvx), _too_many_tools(plan.client, catalogue), _long_names(plan.name, catalogue)):
        if line:
            _tell(f"warning: {line}")
    step = _key_step(plan.client, options)
    _tell(f"Next: {f'{step} ' if step else ''}{plan.client.after}")


def _key_step(client: Client, options: Settings) -> str:
    if options.simulator:
        return ""
    if not options.api_key_file:
        return client.key_step
    path = Path(options.api_key_file).expanduser()
    if not path.is_file():
        return f"Save the API key in {path.absolute()}, readable by you alone."
    return ""


def _short_lived(*, uvx: bool) -> str:
    parts = Path(sys.executable).parts
    if uvx or "uv" not in parts or not any(part.startswith(("archive-v", "environments-v")) for part in parts):
        return ""
    return "this installation is one of uv's cache and may vanish: give --uvx, or `uv tool install mailgun-mcp` first"


def _too_many_tools(client: Client, catalogue: "Catalogue") -> str:
    from mailgun_mcp.catalogue.builtin_tools import offered

    own = len(offered(catalogue))
    count, limit = len(catalogue) + own, client.tool_limit
    if limit is None or count <= limit:
        return ""
    names, size = _fitting(catalogue, limit - own)
    proposal = f", for example --toolsets {','.join(names)} ({size + own} tools)" if names else ""
    return f"{client.title} takes {limit} tools of all servers together, and this one has {count}: choose{proposal}"


def _fitting(catalogue: "Catalogue", room: int) -> tuple[list[str], int]:
    """Return the toolsets used most that fit into `room` tools, and their tools' number."""
    from collections import Counter

    sizes = Counter(operation.toolset for operation in catalogue)
    chosen: list[str] = []
    for name in USED_MOST:
        # Half of the room is left to the person's other servers.
        if name in sizes and sum(sizes[known] for known in chosen) + sizes[name] <= room // 2:
            chosen.append(name)
    return chosen, sum(sizes[name] for name in chosen)


def _long_names(name: str, catalogue: "Catalogue") -> str:
    longest = max(catalogue.names, key=len, default="")
    excess = len(f"mcp__{name}__{longest}") - LONGEST_TOOL_NAME
    if excess <= 0:
        return ""
    return f"with the name {name!r} some tools' names get longer than clients take: make it {excess} characters shorter"


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
