"""Speaks to a running simulator: its clock, faults, mail from outside, recipients, state."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailgun_mcp.cli.asking import NotDone, ask
from mailgun_mcp.cli.exits import FAILED, OK
from mailgun_mcp.cli.output import as_json, out
from mailgun_mcp.settings import SettingsError

URL = "http://127.0.0.1:8025"
RECORDS = ("spf", "dkim", "tracking", "mx")
Arguments = argparse.Namespace
Sent = tuple[str, str, Any]
"""Method, route, and the body or None."""


@dataclass(frozen=True, slots=True)
class Control:
    """What can be asked of a running simulator."""

    usage: str
    """Its arguments, as docs and help show them."""
    routes: str
    """The control routes behind it."""
    help: str
    add: Callable[[argparse.ArgumentParser], None]
    sent: Callable[[Arguments], Sent]


def _nothing(_: argparse.ArgumentParser) -> None:
    """It takes no arguments."""


def _clock_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("change", nargs="?", choices=("advance", "to", "hold", "release"))
    parser.add_argument("value", nargs="?", help="2h, 3d; or an RFC 3339 or RFC 2822 date")


def _clock(arguments: Arguments) -> Sent:
    change, value = arguments.change, arguments.value
    if (change in ("advance", "to")) != (value is not None):
        raise SettingsError("clock: `advance` takes a time such as 2h, `to` a date, and the others nothing")
    if change is None:
        return "GET", "clock", None
    return "POST", "clock", {change: value} if value else {"held": change == "hold"}


def _faults_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "change",
        nargs="?",
        metavar="JSON|off",
        help='{"faults": [{"kind": "server_error", "operation": "send_*", "rate": 0.5}], "seed": 1}',
    )


def _faults(arguments: Arguments) -> Sent:
    if arguments.change is None:
        return "GET", "faults", None
    return ("DELETE", "faults", None) if arguments.change == "off" else ("POST", "faults", _json(arguments.change))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError(f"not JSON: {error}") from error


def _reset_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--empty", action="store_true", help="with an account that holds nothing")


def _seed_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", metavar="NAME|FILE", help="a shipped scenario, or YAML")


def _seed(arguments: Arguments) -> Sent:
    if arguments.source is None:
        return "POST", "seed", {}
    from mailgun_mcp.simulator.worlds.scenario import ScenarioError, open_scenario

    try:
        scenario = open_scenario(arguments.source)
    except ScenarioError as error:
        raise SettingsError(str(error)) from error
    return "POST", "seed", {"scenario": scenario.model_dump(mode="json", exclude_unset=True)}


MAIL = ("from", "to", "cc", "subject", "text", "html")


def _inbound_arguments(parser: argparse.ArgumentParser) -> None:
    for name in MAIL:
        parser.add_argument(f"--{name}", dest=f"mail_{name}", metavar="TEXT")
    parser.add_argument("--header", metavar="NAME=VALUE", action="append", help="another header; may be repeated")
    parser.add_argument("--mime", metavar="FILE", help="the whole mail, - for stdin")
    parser.add_argument("--sender", metavar="ADDRESS", help="of the envelope, where it is another")
    parser.add_argument("--recipient", metavar="ADDRESS", action="append", help="of the envelope; may be repeated")


def _inbound(arguments: Arguments) -> Sent:
    texts = {name: getattr(arguments, f"mail_{name}") for name in MAIL}
    given = {**texts, "sender": arguments.sender, "recipients": arguments.recipient}
    mail: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if arguments.header:
        mail["headers"] = dict(_pair(text) for text in arguments.header)
    if arguments.mime is not None:
        mail["mime"] = _read(arguments.mime)
    return ("POST", "inbound", mail) if mail else ("GET", "inbound", None)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise SettingsError(f"--header: {text!r} is not NAME=VALUE")
    return name, value


def _act_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("act", choices=("open", "click", "complain", "unsubscribe", "bounce"))
    parser.add_argument("message", help="its id, or its storage key")
    parser.add_argument("--recipient", metavar="ADDRESS", help="only this one; without it all of them")
    parser.add_argument("--link", metavar="URL", help="what is clicked")
    parser.add_argument("--tag", help="of an unsubscribe")


def _act(arguments: Arguments) -> Sent:
    given = {"recipient": arguments.recipient, "url": arguments.link, "tag": arguments.tag}
    details = {name: value for name, value in given.items() if value is not None}
    return "POST", "act", {"action": arguments.act, "message": arguments.message, **details}


def _webhooks_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("change", nargs="?", choices=("post",), help="post what is due")


def _dns_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?")
    parser.add_argument("record", nargs="?", choices=RECORDS)
    parser.add_argument("presence", nargs="?", choices=("present", "absent"))


def _dns(arguments: Arguments) -> Sent:
    given = (arguments.domain, arguments.record, arguments.presence)
    if not any(given):
        return "GET", "dns", None
    if not all(given):
        raise SettingsError(f"dns: give a domain, one of {', '.join(RECORDS)}, and present or absent")
    return "POST", "dns", {"domain": given[0], "record": given[1], "present": given[2] == "present"}


def _results_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=("seed", "preview"))
    parser.add_argument("id")
    parser.add_argument("result", metavar="JSON")


def _snapshot_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="- for stdout")


def _restore_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="- for stdin")


def _restore(arguments: Arguments) -> Sent:
    return "POST", "restore", _json(_read(arguments.file))


def _read(name: str) -> str:
    """Return the text of a file, or of stdin for `-`, with the line ends that it has."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).expanduser().read_bytes()
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name} cannot be read: {error}") from error


CONTROLS: dict[str, Control] = {
    "state": Control("", "`GET state`", "domains, and how much they hold", _nothing, lambda _: ("GET", "state", None)),
    "clock": Control(
        "[advance TIME, to DATE, hold, release]",
        "`GET clock`, `POST clock`",
        "show the clock, move it forward, stop it, let it go on",
        _clock_arguments,
        _clock,
    ),
    "faults": Control(
        "[JSON, off]",
        "`GET faults`, `POST faults`, `DELETE faults`",
        "show or set faults, rate limits, and after how many seconds a write is seen",
        _faults_arguments,
        _faults,
    ),
    "reset": Control(
        "[--empty]",
        "`POST reset`",
        "begin anew with the account as it was at first, or an empty one",
        _reset_arguments,
        lambda arguments: ("POST", "reset", {"empty": True} if arguments.empty else {}),
    ),
    "seed": Control(
        "[NAME, FILE]", "`POST seed`", "begin anew with a scenario, or the demo account", _seed_arguments, _seed
    ),
    "inbound": Control(
        "[--from, --to, --cc, --subject, --text, --html, --header, --sender, --recipient, --mime FILE]",
        "`GET inbound`, `POST inbound`",
        "let mail come in from outside, or show what came in",
        _inbound_arguments,
        _inbound,
    ),
    "act": Control(
        "open, click, complain, unsubscribe, bounce MESSAGE [--recipient, --link, --tag]",
        "`POST act`",
        "do what a recipient of a message does",
        _act_arguments,
        _act,
    ),
    "webhooks": Control(
        "[post]",
        "`GET webhooks`, `POST webhooks/post`",
        "show the outbox, or post what is due to this machine (`--deliver-webhooks`: anywhere)",
        _webhooks_arguments,
        lambda arguments: ("POST", "webhooks/post", {}) if arguments.change else ("GET", "webhooks", None),
    ),
    "dns": Control(
        "[DOMAIN spf, dkim, tracking, mx present, absent]",
        "`GET dns`, `POST dns`",
        "show or set which records of a domain are in the DNS: verifying looks at them",
        _dns_arguments,
        _dns,
    ),
    "results": Control(
        "seed, preview ID JSON",
        "`POST results`",
        "let a seed test or a preview have this result",
        _results_arguments,
        lambda arguments: (
            "POST",
            "results",
            {"kind": arguments.kind, "id": arguments.id, "result": _json(arguments.result)},
        ),
    ),
    "snapshot": Control(
        "FILE",
        "`GET snapshot`",
        "take the whole account away",
        _snapshot_arguments,
        lambda _: ("GET", "snapshot", None),
    ),
    "restore": Control("FILE", "`POST restore`", "bring it back", _restore_arguments, _restore),
}


def control(arguments: Arguments) -> int:
    """Ask the simulator at `arguments.url`, and print its answer. FAILED when it did not do it."""
    _check_flags(arguments)
    method, route, body = CONTROLS[arguments.action].sent(arguments)
    try:
        answer = ask(arguments.url, arguments.key or "simulator", method, route, body)
    except NotDone as error:
        sys.stderr.write(f"mailgun-mcp simulator {arguments.action}: {error}\n")
        return FAILED
    if arguments.action == "snapshot" and arguments.file != "-":
        _write(arguments.file, answer)
        out(f"The account is in {arguments.file}.")
    else:
        as_json(answer)
    return OK


def _check_flags(arguments: Arguments) -> None:
    """Raise SettingsError when a flag for starting a simulator stands before the action: it would do nothing."""
    for name, default in arguments.starting.items():
        if name not in ("key", "action") and getattr(arguments, name) != default:
            flag = name.replace("_", "-")
            raise SettingsError(f"--{flag} is for starting a simulator, not for `{arguments.action}`")


def _write(name: str, answer: Any) -> None:
    from mailgun_mcp.simulator.control.state_file import write

    try:
        write(Path(name).expanduser(), answer)
    except OSError as error:
        raise SettingsError(f"{name} cannot be written: {error.strerror or error}") from error
