"""Run the Mailgun simulator as an HTTP server: the same API, with a demo account.

With an action, control a simulator that is already running.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from signal import SIGTERM, signal
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.output import out
from mailgun_mcp.cli.parser import Parser
from mailgun_mcp.cli.simulator_control import CONTROLS, URL, control
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.host_names import EVERY_ADDRESS

if TYPE_CHECKING:
    from socket import socket

    from mailgun_mcp.simulator.model.account import Account
    from mailgun_mcp.simulator.smtp.server import SmtpSockets

PORT = 8025
SELF = "self"
MAILGUN = "mailgun"
EXAMPLES = """\
  mailgun-mcp simulator --scenario injection
  mailgun-mcp simulator state
  mailgun-mcp simulator ignored
  mailgun-mcp simulator clock advance 2h
  mailgun-mcp simulator inbound --from kim@example.org --to in@mail.example.com --text Hello
  mailgun-mcp simulator act open 7337ef29e10bb55a@mail.example.com
  mailgun-mcp simulator dns mail.example.com spf absent
  mailgun-mcp simulator faults '{"faults": [{"kind": "server_error", "operation": "send_*", "rate": 0.5}]}'
  mailgun-mcp simulator faults off
  mailgun-mcp simulator webhooks post
  mailgun-mcp simulator seed injection
  mailgun-mcp simulator reset --empty
  mailgun-mcp simulator results preview 5d1a7c2e '{"status": "completed"}'
  mailgun-mcp simulator snapshot account.json
  mailgun-mcp simulator restore account.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    _add_address(parser)
    _add_account(parser)
    _add_sockets(parser)
    parser.set_defaults(action=None)
    parser.set_defaults(starting=vars(parser.parse_args([])))
    _add_actions(parser)


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; one that other machines reach needs --key; default 127.0.0.1",
    )
    parser.add_argument("--port", default=str(PORT), help=f"port to listen on; 0 for any free port; default {PORT}")
    parser.add_argument("--key", help="accept only this API key; without this flag, any key is accepted")
    parser.add_argument(
        "--region",
        default="us",
        choices=("us", "eu"),
        help="region of the account, for hosts that do not name one; default us",
    )
    parser.add_argument(
        "--storage-url",
        metavar="URL",
        default=SELF,
        help="start of the URLs of stored messages; `self` is the simulator's own address, "
        "`mailgun` is Mailgun's storage host of the region; default self",
    )
    parser.add_argument(
        "--no-control",
        dest="control",
        action="store_false",
        help="leave out the control routes under /simulator/ (clock, faults, inbound mail, recipients, snapshots)",
    )
    parser.add_argument("--control", action="store_true", default=True, help=argparse.SUPPRESS)  # the default


def _add_account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scenario", metavar="NAME|FILE", help="account to start with: the name of a built-in scenario, or a YAML file"
    )
    parser.add_argument(
        "--state",
        metavar="FILE",
        help="file that keeps the account between runs; once it exists, --scenario is ignored",
    )
    parser.add_argument(
        "--deliver-webhooks",
        action="store_true",
        help="let /simulator/webhooks/post post to any URL; without this flag, only to this machine",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse parameters that an operation does not have; without this flag they are ignored, "
        "as Mailgun does, and listed at /simulator/ignored",
    )


def _add_sockets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--smtp",
        metavar="PORT",
        help="also serve SMTP on this port, with STARTTLS, for SMTP credentials of the account; 0 for any free port",
    )
    parser.add_argument(
        "--smtp-tls",
        metavar="PORT",
        help="also serve SMTP over TLS from the start of the connection (SMTPS) on this port",
    )
    parser.add_argument("--quiet", action="store_true", help="do not log requests")


def _add_actions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", title="actions, to control a running simulator", parser_class=Parser
    )
    for name, action_control in CONTROLS.items():
        action = actions.add_parser(name, help=action_control.help)
        action_control.add(action)
        action.add_argument("--url", default=URL, help=f"URL of the simulator; default {URL}")
        # A default here would override a --key given before the action.
        action.add_argument("--key", default=argparse.SUPPRESS, help="API key, if the simulator accepts only one")
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted, or control a running simulator."""
    if arguments.action is not None:
        return control(arguments)
    import uvicorn

    from mailgun_mcp.app.listen import url_of
    from mailgun_mcp.simulator.control.full_collections import short_collections

    storage_url = _storage_url(arguments.storage_url, arguments.region)
    with ExitStack() as stack:
        # By default SIGTERM ends the process at once, and the folder with the certificate's key stays.
        stack.callback(signal, SIGTERM, signal(SIGTERM, _leave))
        stack.enter_context(short_collections())
        listener = stack.enter_context(_listen(arguments, "port", arguments.port))
        url = url_of(listener, EVERY_ADDRESS.get(arguments.host, arguments.host))
        smtp = _smtp_sockets(arguments, stack)
        app = _app(arguments, url if storage_url == SELF else storage_url, smtp)
        config = uvicorn.Config(app, http="h11", log_config=None, access_log=not arguments.quiet, lifespan="on")
        _log_requests()
        out("\n".join([_introduction(url, arguments.key, arguments.state), *_smtp_lines(arguments.host, smtp)]))
        sys.stdout.flush()
        uvicorn.Server(config).run(sockets=[listener])
    return OK


def _leave(number: int, _: object) -> NoReturn:
    """Leave the program with the exit code of a signal, and close what is open on the way."""
    raise SystemExit(128 + number)


def _listen(arguments: argparse.Namespace, name: str, port: str) -> "socket":
    """Open a socket. Raises SettingsError if other machines could reach a simulator that accepts any key."""
    from mailgun_mcp.app.listen import is_loopback, listen

    if not arguments.key and not is_loopback(arguments.host):
        raise SettingsError(f"host {arguments.host} is not loopback: others could reach it, so choose a key with --key")
    return listen(arguments.host, _port(name, port), authenticated=True)


def _smtp_sockets(arguments: argparse.Namespace, stack: ExitStack) -> "SmtpSockets | None":
    """Open the sockets for SMTP, if requested, and make a certificate. Both last as long as the stack."""
    ports = {"smtp": arguments.smtp, "smtp-tls": arguments.smtp_tls}
    if ports == {"smtp": None, "smtp-tls": None}:
        return None
    if find_spec("aiosmtpd") is None:
        raise SettingsError("smtp: needs aiosmtpd; install `mailgun-mcp-server[smtp]`")
    from mailgun_mcp.simulator.smtp.certificate import write_certificate
    from mailgun_mcp.simulator.smtp.server import SmtpSockets

    folder = stack.enter_context(TemporaryDirectory(prefix="mailgun-simulator-"))
    plain, tls = (
        None if port is None else stack.enter_context(_listen(arguments, name, port)) for name, port in ports.items()
    )
    return SmtpSockets(write_certificate(Path(folder)), plain, tls)


def _smtp_lines(host: str, smtp: "SmtpSockets | None") -> Iterator[str]:
    if smtp is None:
        return
    for listener, how in ((smtp.plain, "STARTTLS"), (smtp.tls, "TLS")):
        if listener is not None:
            yield f"  SMTP:        {host}:{listener.getsockname()[1]} ({how})"
    yield f"  certificate: {smtp.certificate}"


def _app(arguments: argparse.Namespace, storage_url: str, smtp: "SmtpSockets | None") -> Any:
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.cli.local_http import post
    from mailgun_mcp.simulator import create_app
    from mailgun_mcp.simulator.control.harness import HostAccess

    if arguments.key == "":
        raise SettingsError("--key is empty")
    path = _state_file(arguments.state)
    return create_app(
        Catalogue.load(),
        account=_account(arguments.scenario, path, storage_url),
        key=arguments.key,
        storage_url=storage_url,
        control=arguments.control,
        host_access=HostAccess(post, arguments.deliver_webhooks, path),
        region=arguments.region,
        strict=arguments.strict,
        smtp=smtp,
    )


def _state_file(name: str | None) -> Path | None:
    if name is None:
        return None
    path = Path(name).expanduser()
    if not path.parent.is_dir() or path.is_dir():
        raise SettingsError(
            f"state: {name} is a directory" if path.is_dir() else f"state: the directory of {name} does not exist"
        )
    return path


def _account(scenario: str | None, state: Path | None, storage_url: str) -> "Account | None":
    """Return the account in the state file, or that of the scenario. None means the simulator's default."""
    from mailgun_mcp.simulator.control.state_file import open_account
    from mailgun_mcp.simulator.model.clock import SystemClock

    account = open_account(state, SystemClock()) if state else None
    if account is not None:
        from mailgun_mcp.simulator.http.regions import serve_storage_at

        # The file may come from a simulator on another port.
        serve_storage_at(account, storage_url)
    if account is not None or scenario is None:
        return account
    from mailgun_mcp.simulator.worlds.scenario import open_scenario
    from mailgun_mcp.simulator.worlds.scenario_history import scenario_account

    return scenario_account(open_scenario(scenario), SystemClock(), storage_url=storage_url)


def _storage_url(text: str, region: str) -> str:
    from mailgun_mcp.simulator.http.regions import STORAGE

    if text == MAILGUN:
        return STORAGE[region]
    if text == SELF:
        return text
    if not text.startswith(("http://", "https://")) or not urlsplit(text).hostname:
        raise SettingsError(
            f"storage-url: {text!r} must be `{SELF}`, `{MAILGUN}`, or start with http:// or https:// and a host name"
        )
    return text.rstrip("/")


def _port(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > 65535:
        raise SettingsError(f"{name}: {text!r} must be a number from 0 to 65535")
    return int(text)


def _log_requests() -> None:
    import logging

    from mailgun_mcp.output import logs

    logs.configure("info")
    logging.getLogger("uvicorn.access").setLevel(logging.INFO)


def _introduction(url: str, key: str | None, state: str | None) -> str:
    used = key or "simulator"
    user = quote(f"api:{used}")
    storage = f"the account is saved in {state}" if state else "nothing is saved"
    return (
        f"The Mailgun simulator listens on {url} (Ctrl+C ends it; {storage})\n"
        f"  try it:      curl --user {user} {url}/v4/domains\n"
        f"  use it:      MAILGUN_API_URL={url} MAILGUN_API_KEY={quote(used)} mailgun-mcp"
    )
