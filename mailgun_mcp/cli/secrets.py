"""List, show and forget the secrets that were withheld from the model. No model can reach this."""

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailgun_mcp.cli.exits import FAILED, OK, USAGE
from mailgun_mcp.cli.output import out
from mailgun_mcp.cli.parser import Parser, add_settings, settings_given
from mailgun_mcp.errors import StateError, UnknownNameError

if TYPE_CHECKING:
    from mailgun_mcp.call.secret_store import Secret, SecretStore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|forget", parser_class=Parser)
    listing = actions.add_parser("list", help="list what is kept, without the values")
    listing.add_argument("--json", action="store_true", help="as JSON")
    showing = actions.add_parser("show", help="write the value of a secret, and nothing else, to stdout")
    forgetting = actions.add_parser("forget", help="remove a secret for good")
    for action in (showing, forgetting):
        action.add_argument("ref", metavar="REF", help="reference that the result of the call gave")
    for action in (listing, showing, forgetting):
        add_settings(action, only=("state",))
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {"list": _list, "show": _show, "forget": _forget}
    store = _store(arguments)
    try:
        actions[arguments.action](store, arguments)
    except StateError as error:
        sys.stderr.write(f"mailgun-mcp secrets: {error}\n")
        return USAGE if isinstance(error, UnknownNameError) else FAILED
    return OK


def _store(arguments: argparse.Namespace) -> "SecretStore":
    from mailgun_mcp import settings
    from mailgun_mcp.call.secret_store import SecretStore

    return SecretStore(settings.state_directory(settings.load(settings_given(arguments)).state))


def _list(store: "SecretStore", arguments: argparse.Namespace) -> None:
    kept = store.list()
    if arguments.json:
        out(json.dumps([_record(secret) for secret in kept], ensure_ascii=False, indent=2))
    elif not kept:
        out("No secret is kept.")
    else:
        rows = [tuple(map(str, _record(secret).values())) for secret in kept]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            out("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _record(secret: "Secret") -> dict[str, str]:
    from mailgun_mcp.text.characters import clean

    created = datetime.fromtimestamp(secret.created, UTC).isoformat(timespec="seconds")
    return {
        "ref": secret.ref,
        "created": created,
        "account": secret.account,
        "tool": secret.tool,
        # Names in an answer are Mailgun's, and this is a terminal.
        "place": clean(secret.place),
        "kept_in": secret.kept_in,
    }


def _show(store: "SecretStore", arguments: argparse.Namespace) -> None:
    out(store.show(arguments.ref))


def _forget(store: "SecretStore", arguments: argparse.Namespace) -> None:
    store.forget(arguments.ref)
    sys.stderr.write(f"{arguments.ref} is forgotten.\n")
