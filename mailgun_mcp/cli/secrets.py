"""List, show and delete secrets that were withheld from the model. No model can use this command."""

import argparse
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.output import as_json, note, out, table
from mailgun_mcp.cli.parser import Parser, add_settings, open_store, settings_given
from mailgun_mcp.identity.accounts import Accounts
from mailgun_mcp.settings import load, state_directory

if TYPE_CHECKING:
    from mailgun_mcp.call.secret_store import Secret, SecretStore

RENAMED = {"forget": "delete"}
EXAMPLES = """\
  mailgun-mcp secrets list
  mailgun-mcp secrets show key-4f7Qw
  mailgun-mcp secrets delete key-4f7Qw"""


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
    for action in (listing, showing, deleting):
        add_settings(action, only=("state",))
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {"list": _list, "show": _show, "delete": _delete}
    actions[arguments.action](_store(arguments), arguments)
    return OK


def _store(arguments: argparse.Namespace) -> "SecretStore":
    from mailgun_mcp.call.secret_store import SecretStore

    return SecretStore(state_directory(load(settings_given(arguments)).state))


def _list(store: "SecretStore", arguments: argparse.Namespace) -> None:
    secrets = store.list()
    with closing(open_store(arguments)) as state:
        names = Accounts(state).names() if secrets else {}
    if arguments.json:
        as_json([_record(secret, names) for secret in secrets])
    elif not secrets:
        out(f"No secrets in {state_directory(load(settings_given(arguments)).state)}.")
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
        # Names in a response come from Mailgun, and this may be a terminal.
        "field": clean(secret.place),
        "stored_in": secret.kept_in,
    }


def _show(store: "SecretStore", arguments: argparse.Namespace) -> None:
    out(store.show(arguments.ref))


def _delete(store: "SecretStore", arguments: argparse.Namespace) -> None:
    store.forget(arguments.ref)
    note(f"Deleted: {arguments.ref}.")
