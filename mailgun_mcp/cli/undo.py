"""List what calls removed or overwrote, show the saved copies, and restore them.

An undo is decided and confirmed like any call.
"""

import argparse
from collections.abc import Mapping
from contextlib import closing
from itertools import chain, islice
from typing import Any

from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.output import as_json, out, table
from mailgun_mcp.cli.parser import CALL_SETTINGS, STATE_SETTINGS, Parser, add_settings, open_store
from mailgun_mcp.cli.record_words import created, resource_lines, snapshot_lines
from mailgun_mcp.errors import UnknownNameError
from mailgun_mcp.identity.accounts import Accounts
from mailgun_mcp.store.database import Store
from mailgun_mcp.text.durations import iso
from mailgun_mcp.undo.records import Affected
from mailgun_mcp.undo.snapshots import Snapshot, Snapshots

ACTIONS = {
    "list": "list the calls that can be undone, newest first",
    "show": "show what was saved before a call",
    "apply": "undo a call; run it again to continue an undo that stopped half-way",
}
EXAMPLES = """\
  mailgun-mcp undo list
  mailgun-mcp undo show 3r5u7c6epswn
  mailgun-mcp undo apply 3r5u7c6epswn --dry-run"""
SHOWN = 50
FIELDS = ("id", "tool", "summary", "status", "outcome", "account", "endpoint", "subaccount", "records")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(
        title="actions", dest="action", required=True, metavar="ACTION", parser_class=Parser
    )
    added = {name: actions.add_parser(name, help=help_text) for name, help_text in ACTIONS.items()}
    for name in ("show", "apply"):
        added[name].add_argument("id", metavar="ID", help="id of the call")
    for name in ("list", "show"):
        added[name].add_argument("--json", action="store_true", help="as JSON")
        add_settings(added[name], only=STATE_SETTINGS)
    added["list"].add_argument("--all", action="store_true", help="also calls that were undone")
    added["show"].add_argument("--all", action="store_true", help=f"everything, not only the first {SHOWN}")
    added["apply"].add_argument("--dry-run", action="store_true", help="only show what would be done")
    added["apply"].add_argument("--json", action="store_true", help="the result as JSON, also in a terminal")
    add_settings(added["apply"], only=CALL_SETTINGS)
    for action in added.values():
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    if arguments.action == "apply":
        from mailgun_mcp.catalogue.builtin_tools import UNDO_OPERATION
        from mailgun_mcp.cli.tools import call

        return call(arguments, UNDO_OPERATION, {"id": arguments.id, "dry_run": arguments.dry_run})
    with closing(open_store(arguments)) as store:
        return (_list if arguments.action == "list" else _show)(store, arguments)


def _list(store: Store, arguments: argparse.Namespace) -> int:
    snapshots = Snapshots(store).list(store.clock(), undone=arguments.all) if store.exists else ()
    names = Accounts(store).names()
    if arguments.json:
        as_json([_record(snapshot, names) for snapshot in snapshots])
    elif snapshots:
        table([_row(snapshot, store, names) for snapshot in snapshots])
    else:
        out(f"Nothing can be undone: {store.name} contains no saved copies that are still valid.")
    return OK


def _row(snapshot: Snapshot, store: Store, names: Mapping[str, str]) -> tuple[str, ...]:
    state = snapshot.status if snapshot.status == "undone" else f"until {iso(snapshot.until)}"
    return (
        snapshot.id,
        iso(snapshot.created),
        snapshot.tool,
        snapshot.summary or created(map(_resource, Snapshots(store).affected(snapshot.id))),
        names.get(snapshot.account, snapshot.account),
        state,
    )


def _record(snapshot: Snapshot, names: Mapping[str, str]) -> dict[str, object]:
    fields = {name: getattr(snapshot, name) for name in FIELDS}
    account = names.get(snapshot.account, snapshot.account)
    return {**fields, "account": account, "created": iso(snapshot.created), "until": iso(snapshot.until)}


def _resource(affected: Affected) -> dict[str, Any]:
    ref = affected.ref
    return {"resource": ref.resource, "in": ref.where, "key": ref.key, "value": affected.value}


def _show(store: Store, arguments: argparse.Namespace) -> int:
    if not store.exists:
        raise UnknownNameError(f"unknown undo id {arguments.id!r}: no copies are saved")
    snapshot = Snapshots(store).get(arguments.id, store.clock())
    limit = None if arguments.all else SHOWN
    resources = [_resource(one) for one in islice(Snapshots(store).affected(snapshot.id), limit)]
    record = _record(snapshot, Accounts(store).names())
    if arguments.json:
        as_json({**record, "resources": resources})
        return OK
    for line in chain(snapshot_lines(record), *map(resource_lines, resources)):
        out(line)
    more = snapshot.records - len(resources)
    if limit is not None and more > 0:
        out(f"{more:,} more; --all shows them")
    return OK
