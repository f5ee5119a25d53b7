"""Add this server to the configuration of an MCP client, or remove it. Everything else in the file stays as it is."""

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailgun_mcp import DISTRIBUTION
from mailgun_mcp.cli.clients import CLIENTS, ClientProgram, entry
from mailgun_mcp.cli.exits import FAILED, OK
from mailgun_mcp.cli.output import note, out, table
from mailgun_mcp.cli.parser import add_settings, settings_given
from mailgun_mcp.cli.tool_selection import SELECTING, excess_of_names, fitting_toolsets, is_over_limit, tool_count
from mailgun_mcp.identity.start_token import FILE as TOKEN_FILE
from mailgun_mcp.identity.start_token import start_token
from mailgun_mcp.policy.profiles import PROFILES
from mailgun_mcp.settings import Settings, SettingsError, state_directory
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    from mailgun_mcp.catalogue.catalogue import Catalogue

SERVER_SETTINGS = (
    *("simulator", "read_only", "toolsets", "preset", "tools", "exclude_tools", "region", "policy", "api_key_file"),
    *("no_deprecated", "account", "state"),
)
PLACEHOLDER = "TOKEN"
NAME = re.compile(r"[A-Za-z0-9_-]+")
EXAMPLES = """\
  mailgun-mcp install --list
  mailgun-mcp install --all --api-key-file ~/.config/mailgun-mcp/key --region eu
  mailgun-mcp install --client zed --simulator
  mailgun-mcp install --client claude-code --scope user --read-only
  mailgun-mcp install --client cursor --uninstall"""


@dataclass(frozen=True, slots=True)
class _Plan:
    """The entry to write, and the file to write it to."""

    client: ClientProgram
    path: Path
    scope: str
    name: str
    entry: dict[str, Any]
    chosen: Sequence[str] = ()
    """The toolsets that were chosen because of the client's limit on tools."""
    remote: bool = False
    """Whether the client connects to a server that is already running. Then the entry contains the server's token."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--client", choices=CLIENTS, metavar="CLIENT", help=f"one of {', '.join(CLIENTS)}")
    which.add_argument("--all", action="store_true", help="all supported clients on this machine, for this user")
    which.add_argument(
        "--list", action="store_true", help="list the supported clients, and which of them have this server"
    )
    parser.add_argument("--uninstall", action="store_true", help="remove the server instead")
    parser.add_argument("--print", action="store_true", help="print what would be added and write nothing")
    parser.add_argument("--scope", choices=("project", "user"), help="for clients that have both")
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
    parser.add_argument(
        "--server-url",
        metavar="URL",
        help="let the client connect to a running server, such as http://127.0.0.1:8000/mcp, with its token in a header",
    )
    parser.add_argument("--force", action="store_true", help="replace another server of the same name")
    parser.add_argument("--all-tools", action="store_true", help="offer all tools, even to a client that accepts fewer")
    add_settings(parser, only=SERVER_SETTINGS)


def run(arguments: argparse.Namespace) -> int:
    """Write, print, remove or list configurations."""
    if not NAME.fullmatch(arguments.name):
        raise SettingsError(f"name: {arguments.name!r} may contain only letters, digits, - and _")
    if arguments.list:
        return _list(arguments.name)
    clients = _present() if arguments.all else [CLIENTS[arguments.client]]
    if arguments.all and arguments.file:
        raise SettingsError("file: --file is for one client, so it needs --client")
    if not clients:
        raise SettingsError("no supported client was found on this machine; --list shows which are supported")
    if arguments.uninstall:
        return _for_each(clients, lambda client: _uninstall(client, arguments))
    from mailgun_mcp import settings
    from mailgun_mcp.app import compose as start

    options = settings.load(settings_given(arguments))
    catalogue = start.create_catalogue(options)
    start.create_policy(options)
    return _for_each(clients, lambda client: _install(client, arguments, options, catalogue))


def _for_each(clients: Sequence[ClientProgram], act: Callable[[ClientProgram], None]) -> int:
    """Call `act` for each client. With several clients, the failure of one does not stop the others."""
    code = OK
    for client in clients:
        try:
            act(client)
        except SettingsError as error:
            if len(clients) == 1:
                raise
            note(f"{client.title}: {error}")
            code = FAILED
    return code


def _present() -> list[ClientProgram]:
    """Return the clients on this machine. If two versions share a file, return the one that matches the file's form."""
    return [_version_of(client) for client in CLIENTS.values() if client.present]


def _version_of(client: ClientProgram) -> ClientProgram:
    from mailgun_mcp.cli.config_edit import is_of_another_version
    from mailgun_mcp.cli.config_write import read

    if client.older and is_of_another_version(read(client.file("user")), client):
        return CLIENTS[client.older]
    return client


def _list(name: str) -> int:
    rows = [("client", "", "server", "file")]
    for key, client in CLIENTS.items():
        user = client.file("user")
        for scope in client.files:
            path = client.file(scope)
            if scope != "user" and path.absolute() == user:
                continue  # In the home directory, the project's file is the user's.
            state = _state(client, path, name)
            if state or scope == "user":
                rows.append((key, "found" if client.present else "", state or "-", _shortened(path)))
    table(rows)
    return OK


def _state(client: ClientProgram, path: Path, name: str) -> str:
    """Return the server's name if the client's file has it, a note if the file cannot be read, or ""."""
    from mailgun_mcp.cli.config_edit import installed, is_of_another_version
    from mailgun_mcp.cli.config_write import read

    try:
        text = read(path)
        return name if not is_of_another_version(text, client) and installed(text, client, name) else ""
    except SettingsError:
        return "unreadable"


def _shortened(path: Path) -> str:
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)


def _uninstall(client: ClientProgram, arguments: argparse.Namespace) -> None:
    from mailgun_mcp.cli.config_edit import before_install, without_server
    from mailgun_mcp.cli.config_write import backups, read, replace

    path, _ = _path(client, arguments)
    old = read(path)
    new = without_server(old, path, client, arguments.name) if old else old
    if new == old:
        out(f"{client.title} has no server called {arguments.name!r} in {path}. Nothing was changed.")
        return
    original = before_install(old, backups(path), path, client, arguments.name)
    backup = replace(path, old, new if original is None else original)
    out(f"{client.title} no longer has the server {arguments.name!r}: {path}")
    out(f"The previous version of the file: {backup}")


def _install(client: ClientProgram, arguments: argparse.Namespace, options: Settings, catalogue: "Catalogue") -> None:
    plan = _plan(client, arguments, options, catalogue)
    if arguments.print:
        _print(plan)
    else:
        _write(plan, force=arguments.force)
    _advise(plan, options, catalogue, arguments)


def _plan(client: ClientProgram, arguments: argparse.Namespace, options: Settings, catalogue: "Catalogue") -> _Plan:
    if arguments.server_url is not None:
        return _remote_plan(client, arguments, options)
    path, scope = _path(client, arguments)
    chosen: list[str] = []
    if not arguments.all_tools and is_over_limit(client, catalogue) and not _selects(options):
        chosen = fitting_toolsets(client, catalogue)
    key_file = str(Path(options.api_key_file).expanduser().absolute()) if options.api_key_file else None
    command = [*_program(arguments.uvx, shared=scope == "project"), *_server_arguments(arguments, chosen)]
    server = entry(client, command, key_file, keyless=options.simulator)
    if arguments.uvx is not None:
        server |= client.slow_start
    return _Plan(client, path, scope, arguments.name, server, chosen)


def _remote_plan(client: ClientProgram, arguments: argparse.Namespace, options: Settings) -> _Plan:
    """Return the plan for a client that connects over HTTP. The token is one user's, so no project file gets it."""
    from mailgun_mcp.cli.remote_entry import remote_entry

    if arguments.scope == "project" or "user" not in client.files:
        raise SettingsError("scope: the server's token is for one user, and others may share a project's file")
    path = Path(arguments.file).expanduser().absolute() if arguments.file else client.file("user").absolute()
    token = PLACEHOLDER if arguments.print else start_token(state_directory(options.state))
    entry = remote_entry(client, arguments.server_url, token)
    return _Plan(client, path, "user", arguments.name, entry, remote=True)


def _selects(options: Settings) -> bool:
    return any(getattr(options, name) for name in SELECTING)


def _path(client: ClientProgram, arguments: argparse.Namespace) -> tuple[Path, str]:
    """Return the client's file and its scope. A file that the person names has no scope."""
    if arguments.file:
        return Path(arguments.file).expanduser().absolute(), ""
    scope = arguments.scope or ("user" if arguments.all else next(iter(client.files)))
    try:
        return client.file(scope).absolute(), scope
    except KeyError as error:
        raise SettingsError(f"{client.title}: {unknown('scope', scope, client.files)}") from error


def _program(uvx_source: str | None, *, shared: bool) -> list[str]:
    """Return the words that run this program. For a shared file, prefer the name on the PATH if it is this program."""
    if uvx_source is not None:
        return [_uvx(), "--from", _source(uvx_source), "mailgun-mcp"]
    script = Path(sys.executable).with_name("mailgun-mcp.exe" if sys.platform == "win32" else "mailgun-mcp")
    on_path = shutil.which("mailgun-mcp")
    if shared and on_path and Path(on_path).resolve() == script.resolve():
        return ["mailgun-mcp"]
    return [str(script)] if script.is_file() else [sys.executable, "-m", "mailgun_mcp"]


def _uvx() -> str:
    """Return the full path of uvx, because a desktop application does not have the shell's PATH."""
    path = shutil.which("uvx")
    if path is None:
        raise SettingsError("uvx is not on the PATH: install uv, or leave out --uvx")
    return path


def _source(text: str) -> str:
    """Return the full path of a checkout or wheel. A name on a package index is not allowed: anybody could own it."""
    path = Path(text).expanduser().absolute()
    wheel = path.is_file() and path.name.startswith(f"{DISTRIBUTION.replace('-', '_')}-") and path.suffix == ".whl"
    if not wheel and not (path / "mailgun_mcp" / "__init__.py").is_file():
        raise SettingsError(f"uvx: {text} is neither a checkout of mailgun-mcp nor a wheel of {DISTRIBUTION}")
    return str(path)


def _server_arguments(arguments: argparse.Namespace, toolsets: Sequence[str]) -> list[str]:
    """Return the flags that are meant for the server. The key file is passed in the environment."""
    flags: list[str] = ["--toolsets", ",".join(toolsets)] if toolsets else []
    for name, value in settings_given(arguments).items():
        if name == "api_key_file":
            continue
        flags.append(f"--{name.replace('_', '-')}")
        if value is not True:
            file = name in ("config", "state") or (name == "policy" and value not in PROFILES)
            flags.append(str(Path(value).expanduser().absolute()) if file else value)
    return ["serve", *flags] if flags else []


def _print(plan: _Plan) -> None:
    from mailgun_mcp.cli.config_edit import snippet

    out(snippet(plan.client, plan.name, plan.entry).rstrip())
    note(f"Add this to {plan.path}. Nothing was written.")
    if plan.remote:
        note(f"{PLACEHOLDER} stands for the token: it is in the file {TOKEN_FILE} in the server's state directory.")


def _write(plan: _Plan, *, force: bool) -> None:
    from mailgun_mcp.cli.config_edit import with_server
    from mailgun_mcp.cli.config_write import read, replace

    old = read(plan.path)
    new = with_server(old, plan.path, plan.client, plan.name, plan.entry, force=force)
    if new == old:
        out(f"{plan.path} already has this server. Nothing was changed.")
        return
    backup = replace(plan.path, old, new, private=plan.remote)
    if plan.remote:
        out(f"{plan.client.title} now connects to {plan.name!r} with its token: {plan.path}, readable for you only")
    else:
        out(f"{plan.client.title} now runs this server as {plan.name!r}: {plan.path}")
    if backup:
        out(f"The previous version of the file: {backup}")


def _advise(plan: _Plan, options: Settings, catalogue: "Catalogue", arguments: argparse.Namespace) -> None:
    if plan.remote:
        note(f"Next: {plan.client.after}")
        return
    if plan.chosen:
        note(_choice(plan, catalogue))
    for line in _warnings(plan, catalogue, arguments):
        note(f"warning: {line}")
    step = _key_step(plan.client, options)
    note(f"Next: {f'{step} ' if step else ''}{plan.client.after}")


def _choice(plan: _Plan, catalogue: "Catalogue") -> str:
    return (
        f"{plan.client.title} accepts {plan.client.tool_limit} tools from all servers together, and this one has "
        f"{tool_count(catalogue)}. It now offers {tool_count(catalogue, plan.chosen)}: the toolsets "
        f"{', '.join(plan.chosen)}. Use --toolsets to choose others, or --all-tools."
    )


def _warnings(plan: _Plan, catalogue: "Catalogue", arguments: argparse.Namespace) -> Iterator[str]:
    if _is_short_lived(uvx=arguments.uvx is not None):
        yield "this installation is in uv's cache and may be removed: use --uvx PATH, or run `uv tool install PATH` first"
    if not plan.chosen and is_over_limit(plan.client, catalogue):
        toolsets = fitting_toolsets(plan.client, catalogue)
        proposal = f", for example --toolsets {','.join(toolsets)} ({tool_count(catalogue, toolsets)} tools)"
        yield (
            f"{plan.client.title} accepts {plan.client.tool_limit} tools from all servers together, and this one has "
            f"{tool_count(catalogue)}: choose{proposal}"
        )
    excess = excess_of_names(plan.name, catalogue)
    if excess:
        yield (
            f"with the server name {plan.name!r}, some tool names are longer than clients accept: "
            f"make it {excess} characters shorter"
        )
    if plan.scope == "project" and (paths := list(_own_paths(plan.entry))):
        yield (
            f"{plan.path.name} belongs to the project, and others may share it, but it now names paths of this "
            f"machine ({', '.join(dict.fromkeys(paths))}): do not commit it, or use --scope user"
        )
    if arguments.uvx is not None and not plan.client.slow_start:
        yield (
            f"the first start installs packages, and {plan.client.title} may not wait so long: "
            f"run `uvx --from {arguments.uvx} mailgun-mcp --version` once before"
        )


def _own_paths(value: Any) -> Iterator[str]:
    """Yield the absolute paths in an entry."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _own_paths(item)
    elif isinstance(value, str) and Path(value).is_absolute():
        yield value


def _key_step(client: ClientProgram, options: Settings) -> str:
    if options.simulator:
        return ""
    if not options.api_key_file:
        return client.key_step
    path = Path(options.api_key_file).expanduser()
    if not path.is_file():
        return f"Save the API key in {path.absolute()} and run `chmod 600` on it."
    return ""


def _is_short_lived(*, uvx: bool) -> bool:
    parts = Path(sys.executable).parts
    return not uvx and "uv" in parts and any(part.startswith(("archive-v", "environments-v")) for part in parts)
