"""Add this server to the configuration of an MCP client. Everything else in the file stays as it is."""

import argparse
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailgun_mcp import DISTRIBUTION
from mailgun_mcp.cli.clients import CLIENTS, ClientProgram, entry
from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.output import note, out
from mailgun_mcp.cli.parser import add_settings, settings_given
from mailgun_mcp.policy.profiles import PROFILES
from mailgun_mcp.settings import Settings, SettingsError
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from mailgun_mcp.catalogue.catalogue import Catalogue

SERVER_SETTINGS = ("simulator", "read_only", "toolsets", "tools", "exclude_tools", "region", "policy", "api_key_file")
NAME = re.compile(r"[A-Za-z0-9_-]+")
LONGEST_TOOL_NAME = 64
"""Characters that the large providers accept. Most clients put `mcp__<server>__` before the tool's name."""
POPULAR_TOOLSETS = (
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
    """What to write, and where."""

    client: ClientProgram
    path: Path
    name: str
    entry: dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--client", required=True, choices=CLIENTS, metavar="CLIENT", help=f"one of {', '.join(CLIENTS)}"
    )
    parser.add_argument("--print", action="store_true", help="print what would be added and write nothing")
    parser.add_argument("--scope", metavar="SCOPE", help="project or user, for clients that have both")
    parser.add_argument(
        "--file", metavar="FILE", help="the client's configuration file, if it is not in the usual place"
    )
    parser.add_argument("--name", default="mailgun", help="name of the server in the client; default mailgun")
    parser.add_argument(
        "--uvx",
        metavar="PATH",
        help="let the client run `uvx --from PATH mailgun-mcp` instead of this installation; "
        "PATH is a checkout or a wheel of mailgun-mcp",
    )
    parser.add_argument("--force", action="store_true", help="replace another server of the same name")
    add_settings(parser, only=SERVER_SETTINGS)


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
    _advise(plan, options, catalogue, uvx=arguments.uvx is not None)
    return OK


def _plan(arguments: argparse.Namespace, options: Settings) -> _Plan:
    client = CLIENTS[arguments.client]
    if not NAME.fullmatch(arguments.name):
        raise SettingsError(f"name: {arguments.name!r} may contain only letters, digits, - and _")
    key_file = str(Path(options.api_key_file).expanduser().absolute()) if options.api_key_file else None
    command = [*_program(arguments.uvx), *_server_arguments(arguments)]
    server = entry(client, command, key_file, keyless=options.simulator)
    if arguments.uvx is not None:
        server |= client.slow_start
    return _Plan(client, _path(client, arguments).absolute(), arguments.name, server)


def _path(client: ClientProgram, arguments: argparse.Namespace) -> Path:
    if arguments.file:
        return Path(arguments.file).expanduser()
    try:
        return client.file(arguments.scope)
    except KeyError as error:
        raise SettingsError(f"{client.title}: {unknown('scope', arguments.scope, client.files)}") from error


def _program(uvx_source: str | None) -> list[str]:
    if uvx_source is not None:
        return [_uvx(), "--from", _source(uvx_source), "mailgun-mcp"]
    script = Path(sys.executable).with_name("mailgun-mcp.exe" if sys.platform == "win32" else "mailgun-mcp")
    return [str(script)] if script.is_file() else [sys.executable, "-m", "mailgun_mcp"]


def _uvx() -> str:
    """Return the full path of uvx: a desktop application does not have the shell's PATH."""
    path = shutil.which("uvx")
    if path is None:
        raise SettingsError("uvx is not on the PATH: install uv, or leave out --uvx")
    return path


def _source(text: str) -> str:
    """Return the full path of a checkout or wheel. A name on a package index could be anybody's."""
    path = Path(text).expanduser().absolute()
    wheel = path.is_file() and path.name.startswith(f"{DISTRIBUTION.replace('-', '_')}-") and path.suffix == ".whl"
    if not wheel and not (path / "mailgun_mcp" / "__init__.py").is_file():
        raise SettingsError(f"uvx: {text} is neither a checkout of mailgun-mcp nor a wheel of {DISTRIBUTION}")
    return str(path)


def _server_arguments(arguments: argparse.Namespace) -> list[str]:
    """Return the command line's flags that are for the server. The key file is passed in the environment."""
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
    note(f"Add this to {plan.path}. Nothing was written.")


def _write(plan: _Plan, *, force: bool) -> None:
    from mailgun_mcp.cli.config_edit import with_server
    from mailgun_mcp.cli.config_write import read, replace

    old = read(plan.path)
    new = with_server(old, plan.path, plan.client, plan.name, plan.entry, force=force)
    if new == old:
        out(f"{plan.path} already has this server. Nothing was changed.")
        return
    backup = replace(plan.path, old, new)
    out(f"{plan.client.title} now runs this server as {plan.name!r}: {plan.path}")
    if backup:
        out(f"The previous version of the file: {backup}")


def _advise(plan: _Plan, options: Settings, catalogue: "Catalogue", *, uvx: bool) -> None:
    for line in (_short_lived(uvx=uvx), _too_many_tools(plan.client, catalogue), _long_names(plan.name, catalogue)):
        if line:
            note(f"warning: {line}")
    step = _key_step(plan.client, options)
    note(f"Next: {f'{step} ' if step else ''}{plan.client.after}")


def _key_step(client: ClientProgram, options: Settings) -> str:
    if options.simulator:
        return ""
    if not options.api_key_file:
        return client.key_step
    path = Path(options.api_key_file).expanduser()
    if not path.is_file():
        return f"Save the API key in {path.absolute()} and run `chmod 600` on it."
    return ""


def _short_lived(*, uvx: bool) -> str:
    parts = Path(sys.executable).parts
    if uvx or "uv" not in parts or not any(part.startswith(("archive-v", "environments-v")) for part in parts):
        return ""
    return "this installation is in uv's cache and may be removed: use --uvx PATH, or run `uv tool install PATH` first"


def _too_many_tools(client: ClientProgram, catalogue: "Catalogue") -> str:
    from mailgun_mcp.catalogue.builtin_tools import offered

    own = len(offered(catalogue))
    count, limit = len(catalogue) + own, client.tool_limit
    if limit is None or count <= limit:
        return ""
    names, size = _fitting(catalogue, limit - own)
    proposal = f", for example --toolsets {','.join(names)} ({size + own} tools)" if names else ""
    return f"{client.title} accepts {limit} tools from all servers together, and this one has {count}: choose{proposal}"


def _fitting(catalogue: "Catalogue", room: int) -> tuple[list[str], int]:
    """Return the most popular toolsets that fit into `room` tools, and how many tools they have."""
    from collections import Counter

    sizes = Counter(operation.toolset for operation in catalogue)
    chosen: list[str] = []
    for name in POPULAR_TOOLSETS:
        # Half of the room is left for other servers.
        if name in sizes and sum(sizes[toolset] for toolset in chosen) + sizes[name] <= room // 2:
            chosen.append(name)
    return chosen, sum(sizes[name] for name in chosen)


def _long_names(name: str, catalogue: "Catalogue") -> str:
    longest = max(catalogue.names, key=len, default="")
    excess = len(f"mcp__{name}__{longest}") - LONGEST_TOOL_NAME
    if excess <= 0:
        return ""
    return (
        f"with the server name {name!r}, some tool names are longer than clients accept: "
        f"make it {excess} characters shorter"
    )
