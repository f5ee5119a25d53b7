"""List what calls removed or overwrote, show what was copied of it, and put it back: decided and confirmed like any call."""

import argparse
import json
import sys
import time
from itertools import islice

from mailgun_mcp.cli.exits import FAILED, OK, USAGE
from mailgun_mcp.cli.output import as_json, out, table
from mailgun_mcp.cli.parser import Parser, add_settings, open_store
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.database import Store
from mailgun_mcp.text.durations import iso
from mailgun_mcp.undo.snapshots import Snapshot, Snapshots

ACTIONS = {
    "list": "list the calls that can be undone, the newest first",
    "show": "show what was copied before a call",
    "apply": "undo a call; made again, it goes on where it broke off",
}
SHOWN = 50
FIELDS = ("id", "tool", "summary", "status", "outcome", "account", "endpoint", "subaccount", "records")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS), parser_class=Parser)
    added = {name: actions.add_parser(name, help=help_text) for name, help_text in ACTIONS.items()}
    for name in ("show", "apply"):
        added[name].add_argument("id", metavar="ID", help="id of the call")
    for name in ("list", "show"):
        added[name].add_argument("--json", action="store_true", help="as JSON")
        add_settings(added[name], only=("state",))
    added["list"].add_argument("--all", action="store_true", help="also what was undone")
    added["show"].add_argument("--all", action="store_true", help=f"everything, not only the first {SHOWN}")
    added["apply"].add_argument("--dry-run", action="store_true", help="only tell what would be done")
    add_settings(added["apply"])
    for action in added.values():
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    if arguments.action == "apply":
        from mailgun_mcp.catalogue.builtin_tools import UNDO_OPERATION
        from mailgun_mcp.cli.tools import call

        return call(arguments, UNDO_OPERATION, {"id": arguments.id, "dry_run": arguments.dry_run})
    store = open_store(arguments)
    try:
        return (_list if arguments.action == "list" else _show)(store, arguments)
    except StateError as error:
        sys.stderr.write(f"mailgun-mcp undo: {error}\n")
        return USAGE if isinstance(error, UnknownNameError) else FAILED
    finally:
        store.close()


def _list(store: Store, arguments: argparse.Namespace) -> int:
    kept = Snapshots(store).kept(time.time(), undone=arguments.all) if store.exists else ()
    if arguments.json:
        as_json([_record(found) for found in kept])
    elif kept:
        table([_row(found) for found in kept])
    else:
        out("Nothing can be undone.")
    return OK


def _row(found: Snapshot) -> tuple[str, ...]:
    state = found.status if found.status == "undone" else f"until {iso(found.until)}"
    return (found.id, iso(found.created), found.tool, found.summary, found.account, state)


def _record(found: Snapshot) -> dict[str, object]:
    told = {name: getattr(found, name) for name in FIELDS}
    return {**told, "created": iso(found.created), "until": iso(found.until)}


def _show(store: Store, arguments: argparse.Namespace) -> int:
    if not store.exists:
        raise UnknownNameError(f"unknown undo id {arguments.id!r}: nothing is kept")
    found = Snapshots(store).get(arguments.id, time.time())
    most = None if arguments.all else SHOWN
    things = [
        {"thing": resource, "in": dict(scope), "key": key, "value": value}
        for resource, scope, key, value, *_ in islice(Snapshots(store).entries(found.id, "before"), most)
    ]
    record = _record(found)
    if arguments.json:
        as_json({**record, "things": things})
        return OK
    for name, value in record.items():
        out(f"{name:<10}  {'' if value is None else value}")
    for thing in things:
        out(json.dumps(thing, ensure_ascii=False))
    more = found.records - len(things)
    if most is not None and more > 0:
        out(f"and {more:,} more: --all shows them")
    return OK
