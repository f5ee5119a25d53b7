"""Run Mailgun in the box as an HTTP server: the same API with a demo account, on loopback. Or control one that runs."""

import argparse
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.output import out
from mailgun_mcp.cli.parser import Parser
from mailgun_mcp.cli.simulator_control import CONTROLS, URL, control
from mailgun_mcp.settings import SettingsError

if TYPE_CHECKING:
    from mailgun_mcp.simulator.model.account import Account

PORT = 8025
SELF = "self"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on, loopback only; default 127.0.0.1")
    parser.add_argument("--port", default=str(PORT), help=f"port to listen on, 0 for a free one; default {PORT}")
    parser.add_argument("--key", help="let in only this API key; without it any key will do")
    parser.add_argument(
        "--region",
        default="us",
        choices=("us", "eu"),
        help="the account's region, for hosts that name none; default us",
    )
    parser.add_argument(
        "--storage-url",
        metavar="URL",
        help="what the URLs of stored messages start with, `self` for the address that it listens on; "
        "default Mailgun's storage host in the region",
    )
    parser.add_argument(
        "--control",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="serve the control routes under /simulator/ (clock, faults, inbound mail, recipients, snapshots); "
        "on by default, since only this machine can reach them; with --key they need it",
    )
    parser.add_argument("--scenario", metavar="NAME|FILE", help="begin with this account: a shipped scenario, or YAML")
    parser.add_argument(
        "--state",
        metavar="FILE",
        help="keep the account in this JSON file between runs; it wins over --scenario once it is there",
    )
    parser.add_argument(
        "--deliver-webhooks",
        action="store_true",
        help="let /simulator/webhooks/post post to any URL; without it only to this machine's own",
    )
    parser.add_argument("--quiet", action="store_true", help="do not log requests on stderr")
    parser.set_defaults(action=None)
    parser.set_defaults(starting=vars(parser.parse_args([])))
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", title="to control one that runs", parser_class=Parser
    )
    for name, known in CONTROLS.items():
        action = actions.add_parser(name, help=known.help)
        known.add(action)
        action.add_argument("--url", default=URL, help=f"where it listens; default {URL}")
        # Without a default of its own: it would hide a key that stands before the action.
        action.add_argument("--key", default=argparse.SUPPRESS, help="its API key, where it lets in only one")
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted, or ask the one that runs."""
    if arguments.action is not None:
        return control(arguments)
    import uvicorn

    from mailgun_mcp.app.listen import listen, url_of

    storage_url = _storage_url(arguments.storage_url, arguments.region)
    with listen(arguments.host, _port(arguments.port)) as listener:
        url = url_of(listener, arguments.host)
        app = _app(arguments, url if storage_url == SELF else storage_url)
        config = uvicorn.Config(app, log_config=None, access_log=not arguments.quiet, lifespan="on")
        _log_requests()
        out(_introduction(url, arguments.key, arguments.state))
        sys.stdout.flush()
        uvicorn.Server(config).run(sockets=[listener])
    return OK


def _app(arguments: argparse.Namespace, storage_url: str) -> Any:
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.catalogue.errors import CatalogueError
    from mailgun_mcp.cli.posting import post
    from mailgun_mcp.simulator import create_app
    from mailgun_mcp.simulator.control.harness import HostAccess

    if arguments.key == "":
        raise SettingsError("--key is empty")
    path = _state_file(arguments.state)
    try:
        return create_app(
            Catalogue.load(),
            account=_account(arguments.scenario, path, storage_url),
            key=arguments.key,
            storage_url=storage_url,
            control=arguments.control,
            host_access=HostAccess(post, arguments.deliver_webhooks, path),
            region=arguments.region,
        )
    except CatalogueError as error:
        raise SettingsError(str(error)) from error


def _state_file(name: str | None) -> Path | None:
    if name is None:
        return None
    path = Path(name).expanduser()
    if not path.parent.is_dir() or path.is_dir():
        raise SettingsError(f"state: {name} is not a file in a directory that is there")
    return path


def _account(scenario: str | None, state: Path | None, storage_url: str) -> "Account | None":
    """Return the account of the state file, else of the scenario; None leaves it to the simulator."""
    from mailgun_mcp.simulator.control.state_file import StateFileError, open_account
    from mailgun_mcp.simulator.model.clock import SystemClock

    try:
        account = open_account(state, SystemClock()) if state else None
    except StateFileError as error:
        raise SettingsError(str(error)) from error
    if account is not None or scenario is None:
        return account
    from mailgun_mcp.simulator.worlds.scenario import ScenarioError, open_scenario
    from mailgun_mcp.simulator.worlds.scenario_history import scenario_account

    try:
        return scenario_account(open_scenario(scenario), SystemClock(), storage_url=storage_url)
    except ScenarioError as error:
        raise SettingsError(str(error)) from error


def _storage_url(text: str | None, region: str) -> str:
    from mailgun_mcp.simulator.http.regions import STORAGE

    if text is None:
        return STORAGE[region]
    if text == SELF:
        return text
    if not text.startswith(("http://", "https://")) or not urlsplit(text).hostname:
        raise SettingsError(f"storage-url: {text!r} is neither `{SELF}` nor the start of an http or https URL")
    return text.rstrip("/")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise SettingsError(f"port: {text!r} is not a port from 0 to 65535")
    return int(text)


def _log_requests() -> None:
    import logging

    from mailgun_mcp.output import logs

    logs.configure("info")
    logging.getLogger("uvicorn.access").setLevel(logging.INFO)


def _introduction(url: str, key: str | None, state: str | None) -> str:
    used = key or "simulator"
    user = quote(f"api:{used}")
    keeps = f"the account is kept in {state}" if state else "nothing is kept"
    return (
        f"The Mailgun simulator listens on {url} (Ctrl+C ends it; {keeps})\n"
        f"  try it:      curl --user {user} {url}/v4/domains\n"
        f"  serve it:    MAILGUN_API_URL={url} MAILGUN_API_KEY={quote(used)} mailgun-mcp"
    )
