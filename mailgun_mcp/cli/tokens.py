"""Make, list and revoke the tokens with which people and programs call an HTTP server.

A token has a name, by which policies, approvals and the audit log know its holder, and scopes, which say what it may
do. Running servers see a new or revoked token at once.
"""

import argparse
from contextlib import closing
from typing import Any

from mailgun_mcp.cli.exits import OK
from mailgun_mcp.cli.output import as_json, note, out, table
from mailgun_mcp.cli.parser import STATE_SETTINGS, Parser, add_settings, open_store, settings_given
from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.identity.access import APPROVE, SCOPES, Access, parse_scopes
from mailgun_mcp.identity.accounts import Accounts
from mailgun_mcp.identity.principal import login_user
from mailgun_mcp.identity.tokens import StoredToken, Tokens
from mailgun_mcp.settings import SettingsError, load
from mailgun_mcp.store.database import Store
from mailgun_mcp.text.durations import duration, iso
from mailgun_mcp.text.suggest import unknown

ACTIONS = {
    "new": "make a token; it is shown once",
    "list": "list the tokens, with their scopes and when they were last used",
    "revoke": "revoke a token at once",
}
EXAMPLES = """\
  mailgun-mcp tokens new ci --scopes read,send --domains mg.example.com --expires 90d
  mailgun-mcp tokens list
  mailgun-mcp tokens revoke ci"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", title="actions", parser_class=Parser
    )
    added = {name: actions.add_parser(name, help=help_text) for name, help_text in ACTIONS.items()}
    new = added["new"]
    new.add_argument("name", metavar="NAME", help="name of the token: the principal of its calls")
    listed = ", ".join(scope.partition(":")[2] for scope in SCOPES)
    new.add_argument("--scopes", required=True, metavar="A,B", help=f"what it may do: {listed}")
    new.add_argument("--accounts", metavar="A,B", help="accounts that it may use; default: all")
    new.add_argument(
        "--domains",
        metavar="A,B",
        help="domains that its calls may name, such as *.example.com; calls that name none are refused; default: all",
    )
    new.add_argument(
        "--expires", metavar="TIME", help="how long it is valid, such as 90d; default: until it is revoked"
    )
    new.add_argument(
        "--relay",
        action="store_true",
        help="let it deliver answers to approvals from people whom its program has authenticated, such as a chat bot",
    )
    added["list"].add_argument("--json", action="store_true", help="as JSON")
    added["revoke"].add_argument("name", metavar="NAME", help="name of the token")
    for action in added.values():
        add_settings(action, only=STATE_SETTINGS)
        action.set_defaults(parser=action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    actions = {"new": _new, "list": _list, "revoke": _revoke}
    with closing(open_store(arguments)) as store:
        actions[arguments.action](store, arguments)
    return OK


def _new(store: Store, arguments: argparse.Namespace) -> None:
    access = Access(
        parse_scopes(_names(arguments.scopes)),
        _globs("accounts", arguments.accounts),
        _globs("domains", arguments.domains),
        arguments.relay,
    )
    if not access.scopes:
        raise SettingsError("scopes: name at least one")
    if arguments.relay and APPROVE not in access.scopes:
        raise SettingsError("relay: the token needs the scope approve too")
    now, by = store.clock(), login_user().id
    token, text = Tokens(store).create(arguments.name, access, by=by, now=now, expires=_expiry(arguments.expires, now))
    try:
        _record(store, "tokens new", by, _described(token), now)
    except StateError:
        Tokens(store).revoke(token.name, now)
        raise
    out(text)
    accounts = _accounts(store, arguments) if access.accounts else []
    for name in (name for name in access.accounts or () if name not in accounts):
        note(
            f"Warning: {unknown('account', name, accounts)}. The token can be used there once a server "
            "has an account of that name. To change it, revoke the token and make another."
        )
    note(
        f"The token of {token.name}; it is not shown again. It may: {', '.join(access.listed_scopes)}. "
        "Clients send it as `Authorization: Bearer TOKEN`."
    )


def _accounts(store: Store, arguments: argparse.Namespace) -> list[str]:
    """Return the names of the accounts that were used, or that are configured."""
    settings = load(settings_given(arguments))
    configured = [*settings.accounts, *([settings.account] if settings.account else [])]
    used = [account.name for account in Accounts(store).list()] if store.exists else []
    return list(dict.fromkeys([*configured, *used]))


def _revoke(store: Store, arguments: argparse.Namespace) -> None:
    if not store.exists:
        raise UnknownNameError(unknown("token", arguments.name, (), none="no tokens exist"))
    now = store.clock()
    token = Tokens(store).revoke(arguments.name, now)
    _record(store, "tokens revoke", login_user().id, {"name": token.name, "token": token.id}, now)
    out(f"Revoked: {token.name}. Its next call is refused.")


def _list(store: Store, arguments: argparse.Namespace) -> None:
    tokens, now = Tokens(store).list(), store.clock()
    if arguments.json:
        as_json([_described(token) for token in tokens])
    elif not tokens:
        out("No tokens. `mailgun-mcp tokens new NAME --scopes read` makes one.")
    else:
        table([_row(token, now) for token in tokens])


def _row(token: StoredToken, now: float) -> tuple[str, ...]:
    state = "revoked" if token.revoked is not None else "valid" if token.is_valid(now) else "expired"
    access = token.access
    bounds = [f"accounts {', '.join(access.accounts)}"] if access.accounts is not None else []
    bounds += [f"domains {', '.join(access.domains)}"] if access.domains is not None else []
    bounds += ["relays for people"] if access.relay else []
    return (
        token.name,
        state,
        " ".join(access.listed_scopes),
        "; ".join(bounds),
        f"until {iso(token.expires)}" if token.expires is not None else "does not expire",
        f"last used {iso(token.last_used)}" if token.last_used is not None else "never used",
    )


def _described(token: StoredToken) -> dict[str, Any]:
    times = {name: getattr(token, name) for name in ("created", "expires", "last_used", "revoked")}
    return {
        "name": token.name,
        "token": token.id,
        "scopes": list(token.access.listed_scopes),
        "accounts": token.access.accounts,
        "domains": token.access.domains,
        "relay": token.access.relay or None,
        "created_by": token.created_by,
        **{name: None if at is None else iso(at) for name, at in times.items()},
    }


def _record(store: Store, command: str, by: str, details: dict[str, Any], now: float) -> None:
    """Record in the audit log who made or revoked which token. The record has the form of a call."""
    from mailgun_mcp.audit.entries import LogEntry
    from mailgun_mcp.audit.log import AuditLog, new_call_id

    arguments = {name: value for name, value in details.items() if value is not None}
    body = {"tool": command, "risk": "credential", "principal": by, "arguments": arguments}
    entry = LogEntry(new_call_id(), "outcome", {**body, "result": {"outcome": "done"}})
    AuditLog(store).append([entry], now, durable=True)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _globs(flag: str, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(_names(text))
    if not names:
        raise SettingsError(f"{flag}: name at least one, or leave the flag out")
    return names


def _expiry(text: str | None, now: float) -> float | None:
    try:
        return None if text is None else now + duration(text)
    except ValueError as error:
        raise SettingsError(f"expires: {error}") from error
