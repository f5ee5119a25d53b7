"""Answer the calls that are held for a person, and allow calls for a while. No model can reach this."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, get_args

from mailgun_mcp.cli.exits import FAILED, OK, USAGE
from mailgun_mcp.cli.output import as_json, out, table
from mailgun_mcp.cli.parser import Parser, add_settings, open_store
from mailgun_mcp.confirm.approvals import Approval, Approvals, ApprovalStatus
from mailgun_mcp.confirm.grants import Grants
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.store.database import Store
from mailgun_mcp.text.durations import iso

if TYPE_CHECKING:
    from mailgun_mcp.confirm.grants import Grant

ACTIONS = {
    "list": "list the calls that wait for an answer",
    "show": "show a held call as it would be made",
    "approve": "say yes to a held call: the same call, made again, runs once",
    "deny": "say no to a held call",
    "watch": "print held calls as they come, until interrupted",
    "elevate": "allow, for a while, the calls that match",
    "elevations": "list what is allowed for a while",
    "revoke": "end an elevation",
}
NAMED = {"show": "approval", "approve": "approval", "deny": "approval", "revoke": "elevation"}
ANSWERING = ("approve", "deny", "elevate")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS), parser_class=Parser)
    added = {name: actions.add_parser(name, help=help_text) for name, help_text in ACTIONS.items()}
    for name, kind in NAMED.items():
        added[name].add_argument("id", metavar="ID", help=f"id of the {kind}")
    for name in ANSWERING:
        added[name].add_argument("--by", metavar="NAME", help="who answers; default the user of the system")
    for name in ("list", "show", "watch", "elevations"):
        added[name].add_argument("--json", action="store_true", help="as JSON")
    statuses = (*get_args(ApprovalStatus), "all")
    added["list"].add_argument("--status", default="pending", choices=statuses, help="default pending")
    added["approve"].add_argument("--typed", metavar="NAME", help="the name to type, where the call asks for it")
    added["watch"].add_argument("--interval", default="1s", metavar="TIME", help="time between looks; default 1s")
    added["watch"].add_argument("--count", metavar="N", help="end after so many calls")
    added["elevate"].add_argument(
        "--match",
        required=True,
        metavar="KEY=GLOB,...",
        help='as in a policy: "tool=delete_*,domain=staging.*", or JSON',
    )
    added["elevate"].add_argument("--for", dest="span", default="15m", metavar="TIME", help="up to 24h; default 15m")
    for action in added.values():
        add_settings(action, only=("state",))
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {
        "list": _list,
        "show": _show,
        "approve": _approve,
        "deny": _deny,
        "watch": _watch,
        "elevate": _elevate,
        "elevations": _elevations,
        "revoke": _revoke,
    }
    store = open_store(arguments)
    try:
        actions[arguments.action](store, arguments)
    except StateError as error:
        sys.stderr.write(f"mailgun-mcp approvals: {error}\n")
        return USAGE if isinstance(error, UnknownNameError) else FAILED
    finally:
        store.close()
    return OK


def _list(store: Store, arguments: argparse.Namespace) -> None:
    now = time.time()
    status = None if arguments.status == "all" else arguments.status
    held = Approvals(store).list(now, status)
    if arguments.json:
        as_json([approval.record for approval in held])
    elif not held:
        out("No call is held." if status is None else f"No call is {status}.")
    else:
        table([_row(approval, now) for approval in held])


def _row(approval: Approval, now: float) -> tuple[str, ...]:
    when = f"{_span(approval.expires - now)} left" if approval.status in ("pending", "approved") else ""
    return (approval.id, approval.status, approval.level, approval.tool, approval.account, approval.caller, when)


def _show(store: Store, arguments: argparse.Namespace) -> None:
    now = time.time()
    approval = Approvals(store).get(arguments.id, now)
    as_json(approval.record) if arguments.json else out(_told(approval, now))


def _told(approval: Approval, now: float) -> str:
    """Return the text of the form, between what state the call is in and how it is answered."""
    state = f"{approval.id}: {approval.status}"
    if approval.answers:
        state += "".join(f", {'yes' if said.yes else 'no'} of {said.by} at {iso(said.at)}" for said in approval.answers)
    if approval.status not in ("pending", "approved"):
        return f"{state}\n\n{approval.text}"
    left = f"Held at {iso(approval.created)}, {_span(approval.expires - now)} left."
    people = " Two people have to approve it." if approval.level == "two_people" else ""
    return f"{state}\n\n{approval.text}\n\n{left}{people}"


def _approve(store: Store, arguments: argparse.Namespace) -> None:
    now = time.time()
    approval = Approvals(store).get(arguments.id, now)
    typed = arguments.typed
    if approval.status == "pending":
        out(_told(approval, now))
        if approval.typed is not None and typed is None:
            typed = _typed(approval)
    # What the person thinks takes time, and the call may expire meanwhile.
    given = Approvals(store).approve(approval.id, by=_by(arguments), now=time.time(), typed=typed)
    if given.status == "approved":
        out(f"\nApproved by {given.people}. The same call, made again, runs once.")
    else:
        out(f"\nApproved by {given.people}. It needs the yes of one more person.")


def _typed(approval: Approval) -> str:
    if not sys.stdin.isatty():
        raise SettingsError(f"{approval.id} asks for the name of what it touches: add --typed NAME")
    sys.stdout.write("\nType the name: ")
    sys.stdout.flush()
    return sys.stdin.readline()


def _deny(store: Store, arguments: argparse.Namespace) -> None:
    denied = Approvals(store).deny(arguments.id, by=_by(arguments), now=time.time())
    out(f"Denied: {denied.title}. It is not made.")


def _watch(store: Store, arguments: argparse.Namespace) -> None:
    interval, count = _duration("interval", arguments.interval), _count(arguments.count)
    for number, approval in enumerate(_coming(store, interval), 1):
        out(json.dumps(approval.record, ensure_ascii=False) if arguments.json else f"{_told(approval, time.time())}\n")
        sys.stdout.flush()
        if number == count:
            return


def _coming(store: Store, interval: float) -> Iterator[Approval]:
    """Yield what is pending, and then what comes; never ends."""
    seen: set[str] = set()
    while True:
        pending = Approvals(store).list(time.time(), "pending")
        yield from (approval for approval in pending if approval.id not in seen)
        seen = {approval.id for approval in pending}
        time.sleep(interval)


def _elevate(store: Store, arguments: argparse.Namespace) -> None:
    now = time.time()
    match = _match(arguments.match)
    until = now + _duration("for", arguments.span)
    elevation = Grants(store).add(match, until=until, by=_by(arguments), now=now)
    out(f"{elevation.id}: calls that match {_matching(elevation)} are allowed until {iso(until)}.")
    out(f"End it with: mailgun-mcp approvals revoke {elevation.id}")


def _elevations(store: Store, arguments: argparse.Namespace) -> None:
    now = time.time()
    active = Grants(store).active(now)
    if arguments.json:
        as_json([{"id": one.id, "until": iso(one.until), "match": one.match, "by": one.by} for one in active])
    elif not active:
        out("Nothing is allowed for a while.")
    else:
        table([(one.id, f"{_span(one.until - now)} left", f"by {one.by}", _matching(one)) for one in active])


def _revoke(store: Store, arguments: argparse.Namespace) -> None:
    Grants(store).revoke(arguments.id, time.time())
    out(f"Ended: {arguments.id}.")


def _matching(elevation: "Grant") -> str:
    return json.dumps(elevation.match, ensure_ascii=False)


def _match(text: str) -> dict[str, Any]:
    """Return the match that is written as pairs or as JSON, held to what a policy's rule may say."""
    from mailgun_mcp.catalogue.catalogue import Catalogue
    from mailgun_mcp.policy.file.load import PolicyError, parse_policy, read_arguments

    try:
        match = read_arguments(text) if text.lstrip().startswith("{") else _pairs(text)
        policy = {"version": 1, "rules": [{"match": match, "decision": "allow"}]}
        parse_policy(json.dumps(policy), Catalogue.load(), "--match")
    except PolicyError as error:
        raise SettingsError(
            "; ".join(problem.replace("--match:1: ", "--match: ") for problem in error.problems)
        ) from error
    except ValueError as error:
        raise SettingsError(f"--match: {error}") from error
    if not match:
        raise SettingsError("--match: it matches every call; name at least one key, such as tool=delete_*")
    return match


def _pairs(text: str) -> dict[str, Any]:
    """Return `key=value,key=value`; a key that comes again adds a value."""
    found: dict[str, list[Any]] = {}
    for pair in text.split(","):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not (key and equals and value):
            raise ValueError(f"{pair.strip()!r} is not KEY=GLOB")
        found.setdefault(key, []).append({"true": True, "false": False}.get(value, value))
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def _duration(flag: str, text: str) -> float:
    from mailgun_mcp.text.durations import duration

    try:
        return duration(text)
    except ValueError as error:
        raise SettingsError(f"--{flag}: {error}") from error


def _count(text: str | None) -> int | None:
    if text is not None and not (text.isascii() and text.isdecimal() and int(text)):
        raise SettingsError(f"--count: {text!r} is not a whole number from 1 up")
    return None if text is None else int(text)


def _span(seconds: float) -> str:
    """Return a time as a person says it: the largest unit that does not say nothing."""
    whole = max(0, int(seconds))
    unit, size = next(
        (unit, size) for unit, size in (("h", 3600), ("min", 60), ("s", 1)) if whole >= 2 * size or size == 1
    )
    return f"{whole // size} {unit}"


def _by(arguments: argparse.Namespace) -> str:
    given: str | None = arguments.by
    return _user() if given is None else given


def _user() -> str:
    """Return who runs this, as the system knows, not as the environment says."""
    try:
        from pwd import getpwuid

        return getpwuid(os.geteuid()).pw_name
    except ImportError:  # pragma: no cover - not on Windows
        return os.getlogin()
    except KeyError:
        return f"uid {os.geteuid()}"
