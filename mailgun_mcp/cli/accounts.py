"""List and rename the accounts that servers were used with, and accept a new API key for one.

Everything that is kept belongs to one account: approvals, grants, counters, copies for undo, and secrets.
"""

import argparse
from collections.abc import Iterable
from contextlib import closing

from mailgun_mcp.app.account_settings import account_settings
from mailgun_mcp.cli import personal_keys
from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.output import as_json, out, table
from mailgun_mcp.cli.parser import STATE_SETTINGS, Parser, add_settings, open_store, settings_given
from mailgun_mcp.cli.recorded_commands import recorded
from mailgun_mcp.errors import UnknownNameError
from mailgun_mcp.identity.account import SHOWN
from mailgun_mcp.identity.accounts import Accounts, StoredAccount, StoredKey
from mailgun_mcp.settings import SettingsError, load, shell_command
from mailgun_mcp.store.database import Store
from mailgun_mcp.text.durations import iso

ACTIONS = {
    "list": "list the accounts with the fingerprints of their API keys, the keys that wait, and configured accounts that were never used",
    "accept": "accept a new API key for an account",
    "rename": "give an account another name",
    "remove-key": "remove the Mailgun key that a person stored for themselves",
    "encrypt-keys": "encrypt people's own keys with the first encryption key, after you have put a new one first",
}
UNUSED: dict[str, object] = {"name": "", "id": None, "created": None, "keys": [], "waiting": []}
"""The record of an account that was never used. Records of personal keys take the fields that they lack from it."""
EXAMPLES = """\
  mailgun-mcp accounts list
  mailgun-mcp accounts rename us production
  mailgun-mcp accounts accept production
  mailgun-mcp accounts remove-key ann@example.com
  mailgun-mcp accounts encrypt-keys"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(
        title="actions", dest="action", required=True, metavar="ACTION", parser_class=Parser
    )
    added = {name: actions.add_parser(name, help=help_text) for name, help_text in ACTIONS.items()}
    added["list"].add_argument("--json", action="store_true", help="as JSON")
    for name in ("accept", "rename"):
        added[name].add_argument("name", metavar="NAME", help="name of the account")
    added["remove-key"].add_argument(
        "principal", metavar="PRINCIPAL", help="the person, as approvals and the log name them"
    )
    added["accept"].add_argument(
        "--key", metavar="FINGERPRINT", help="the key, if several wait; its first characters do"
    )
    added["accept"].add_argument(
        "--from",
        dest="source",
        metavar="NAME",
        help="another account that is the same one with another key: its keys and everything stored for it are moved",
    )
    added["rename"].add_argument("new", metavar="NEW", help="the new name")
    for action in added.values():
        add_settings(action, only=STATE_SETTINGS)
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {
        "list": _list,
        "accept": _accept,
        "rename": _rename,
        "remove-key": personal_keys.remove,
        "encrypt-keys": personal_keys.encrypt,
    }
    with closing(open_store(arguments)) as store, recorded(store, "accounts", arguments):
        actions[arguments.action](store, arguments)
    return OK


def _list(store: Store, arguments: argparse.Namespace) -> None:
    accounts = Accounts(store).list() if store.exists else ()
    unused = _unused(accounts, arguments)
    if arguments.json:
        never_used = ({**UNUSED, "name": name} for name in unused)
        own = ({**UNUSED, **record} for record in personal_keys.records(store))
        as_json([*map(_record, accounts), *never_used, *own])
        return
    rows = [
        *(row for account in accounts for row in _rows(account)),
        *((name, "never used", "", "", "") for name in unused),
        *personal_keys.rows(store),
    ]
    if not rows:
        out(f"No accounts in {store.name}. A server adds its own at its first call.")
    else:
        table(rows)
        for name in (account.name for account in accounts if account.waiting):
            out(
                f"A key is waiting for {name}. Accept it with: "
                f"{shell_command('accounts', 'accept', name, state=store.command_directory)}"
            )


def _unused(accounts: Iterable[StoredAccount], arguments: argparse.Namespace) -> list[str]:
    """Return the names of the configured accounts in which no server has made a call."""
    settings = load(settings_given(arguments))
    names: list[str | None] = [account.name for account in account_settings(settings)] or [settings.account]
    used = {account.name for account in accounts}
    return [name for name in names if name is not None and name not in used]


def _rows(account: StoredAccount) -> list[tuple[str, ...]]:
    keys = [(key, "") for key in account.keys]
    waiting = [(key, "waits") for key in account.waiting]
    return [
        (account.name, f"key {key.fingerprint[:SHOWN]}", key.endpoint, f"since {iso(key.first_used)}", state)
        for key, state in [*keys, *waiting]
    ]


def _record(account: StoredAccount) -> dict[str, object]:
    return {
        "name": account.name,
        "id": account.id,
        "created": iso(account.created),
        "keys": [_key(key) for key in account.keys],
        "waiting": [_key(key) for key in account.waiting],
    }


def _key(key: StoredKey) -> dict[str, str]:
    return {"fingerprint": key.fingerprint, "endpoint": key.endpoint, "first_used": iso(key.first_used)}


def _accept(store: Store, arguments: argparse.Namespace) -> None:
    accounts = _accounts_in(store, arguments.name)
    if arguments.source is not None:
        if arguments.key is not None:
            raise SettingsError("--key and --from exclude each other: all keys of the other account are accepted")
        keys = accounts.accept_from(arguments.name, arguments.source)
        out(f"{arguments.source} is now {arguments.name}: {_described(*keys)} and everything that was stored for it.")
    else:
        key = accounts.accept(arguments.name, fingerprint=arguments.key)
        out(f"Accepted: {_described(key)} opens {arguments.name}.")


def _rename(store: Store, arguments: argparse.Namespace) -> None:
    _accounts_in(store, arguments.name).rename(arguments.name, arguments.new)
    out(
        f"Renamed: {arguments.name} is now {arguments.new}. A server with --account {arguments.name} needs the new name."
    )


def _accounts_in(store: Store, name: str) -> Accounts:
    if not store.exists:
        raise UnknownNameError(f"unknown account {name!r}: no server has used this state yet")
    return Accounts(store)


def _described(*keys: StoredKey) -> str:
    return ", ".join(f"the key {key.fingerprint[:SHOWN]} at {key.endpoint}" for key in keys)
