"""The actions that control a running simulator: its clock, faults, inbound mail, recipients and state."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailgun_mcp.cli.exits import FAILED, OK
from mailgun_mcp.cli.output import as_json, note, out
from mailgun_mcp.cli.simulator_client import SimulatorError, download, request
from mailgun_mcp.errors import reason_of
from mailgun_mcp.settings import SettingsError

URL = "http://127.0.0.1:8025"
RECORDS = ("spf", "dkim", "tracking", "mx")
Options = argparse.Namespace
ControlRequest = tuple[str, str, Any]
"""Method, route, and the body or None."""


@dataclass(frozen=True, slots=True)
class Control:
    """One action on a running simulator."""

    usage: str
    """The arguments, as shown in the docs."""
    routes: str
    """The control routes that the action uses."""
    help: str
    add: Callable[[argparse.ArgumentParser], None]
    request: Callable[[Options], ControlRequest]


def _no_arguments(_: argparse.ArgumentParser) -> None:
    """The action takes no arguments."""


def _clock_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "change",
        nargs="?",
        choices=("advance", "to", "pause", "resume"),
        type=_new_word,
        help="what to do with the clock",
    )
    parser.add_argument(
        "value", nargs="?", help="a duration such as 2h or 3d for advance, a date (RFC 3339 or RFC 2822) for to"
    )


def _clock(arguments: Options) -> ControlRequest:
    change, value = arguments.change, arguments.value
    if (change in ("advance", "to")) != (value is not None):
        raise SettingsError(
            "clock: `advance` needs a duration such as 2h, `to` needs a date, `pause` and `resume` take no value"
        )
    if change is None:
        return "GET", "clock", None
    return "POST", "clock", {change: value} if value else {"paused": change == "pause"}


def _faults_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "change",
        nargs="?",
        metavar="JSON|off",
        help='the faults to set, or off: {"faults": [{"kind": "server_error", "operation": "send_*", "rate": 0.5}], "seed": 1}',
    )


def _faults(arguments: Options) -> ControlRequest:
    if arguments.change is None:
        return "GET", "faults", None
    return ("DELETE", "faults", None) if arguments.change == "off" else ("POST", "faults", _json(arguments.change))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError(f"the argument is not JSON: {error}") from error


def _reset_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--empty", action="store_true", help="use an empty account")


def _seed_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", metavar="NAME|FILE", help="name of a built-in scenario, or a YAML file")


def _seed(arguments: Options) -> ControlRequest:
    if arguments.source is None:
        return "POST", "seed", {}
    from mailgun_mcp.simulator.worlds.scenario import open_scenario

    scenario = open_scenario(arguments.source)
    return "POST", "seed", {"scenario": scenario.model_dump(mode="json", exclude_unset=True)}


MAIL = {
    "from": ("ADDRESS", "address in the From header, which may have a name: 'Kim <kim@example.org>'"),
    "to": ("ADDRESS", "address in the To header, at a domain of the account"),
    "cc": ("ADDRESS", "address in the Cc header"),
    "subject": ("TEXT", "subject"),
    "text": ("TEXT", "plain text of the body"),
    "html": ("HTML", "HTML of the body"),
}
"""The parts of a received mail: flag -> placeholder and help."""


def _inbound_arguments(parser: argparse.ArgumentParser) -> None:
    for name, (metavar, help_text) in MAIL.items():
        parser.add_argument(f"--{name}", dest=f"mail_{name}", metavar=metavar, help=help_text)
    parser.add_argument("--header", metavar="NAME=VALUE", action="append", help="a header; may be repeated")
    parser.add_argument("--mime", metavar="FILE", help="file with the complete MIME message; - for stdin")
    parser.add_argument("--sender", metavar="ADDRESS", help="envelope sender, if different")
    parser.add_argument("--recipient", metavar="ADDRESS", action="append", help="envelope recipient; may be repeated")


def _inbound(arguments: Options) -> ControlRequest:
    texts = {name: getattr(arguments, f"mail_{name}") for name in MAIL}
    fields = {**texts, "sender": arguments.sender, "recipients": arguments.recipient}
    mail: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
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
    parser.add_argument("act", choices=("open", "click", "complain", "unsubscribe", "bounce"), help="what to do")
    parser.add_argument("message", help="message id or storage key")
    parser.add_argument("--recipient", metavar="ADDRESS", help="act as this recipient only; default: all recipients")
    parser.add_argument("--link", metavar="URL", help="URL to click")
    parser.add_argument("--tag", help="tag to unsubscribe from")


def _act(arguments: Options) -> ControlRequest:
    options = {"recipient": arguments.recipient, "url": arguments.link, "tag": arguments.tag}
    details = {name: value for name, value in options.items() if value is not None}
    return "POST", "act", {"action": arguments.act, "message": arguments.message, **details}


def _webhooks_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("change", nargs="?", choices=("post",), help="post the webhooks that are due")


def _dns_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", help="name of the domain")
    parser.add_argument("record", nargs="?", choices=RECORDS, help="kind of DNS record")
    parser.add_argument("presence", nargs="?", choices=("present", "absent"), help="whether the record is in the DNS")


def _dns(arguments: Options) -> ControlRequest:
    record = (arguments.domain, arguments.record, arguments.presence)
    if not any(record):
        return "GET", "dns", None
    if not all(record):
        raise SettingsError(f"dns: needs a domain, one of {', '.join(RECORDS)}, and present or absent")
    return "POST", "dns", {"domain": record[0], "record": record[1], "present": record[2] == "present"}


def _results_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=("seed", "preview"), help="kind of test")
    parser.add_argument("id", help="id of the test")
    parser.add_argument("result", metavar="JSON", help="result, as the API returns it")


def _snapshot_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="file to write; - for stdout")


def _restore_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="file to read; - for stdin")


def _restore(arguments: Options) -> ControlRequest:
    if arguments.file == "-":
        return "POST", "restore", sys.stdin.buffer
    try:
        return "POST", "restore", Path(arguments.file).expanduser().open("rb")
    except OSError as error:
        raise SettingsError(f"cannot read {arguments.file}: {reason_of(error)}") from error


def _read(name: str) -> str:
    """Return the text of a file, or of stdin for `-`, with its line ends unchanged."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).expanduser().read_bytes()
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {name}: {reason_of(error)}") from error


def _in_new_words(answer: Any) -> Any:
    """Return the answer without `held`, the name of `paused` in the previous release, which programs may still read."""
    return {name: value for name, value in answer.items() if name != "held"} if isinstance(answer, dict) else answer


def _new_word(change: str) -> str:
    """Return the current word for a word of the previous release."""
    return {"hold": "pause", "release": "resume"}.get(change, change)


CONTROLS: dict[str, Control] = {
    "state": Control(
        "", "`GET state`", "show the domains and what they contain", _no_arguments, lambda _: ("GET", "state", None)
    ),
    "ignored": Control(
        "",
        "`GET ignored`",
        "list the unknown parameters that were ignored",
        _no_arguments,
        lambda _: ("GET", "ignored", None),
    ),
    "clock": Control(
        "[advance TIME, to DATE, pause, resume]",
        "`GET clock`, `POST clock`",
        "show the clock, move it forward, pause or resume it",
        _clock_arguments,
        _clock,
    ),
    "faults": Control(
        "[JSON, off]",
        "`GET faults`, `POST faults`, `DELETE faults`",
        "show or set faults, rate limits and read delay",
        _faults_arguments,
        _faults,
    ),
    "reset": Control(
        "[--empty]",
        "`POST reset`",
        "reset the account to its initial state, or to an empty account",
        _reset_arguments,
        lambda arguments: ("POST", "reset", {"empty": True} if arguments.empty else {}),
    ),
    "seed": Control(
        "[NAME, FILE]",
        "`POST seed`",
        "replace the account with a scenario, or with the demo account",
        _seed_arguments,
        _seed,
    ),
    "inbound": Control(
        "[--from, --to, --cc, --subject, --text, --html, --header, --sender, --recipient, --mime FILE]",
        "`GET inbound`, `POST inbound`",
        "receive mail from outside, or list the received mail",
        _inbound_arguments,
        _inbound,
    ),
    "act": Control(
        "open, click, complain, unsubscribe, bounce MESSAGE [--recipient, --link, --tag]",
        "`POST act`",
        "act as a recipient of a message",
        _act_arguments,
        _act,
    ),
    "webhooks": Control(
        "[post]",
        "`GET webhooks`, `POST webhooks/post`",
        "list the webhooks, or post those that are due to this machine (`--deliver-webhooks`: anywhere)",
        _webhooks_arguments,
        lambda arguments: ("POST", "webhooks/post", {}) if arguments.change else ("GET", "webhooks", None),
    ),
    "dns": Control(
        "[DOMAIN spf, dkim, tracking, mx present, absent]",
        "`GET dns`, `POST dns`",
        "show or set the DNS records of a domain, which verification reads",
        _dns_arguments,
        _dns,
    ),
    "results": Control(
        "seed, preview ID JSON",
        "`POST results`",
        "set the result of a seed test or a preview",
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
        "save the account to FILE",
        _snapshot_arguments,
        lambda _: ("GET", "snapshot", None),
    ),
    "restore": Control("FILE", "`POST restore`", "load the account from FILE", _restore_arguments, _restore),
}


def control(arguments: Options) -> int:
    """Send the action to the simulator at `arguments.url` and print the response. Return FAILED if it was refused."""
    _check_flags(arguments)
    method, route, body = CONTROLS[arguments.action].request(arguments)
    key = arguments.key or "simulator"
    try:
        if arguments.action == "snapshot":
            _save(arguments.file, download(arguments.url, key, route))
        else:
            as_json(_in_new_words(request(arguments.url, key, method, route, body)))
    except SimulatorError as error:
        note(f"mailgun-mcp simulator {arguments.action}: {error}")
        return FAILED
    finally:
        if hasattr(body, "close"):
            body.close()
    return OK


def _check_flags(arguments: Options) -> None:
    """Raise SettingsError if a flag for starting a simulator precedes the action, where it has no effect."""
    for name, default in arguments.starting.items():
        if name not in ("key", "action") and getattr(arguments, name) != default:
            flag = {"control": "no-control"}.get(name, name.replace("_", "-"))
            raise SettingsError(f"--{flag} is for starting a simulator; it has no effect on `{arguments.action}`")


def _save(name: str, parts: Iterator[bytes]) -> None:
    from mailgun_mcp.text.atomic_write import write_file

    if name == "-":
        sys.stdout.buffer.writelines(parts)
        return
    try:
        write_file(Path(name).expanduser(), parts)
        out(f"Saved the account to {name}.")
    except OSError as error:
        raise SettingsError(f"cannot write {name}: {reason_of(error)}") from error
