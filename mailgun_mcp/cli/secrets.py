"""List, show and delete secrets that were withheld from the model, and change the key that seals them. No model can use this command."""

import argparse
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailgun_mcp.call.shared_secret_store import secrets_of
from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.output import as_json, note, out, table
from mailgun_mcp.cli.parser import STATE_SETTINGS, Parser, add_settings, open_store
from mailgun_mcp.identity.accounts import Accounts

if TYPE_CHECKING:
    from mailgun_mcp.call.secret_store import Secret
    from mailgun_mcp.store.database import Store

RENAMED = {"forget": "delete"}
EXAMPLES = """\
  mailgun-mcp secrets list
  mailgun-mcp secrets show key-4f7Qw
  mailgun-mcp secrets delete key-4f7Qw
  mailgun-mcp secrets reseal"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(
        title="actions", dest="action", required=True, metavar="ACTION", parser_class=Parser
    )
    listing = actions.add_parser("list", help="list the secrets, without their values")
    listing.add_argument("--json", action="store_true", help="as JSON")
    showing = actions.add_parser("show", help="write the value of a secret to stdout, and nothing else")
    deleting = actions.add_parser("delete", help="delete a secret permanently")
    for action in (showing, deleting):
        action.add_argument("ref", metavar="REF", help="reference from the result of the call")
    resealing = actions.add_parser(
        "reseal",
        help="seal everything in the database with the first key of --seal-keys, so that older keys can be removed",
    )
    for action in (listing, showing, deleting, resealing):
        add_settings(action, only=STATE_SETTINGS)
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {"list": _list, "show": _show, "delete": _delete, "reseal": _reseal}
    with closing(open_store(arguments)) as store:
        actions[arguments.action](store, arguments)
    return OK


def _list(store: "Store", arguments: argparse.Namespace) -> None:
    secrets = secrets_of(store).list()
    names = Accounts(store).names() if secrets else {}
    if arguments.json:
        as_json([_record(secret, names) for secret in secrets])
    elif not secrets:
        out(f"No secrets in {store.name}.")
    else:
        table([tuple(_record(secret, names).values()) for secret in secrets])


def _record(secret: "Secret", names: Mapping[str, str]) -> dict[str, str]:
    from mailgun_mcp.text.characters import clean

    created = datetime.fromtimestamp(secret.created, UTC).isoformat(timespec="seconds")
    return {
        "ref": secret.ref,
        "created": created,
        "account": names.get(secret.account, secret.account),
        "tool": secret.tool,
        # Field names come from Mailgun, and could contain terminal control characters.
        "field": clean(secret.place),
        "stored_in": secret.kept_in,
    }


def _show(store: "Store", arguments: argparse.Namespace) -> None:
    out(secrets_of(store).show(arguments.ref))


def _delete(store: "Store", arguments: argparse.Namespace) -> None:
    secrets_of(store).forget(arguments.ref)
    note(f"Deleted: {arguments.ref}.")


def _reseal(store: "Store", _: argparse.Namespace) -> None:
    from mailgun_mcp.call.reseal import reseal

    done = reseal(store)
    note(
        f"Sealed again with the first key: {done.count} of {done.total} values.\n"
        "Nothing in the database needs an older key any more. Questions that wait for an answer do, until they expire."
    )
