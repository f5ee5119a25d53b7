"""Read, verify and prune the audit log."""

import argparse
import csv
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TextIO, get_args

from mailgun_mcp.audit.heads import exported
from mailgun_mcp.audit.log import RENAMED_OUTCOMES, AuditLog, CallFilter, LoggedCall
from mailgun_mcp.audit.verify import Verification
from mailgun_mcp.cli.exits import FAILED, OK, USAGE
from mailgun_mcp.cli.flag_values import positive_integer, seconds
from mailgun_mcp.cli.output import as_json, out, table, visible_json
from mailgun_mcp.cli.parser import STATE_SETTINGS, Parser, add_settings, open_store
from mailgun_mcp.cli.record_words import call_lines
from mailgun_mcp.errors import Outcome, reason_of
from mailgun_mcp.identity.principal import login_user
from mailgun_mcp.settings import SettingsError
from mailgun_mcp.text.durations import iso

ACTIONS = {
    "list": "list the calls, newest last",
    "show": "show everything recorded about a call",
    "tail": "print the last calls, and with --follow new ones",
    "export": "write calls as JSON lines or CSV",
    "verify": "check the chain and name its first broken link",
    "prune": "remove the oldest calls; the rest can still be verified",
    "rotate-key": "sign new entries with a new key; the log records the change",
    "restart": "record why an older log or its key is missing, and continue",
}
RENAMED = {"--caller": "--principal"}
EXAMPLES = """\
  mailgun-mcp audit list --since 24h --tool "delete_*"
  mailgun-mcp audit show 3r5u7c6epswn --values
  mailgun-mcp audit tail --count 20
  mailgun-mcp audit export --since 30d --format csv --output calls.csv
  mailgun-mcp audit verify
  mailgun-mcp audit prune --before 90d --dry-run
  mailgun-mcp audit rotate-key
  mailgun-mcp audit restart --reason "the disk was replaced\""""
WITHOUT_A_DATABASE = ("verify", "restart")
"""Actions that also run without a database. For them, a missing log counts as a broken one."""
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
    "reached",
)
"""The columns of a CSV file."""
NEXT_STEPS = (
    "If calls were logged here, compare with heads that were exported (--heads or --expect), and restore the log or "
    "record why it is missing with `mailgun-mcp audit restart`. If not, verify again after the first call."
)
ELSEWHERE = (
    "Whoever can write the state directory can put back an older state with an older note: "
    "give --heads or --expect to compare with a head that was kept elsewhere."
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters that start a formula in a spreadsheet."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(
        title="actions", dest="action", required=True, metavar="ACTION", parser_class=Parser
    )
    added = {name: actions.add_parser(name, help=help_text) for name, help_text in ACTIONS.items()}
    added["show"].add_argument("id", metavar="ID", help="id of the call")
    for name in FILTERED:
        _add_filters(added[name])
    for name in (*FILTERED, "show"):
        added[name].add_argument(
            "--values", action="store_true", help="show the values of arguments, not only their names"
        )
    for name in ("list", "tail", "show", "verify"):
        added[name].add_argument("--json", action="store_true", help="as JSON")
    added["list"].add_argument(
        "--limit", default="50", metavar="N", help="show at most N calls, the newest; default 50"
    )
    added["tail"].add_argument("--count", default="10", metavar="N", help="show the last N calls; default 10")
    added["tail"].add_argument("--follow", action="store_true", help="continue until interrupted")
    added["tail"].add_argument("--interval", default="1s", metavar="TIME", help="time between checks; default 1s")
    added["export"].add_argument(
        "--format", default="jsonl", choices=("jsonl", "csv"), help="format of the output; default jsonl"
    )
    added["export"].add_argument("--output", default="-", metavar="FILE", help="file to create; default - for stdout")
    added["verify"].add_argument(
        "--expect", metavar="HASH", help="head of the chain from an earlier run, which the log must contain"
    )
    added["verify"].add_argument(
        "--heads",
        metavar="FILE",
        help="file of exported heads (audit: {heads: ...} in the policy); all must be in the log",
    )
    added["restart"].add_argument(
        "--reason", required=True, metavar="TEXT", help="the reason; everyone who verifies the log sees it"
    )
    added["restart"].add_argument("--by", metavar="NAME", help="your name; default: the user who runs the command")
    added["prune"].add_argument("--before", metavar="TIME", help="remove calls older than this, such as 90d")
    added["prune"].add_argument("--megabytes", metavar="N", help="remove the oldest calls until N megabytes are left")
    added["prune"].add_argument("--dry-run", action="store_true", help="only show how many entries would be removed")
    for action in added.values():
        add_settings(action, only=STATE_SETTINGS)
        action.set_defaults(parser=action)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="TIME", help="only calls newer than this, such as 24h")
    parser.add_argument("--until", metavar="TIME", help="only calls older than this")
    parser.add_argument("--tool", metavar="GLOB", help="only calls of these tools, such as delete_*")
    parser.add_argument(
        "--risk",
        choices=("read", "write", "send", "destructive", "credential", "billing"),
        help="only calls of this risk",
    )
    parser.add_argument(
        "--outcome",
        choices=get_args(Outcome),
        type=lambda outcome: RENAMED_OUTCOMES.get(outcome, outcome),
        help="only calls with this outcome",
    )
    parser.add_argument("--principal", metavar="NAME", help="only calls by this principal")
    parser.add_argument("--account", metavar="NAME", help="only calls in this account")


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {
        "list": _list,
        "show": _show,
        "tail": _tail,
        "export": _export,
        "verify": _verify,
        "prune": _prune,
        "rotate-key": _rotate_key,
        "restart": _restart,
    }
    _check_values(arguments)
    with closing(open_store(arguments)) as store:
        if not store.exists and arguments.action not in WITHOUT_A_DATABASE:
            return _without_entries(AuditLog(store), arguments)
        return actions[arguments.action](AuditLog(store), arguments)


def _without_entries(log: AuditLog, arguments: argparse.Namespace) -> int:
    """Say that there is nothing, or that there was something: the key or the noted head of a log is still there."""
    result = log.verify()
    if not result.nothing:
        out(f"Broken: {result.broken}.")
        return FAILED
    out(f"The audit log in {log.name} is empty.")
    return USAGE if arguments.action == "show" else OK


def _check_values(arguments: argparse.Namespace) -> None:
    """Refuse invalid values of flags, even if there is nothing to show yet."""
    if arguments.action in FILTERED:
        _filter(arguments)
    for name in ("limit", "count"):
        if name in arguments:
            positive_integer(name, getattr(arguments, name))
    for name in ("interval", "before"):
        if getattr(arguments, name, None) is not None:
            seconds(name, getattr(arguments, name))


def _list(log: AuditLog, arguments: argparse.Namespace) -> int:
    _print(_last(log, arguments, positive_integer("limit", arguments.limit)), arguments, log)
    return OK


def _last(log: AuditLog, arguments: argparse.Namespace, limit: int) -> list[LoggedCall]:
    calls: list[LoggedCall] = []
    for call in log.calls(_filter(arguments), newest_first=True):
        if len(calls) == limit:
            break
        calls.append(call)
    return calls[::-1]


def _print(calls: list[LoggedCall], arguments: argparse.Namespace, log: AuditLog) -> None:
    if arguments.json:
        for call in calls:
            out(visible_json(record_of(call, values=arguments.values)))
    elif calls:
        table([_row(call, values=arguments.values) for call in calls])
    elif arguments.action == "list":
        out(f"No call in the audit log in {log.name} matches.")


def _row(call: LoggedCall, *, values: bool) -> tuple[str, ...]:
    decision, confirmation = call.fields.get("decision", {}), call.fields.get("confirmation", {})
    effect_and_rule = f"{decision.get('effect', '')} {decision.get('rule', '')}".strip()
    confirmed_by = f"confirmed by {confirmation['by']} ({confirmation['method']})" if confirmation else ""
    arguments = call.fields.get("arguments", {})
    listing = visible_json(arguments) if values else ",".join(arguments)
    return (iso(call.at), call.id, call.outcome, call.fields.get("tool", ""), effect_and_rule, confirmed_by, listing)


def _show(log: AuditLog, arguments: argparse.Namespace) -> int:
    entries = log.of_call(arguments.id)
    call = log.call(arguments.id)
    record = record_of(call, values=arguments.values)
    if not arguments.json:
        for line in call_lines(record):
            out(line)
        for entry in entries:
            out(f"entry {entry.seq} ({entry.kind}), {iso(entry.at)}: {entry.hash}")
    else:
        chain = [{"seq": entry.seq, "kind": entry.kind, "when": iso(entry.at), "hash": entry.hash} for entry in entries]
        as_json({**record, "entries": chain})
    return OK


def _tail(log: AuditLog, arguments: argparse.Namespace) -> int:
    interval = seconds("interval", arguments.interval)
    seq = log.last
    _print(_last(log, arguments, positive_integer("count", arguments.count)), arguments, log)
    call_filter = _filter(arguments)
    while arguments.follow:
        sys.stdout.flush()
        time.sleep(interval)
        for entry in log.entries(seq):
            seq = entry.seq
            # Each call is printed once, when it has finished.
            if entry.kind == "outcome" and call_filter.takes(call := log.call(entry.call)):
                _print([call], arguments, log)
    return OK


def _export(log: AuditLog, arguments: argparse.Namespace) -> int:
    calls = log.calls(_filter(arguments))
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
        # The file may contain personal data, so only its owner may read it.
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"output: cannot create {name}: {reason_of(error)}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        yield file


def _write_lines(records: Iterable[dict[str, Any]], file: TextIO) -> None:
    for record in records:
        file.write(visible_json(record) + "\n")


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
            "arguments": visible_json(record["arguments"])
            if "arguments" in record
            else ",".join(record["argument_names"]),
            "reached": visible_json(record["reached"]) if "reached" in record else None,
        }
        writer.writerow([_cell(flat.get(name)) for name in COLUMNS])


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def record_of(call: LoggedCall, *, values: bool) -> dict[str, Any]:
    """Return a call as `audit` prints it and `policy replay` reads it. Without `values`, arguments have only names."""
    fields = {
        name: value for name, value in call.fields.items() if name != "arguments" and (values or name != "reached")
    }
    values_by_name = call.fields.get("arguments", {})
    arguments = {"arguments": values_by_name} if values else {"argument_names": list(values_by_name)}
    return {"id": call.id, "when": iso(call.at), **fields, **arguments, **call.result, "outcome": call.outcome}


def _verify(log: AuditLog, arguments: argparse.Namespace) -> int:
    heads = exported(Path(arguments.heads)) if arguments.heads else ()
    result = log.verify(arguments.expect, heads)
    if arguments.json:
        fields = {"entries": result.entries, "seq": result.seq, "head": result.head, "broken": result.broken}
        as_json(
            {
                **fields,
                "compared": [{**head.record, "source": head.source} for head in result.compared],
                "notes": list(result.notes),
            }
        )
    else:
        for line in _verified(result, log, elsewhere=bool(heads or arguments.expect)):
            out(line)
    return FAILED if result.broken else OK


def _verified(result: Verification, log: AuditLog, *, elsewhere: bool) -> Iterator[str]:
    """Yield the result for a person. `elsewhere` is whether the log was compared with heads that are not beside it."""
    if result.nothing:
        yield f"Not verified: the audit log in {log.name} has no entry: {result.broken}."
        yield NEXT_STEPS
    elif result.broken:
        yield f"Broken: {result.broken}." + f" The {result.entries:,} entries before it are intact." * bool(
            result.entries
        )
    else:
        yield f"{result.entries:,} entries; none was changed, added or removed. Head: {result.head}"
        for head in result.compared:
            yield f"It has entry {head.seq:,}, the head that was noted at {iso(head.at)} ({head.source})."
        if result.compared and not elsewhere:
            yield ELSEWHERE
    for note in result.notes:
        yield f"Note: {note}."


def _rotate_key(log: AuditLog, _: argparse.Namespace) -> int:
    key = log.rotate_key(log.clock())
    out(f"New entries are signed with the key {key.id}. Running servers use it from their next entry on.")
    return OK


def _restart(log: AuditLog, arguments: argparse.Namespace) -> int:
    log.restart(by=arguments.by or login_user().id, reason=arguments.reason, now=log.clock())
    out("The log continues with a new key. `mailgun-mcp audit verify` shows the reason from now on.")
    return OK


def _prune(log: AuditLog, arguments: argparse.Namespace) -> int:
    if arguments.before is None and arguments.megabytes is None:
        raise SettingsError("give --before, --megabytes or both")
    now = log.clock()
    before = None if arguments.before is None else now - seconds("before", arguments.before)
    most = None if arguments.megabytes is None else positive_integer("megabytes", arguments.megabytes) * 1024 * 1024
    count = log.prune(now, before=before, most_bytes=most, dry_run=arguments.dry_run)
    out(f"{count:,} entries {'would be' if arguments.dry_run else 'were'} removed.")
    return OK


def _filter(arguments: argparse.Namespace) -> CallFilter:
    now = time.time()
    return CallFilter(
        since=None if arguments.since is None else now - seconds("since", arguments.since),
        until=None if arguments.until is None else now - seconds("until", arguments.until),
        tool=arguments.tool,
        risk=arguments.risk,
        outcome=arguments.outcome,
        principal=arguments.principal,
        account=arguments.account,
    )
