"""Read the journal of calls, check that nobody changed it, and remove what is old."""

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, get_args

from mailgun_mcp.audit.log import RENAMED_OUTCOMES, AuditLog, CallFilter, LoggedCall
from mailgun_mcp.cli.exits import FAILED, OK, USAGE
from mailgun_mcp.cli.output import as_json, out, table
from mailgun_mcp.cli.parser import Parser, add_settings, open_store
from mailgun_mcp.errors import Outcome, StateError, UnknownNameError
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.durations import duration, iso

ACTIONS = {
    "list": "list the calls, the newest last",
    "show": "show all that is recorded of a call",
    "tail": "print the last calls, and with --follow those to come",
    "export": "write calls as JSON lines or CSV",
    "verify": "walk along the chain and name the first broken link",
    "prune": "remove the oldest calls; what is left still verifies",
}
FILTERED = ("list", "tail", "export")
COLUMNS = (
    *(
        "id",
        "when",
        "tool",
        "risk",
        "outcome",
        "effect",
        "rule",
        "confirmed_by",
        "level",
        "method",
        "principal",
        "client",
    ),
    *("account", "region", "subaccount", "status", "attempts", "ms", "request_id", "undoes", "digest", "arguments"),
)
"""Of a CSV file."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS), parser_class=Parser)
    added = {name: actions.add_parser(name, help=help_text) for name, help_text in ACTIONS.items()}
    added["show"].add_argument("id", metavar="ID", help="id of the call")
    for name in FILTERED:
        _add_filters(added[name])
    for name in (*FILTERED, "show"):
        added[name].add_argument("--values", action="store_true", help="also the values of arguments, not only names")
    for name in ("list", "tail", "show", "verify"):
        added[name].add_argument("--json", action="store_true", help="as JSON")
    added["list"].add_argument("--limit", default="50", metavar="N", help="at most so many, the newest; default 50")
    added["tail"].add_argument("--count", default="10", metavar="N", help="so many of the last; default 10")
    added["tail"].add_argument("--follow", action="store_true", help="go on until interrupted")
    added["tail"].add_argument("--interval", default="1s", metavar="TIME", help="time between looks; default 1s")
    added["export"].add_argument("--format", default="jsonl", choices=("jsonl", "csv"), help="default jsonl")
    added["export"].add_argument("--output", default="-", metavar="FILE", help="default - for stdout")
    added["verify"].add_argument("--expect", metavar="HASH", help="a head that was noted before, and must be in it")
    added["prune"].add_argument("--before", metavar="TIME", help="calls older than this: 90d")
    added["prune"].add_argument("--megabytes", metavar="N", help="the oldest, until so much is left")
    added["prune"].add_argument("--dry-run", action="store_true", help="only tell how many entries would go")
    for action in added.values():
        add_settings(action, only=("state",))
        action.set_defaults(parser=action)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="TIME", help="at most so old: 24h")
    parser.add_argument("--until", metavar="TIME", help="at least so old")
    parser.add_argument("--tool", metavar="GLOB", help="of these tools: delete_*")
    parser.add_argument(
        "--risk", choices=("read", "write", "send", "destructive", "credential", "billing"), help="of this risk"
    )
    parser.add_argument(
        "--outcome",
        choices=get_args(Outcome),
        type=lambda outcome: RENAMED_OUTCOMES.get(outcome, outcome),
        help="with this outcome",
    )
    parser.add_argument("--principal", metavar="NAME", help="by this principal")
    # The old name, for one release.
    parser.add_argument("--caller", dest="principal", metavar="NAME", help=argparse.SUPPRESS)
    parser.add_argument("--account", metavar="NAME", help="in this account")


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {"list": _list, "show": _show, "tail": _tail, "export": _export, "verify": _verify, "prune": _prune}
    store = open_store(arguments)
    try:
        if not store.exists:
            out("Nothing is recorded.")
            return USAGE if arguments.action == "show" else OK
        return actions[arguments.action](AuditLog(store), arguments)
    except StateError as error:
        sys.stderr.write(f"mailgun-mcp audit: {error}\n")
        return USAGE if isinstance(error, UnknownNameError) else FAILED
    finally:
        store.close()


def _list(journal: AuditLog, arguments: argparse.Namespace) -> int:
    _print(_last(journal, arguments, _count("limit", arguments.limit)), arguments)
    return OK


def _last(journal: AuditLog, arguments: argparse.Namespace, most: int) -> list[LoggedCall]:
    found: list[LoggedCall] = []
    for call in journal.calls(_filter(arguments), newest_first=True):
        if len(found) == most:
            break
        found.append(call)
    return found[::-1]


def _print(calls: list[LoggedCall], arguments: argparse.Namespace) -> None:
    if arguments.json:
        for call in calls:
            out(json.dumps(record_of(call, values=arguments.values), ensure_ascii=False))
    elif calls:
        table([_row(call, values=arguments.values) for call in calls])
    elif arguments.action == "list":
        out("No call is recorded that matches.")


def _row(call: LoggedCall, *, values: bool) -> tuple[str, ...]:
    decision, confirmation = call.fields.get("decision", {}), call.fields.get("confirmation", {})
    said = f"{decision.get('effect', '')} {decision.get('rule', '')}".strip()
    by = f"yes of {confirmation['by']} ({confirmation['method']})" if confirmation else ""
    given = call.fields.get("arguments", {})
    told = json.dumps(given, ensure_ascii=False) if values else ",".join(given)
    return (iso(call.at), call.id, call.outcome, call.fields.get("tool", ""), said, by, told)


def _show(journal: AuditLog, arguments: argparse.Namespace) -> int:
    entries = journal.of_call(arguments.id)
    call = journal.call(arguments.id)
    record = record_of(call, values=arguments.values)
    if not arguments.json:
        width = max(map(len, record))
        for name, value in record.items():
            out(f"{name:<{width}}  {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
        for entry in entries:
            out(f"entry {entry.seq} ({entry.kind}) of {iso(entry.at)}: {entry.hash}")
    else:
        chain = [{"seq": entry.seq, "kind": entry.kind, "when": iso(entry.at), "hash": entry.hash} for entry in entries]
        as_json({**record, "entries": chain})
    return OK


def _tail(journal: AuditLog, arguments: argparse.Namespace) -> int:
    seconds = _duration("interval", arguments.interval)
    seq = journal.last
    _print(_last(journal, arguments, _count("count", arguments.count)), arguments)
    wanted = _filter(arguments)
    while arguments.follow:
        sys.stdout.flush()
        time.sleep(seconds)
        for entry in journal.entries(seq):
            seq = entry.seq
            # A call is told of once, when it is over.
            if entry.kind == "outcome" and wanted.takes(call := journal.call(entry.call)):
                _print([call], arguments)
    return OK


def _export(journal: AuditLog, arguments: argparse.Namespace) -> int:
    calls = journal.calls(_filter(arguments))
    records = (record_of(call, values=arguments.values) for call in calls)
    with _opened(arguments.output) as file:
        (_write_csv if arguments.format == "csv" else _write_lines)(records, file)
    return OK


@contextmanager
def _opened(name: str) -> Iterator[TextIO]:
    if name == "-":
        yield sys.stdout
        return
    try:
        # What calls were about is for the owner alone.
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"output: {name} cannot be made: {error.strerror or error}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        yield file


def _write_lines(records: Iterable[dict[str, Any]], file: TextIO) -> None:
    for record in records:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _write_csv(records: Iterable[dict[str, Any]], file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in records:
        decision, confirmation = record.get("decision", {}), record.get("confirmation", {})
        flat = {
            **record,
            "effect": decision.get("effect"),
            "rule": decision.get("rule"),
            "confirmed_by": confirmation.get("by"),
            "level": confirmation.get("level") or decision.get("level"),
            "method": confirmation.get("method"),
            "arguments": json.dumps(record["arguments"], ensure_ascii=False)
            if "arguments" in record
            else ",".join(record["argument_names"]),
        }
        writer.writerow([_cell(flat.get(name)) for name in COLUMNS])


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def record_of(call: LoggedCall, *, values: bool) -> dict[str, Any]:
    """Return a call as people and programs read it; `policy simulate` takes such lines. Arguments' values on request."""
    fields = {name: value for name, value in call.fields.items() if name != "arguments"}
    given = call.fields.get("arguments", {})
    arguments = {"arguments": given} if values else {"argument_names": list(given)}
    return {"id": call.id, "when": iso(call.at), **fields, **arguments, **call.result, "outcome": call.outcome}


def _verify(journal: AuditLog, arguments: argparse.Namespace) -> int:
    found = journal.verify(arguments.expect)
    if arguments.json:
        as_json({"entries": found.entries, "head": found.head, "broken": found.broken})
    elif found.broken:
        out(f"Broken: {found.broken}. The {found.entries:,} entries before it are whole.")
    else:
        out(f"{found.entries:,} entries, none changed, added or missing. Head: {found.head}")
    return FAILED if found.broken else OK


def _prune(journal: AuditLog, arguments: argparse.Namespace) -> int:
    if arguments.before is None and arguments.megabytes is None:
        raise SettingsError("give --before, --megabytes or both: nothing is removed otherwise")
    now = time.time()
    before = None if arguments.before is None else now - _duration("before", arguments.before)
    most = None if arguments.megabytes is None else _count("megabytes", arguments.megabytes) * 1024 * 1024
    count = journal.prune(now, before=before, most_bytes=most, dry_run=arguments.dry_run)
    out(f"{count:,} entries {'would be' if arguments.dry_run else 'were'} removed.")
    return OK


def _filter(arguments: argparse.Namespace) -> CallFilter:
    now = time.time()
    return CallFilter(
        since=None if arguments.since is None else now - _duration("since", arguments.since),
        until=None if arguments.until is None else now - _duration("until", arguments.until),
        tool=arguments.tool,
        risk=arguments.risk,
        outcome=arguments.outcome,
        principal=arguments.principal,
        account=arguments.account,
    )


def _duration(flag: str, text: str) -> float:
    try:
        return duration(text)
    except ValueError as error:
        raise SettingsError(f"--{flag}: {error}") from error


def _count(flag: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise SettingsError(f"--{flag}: {text!r} is not a whole number from 1 up")
    return int(text)
