"""The tables of accounts: their names, and which API key opens which account.

An account is created when a key is first used. A name belongs to its key: a new key under an existing name waits until
the operator accepts it, so that nothing stored for one account is used in another.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.errors import AccountError, UnknownNameError
from mailgun_mcp.identity.account import SHOWN, Account
from mailgun_mcp.identity.adoption import adopt, move
from mailgun_mcp.settings import shell_command
from mailgun_mcp.store.connection import Connection
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.ids import new_id
from mailgun_mcp.text.suggest import unknown

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
Command = Callable[..., str]
"""Turns arguments of `mailgun-mcp accounts` into a command for a terminal."""
NAME_RULE = "use letters, digits, '.', '_' and '-', at most 63, the first a letter or digit"


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """The API key of a server, and the account that the server is started for."""

    endpoint: str
    region: str | None
    fingerprint: str
    name: str | None = None
    """The operator's name for the account; None if they gave none."""
    default_name: str = "default"
    """The account's name if the operator gave none."""
    former: str | None = "default"
    """Version 0.1's name for the account of every such key; None for an account that takes over nothing from it."""


@dataclass(frozen=True, slots=True)
class OpenedAccount:
    """The account of a key, and what changed when it was opened."""

    account: Account
    notice: str = ""
    """A message for the operator, to be shown once."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key that was used, identified by its fingerprint."""

    endpoint: str
    fingerprint: str
    account: str | None
    """The account's id; None while the key waits to be accepted."""
    wanted: str | None
    """The name of the account for which it waits."""
    first_used: float


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account, its keys, and the keys that wait to be accepted."""

    id: str
    name: str
    created: float
    keys: tuple[StoredKey, ...] = ()
    waiting: tuple[StoredKey, ...] = ()


class Accounts:
    """The tables of accounts and keys."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, key: KeyInUse, now: float) -> OpenedAccount:
        """Return the account of the key. It is created if neither the key nor the name is known.

        Raises AccountError if the operator's name for it belongs to another key, or the key to another name.
        """
        if key.name is not None:
            _check_name(key.name)
        if account := self.opened_by(key):
            return OpenedAccount(account)
        refusal: str | None = None
        with self._store.writing() as connection:
            account = _account_of(connection, key)
            if account is not None:
                refusal, notice = _rename_to_wanted(connection, account, key, self._command), ""
            elif key.name is not None and _id_of(connection, key.name) is not None:
                refusal, notice = _wait(connection, key, key.name, now, self._command), ""
            else:
                notice = _create(connection, key, now, self._command)
            account = _account_of(connection, key)
        if refusal is not None or account is None:
            raise AccountError(refusal or "the account cannot be opened")
        return OpenedAccount(account, notice)

    def opened_by(self, key: KeyInUse) -> Account | None:
        """Return the account that the key already opens under the wanted name, or None. Changes nothing."""
        with self._store.reading() as connection:
            account = _account_of(connection, key)
        return account if account is not None and key.name in (None, account.name) else None

    def list(self) -> tuple[StoredAccount, ...]:
        """Return all accounts, oldest first."""
        with self._store.reading() as connection:
            rows = connection.execute("SELECT * FROM accounts ORDER BY created, rowid").fetchall()
            keys = [_key(row) for row in connection.execute("SELECT * FROM account_keys ORDER BY first_used")]
        return tuple(
            StoredAccount(
                row["id"],
                row["name"],
                row["created"],
                tuple(key for key in keys if key.account == row["id"]),
                tuple(key for key in keys if key.account is None and key.wanted == row["name"]),
            )
            for row in rows
        )

    def names(self) -> dict[str, str]:
        """Return the current name of each account, by its id and by its former ids and names."""
        if not self._store.exists:
            return {}
        with self._store.reading() as connection:
            return {row["id"]: row["name"] for row in connection.execute("SELECT id, name FROM account_names")}

    def accept(self, name: str, *, fingerprint: str | None = None) -> StoredKey:
        """Let a key that waits for the account `name` open it, and return the key.

        `fingerprint`, or its beginning, chooses among several. Raises UnknownNameError, AccountError.
        """
        with self._store.writing() as connection:
            account = _find(connection, name)
            rows = connection.execute(
                "SELECT * FROM account_keys WHERE account IS NULL AND wanted = ? ORDER BY first_used", (name,)
            )
            waiting = [key for row in rows if (key := _key(row)).fingerprint.startswith(fingerprint or "")]
            if not waiting:
                raise AccountError(
                    f"no API key is waiting to be accepted for the account {name}: start a server with the new key and "
                    f"--account {name}, let it make one call, and try again"
                )
            if len(waiting) > 1:
                listed = ", ".join(f"{key.fingerprint[:SHOWN]} ({key.endpoint})" for key in waiting)
                raise AccountError(
                    f"{len(waiting)} API keys are waiting for the account {name}: choose with --key: {listed}"
                )
            _assign(connection, waiting[0], account)
        return waiting[0]

    def accept_from(self, name: str, other: str) -> tuple[StoredKey, ...]:
        """Move the keys of the account `other`, and everything stored for it, to the account `name`. Return the keys.

        The account `other` no longer exists then. Raises UnknownNameError, AccountError.
        """
        with self._store.writing() as connection:
            account, source = _find(connection, name), _find(connection, other)
            if account == source:
                raise AccountError(f"{name} and {other} are the same account")
            keys = tuple(
                _key(row) for row in connection.execute("SELECT * FROM account_keys WHERE account = ?", (source,))
            )
            for key in keys:
                _assign(connection, key, account)
            move(connection, source, account)
            connection.execute("DELETE FROM accounts WHERE id = ?", (source,))
        return keys

    def rename(self, name: str, new: str) -> None:
        """Rename the account. Raises UnknownNameError, and AccountError for a name that cannot be used."""
        _check_name(new)
        with self._store.writing() as connection:
            account = _find(connection, name)
            if new == name:
                return
            if _id_of(connection, new) is not None:
                raise AccountError(
                    f"{new} is a different account. If {name} is the same account with another API key, "
                    f"run `{self._command('accept', new, '--from', name)}`"
                )
            _set_name(connection, account, new)

    def _command(self, *words: str) -> str:
        return shell_command("accounts", *words, state=self._store.command_directory)


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise AccountError(f"{name!r} is not the name of an account: {NAME_RULE}")


def _account_of(connection: Connection, key: KeyInUse) -> Account | None:
    row = connection.execute(
        """SELECT accounts.id, accounts.name FROM account_keys JOIN accounts ON accounts.id = account_keys.account
        WHERE endpoint = ? AND fingerprint = ?""",
        (key.endpoint, key.fingerprint),
    ).fetchone()
    return None if row is None else Account(row["name"], key.endpoint, key.region, key.fingerprint, row["id"])


def _create(connection: Connection, key: KeyInUse, now: float, command: Command) -> str:
    """Create an account for the key, and give it what version 0.1 left. Return a message for the operator."""
    name = key.name or _free_name(connection, key.default_name)
    account = new_id(10)
    connection.execute(
        "INSERT INTO accounts (id, name, named, created) VALUES (?, ?, ?, ?)",
        (account, name, int(key.name is not None), now),
    )
    connection.execute(
        """INSERT INTO account_keys (endpoint, fingerprint, account, wanted, first_used) VALUES (?, ?, ?, NULL, ?)
        ON CONFLICT (endpoint, fingerprint) DO UPDATE SET account = excluded.account, wanted = NULL""",
        (key.endpoint, key.fingerprint, account, now),
    )
    adopted = adopt(connection, account, former=key.former, endpoint=key.endpoint) if key.former is not None else ""
    if adopted:
        return (
            f"data that an earlier version stored without an account ({adopted}) now belongs to the account {name}, "
            "which was the first to open it"
        )
    others = connection.execute("SELECT count(*) FROM accounts WHERE id != ?", (account,)).fetchone()[0]
    if others and key.name is None and key.former is not None:
        return (
            f"the API key {key.fingerprint[:SHOWN]} is new here, so it opens a new account, {name}. If it replaces the "
            f"key of another account, run `{command('accept', 'NAME', '--from', name)}`"
        )
    return ""


def _wait(connection: Connection, key: KeyInUse, name: str, now: float, command: Command) -> str:
    """Make the key wait to be accepted, and return what the operator can do."""
    connection.execute(
        """INSERT INTO account_keys (endpoint, fingerprint, account, wanted, first_used) VALUES (?, ?, NULL, ?, ?)
        ON CONFLICT (endpoint, fingerprint) DO UPDATE SET wanted = excluded.wanted""",
        (key.endpoint, key.fingerprint, name, now),
    )
    return (
        f"the account {name} was used with another API key or endpoint until now. If you changed its key, run "
        f"`{command('accept', name)}`. If this is another account, give it a name of its own with --account"
    )


def _rename_to_wanted(connection: Connection, account: Account, key: KeyInUse, command: Command) -> str | None:
    """Rename an account to the operator's current name for it, or return why that is impossible."""
    if key.name is None or account.name == key.name:
        return None
    row = connection.execute("SELECT named FROM accounts WHERE id = ?", (account.id,)).fetchone()
    if row["named"] or _id_of(connection, key.name) is not None:
        return (
            f"this API key belongs to the account {account.name}, not to {key.name}: start the server with "
            f"--account {account.name}, or run `{command('rename', account.name, key.name)}`"
        )
    _set_name(connection, account.id, key.name)
    return None


def _set_name(connection: Connection, account: str, name: str) -> None:
    old = connection.execute("SELECT name FROM accounts WHERE id = ?", (account,)).fetchone()["name"]
    connection.execute("UPDATE accounts SET name = ?, named = 1 WHERE id = ?", (name, account))
    connection.execute("UPDATE account_keys SET wanted = ? WHERE wanted = ?", (name, old))


def _assign(connection: Connection, key: StoredKey, account: str) -> None:
    connection.execute(
        "UPDATE account_keys SET account = ?, wanted = NULL WHERE endpoint = ? AND fingerprint = ?",
        (account, key.endpoint, key.fingerprint),
    )


def _free_name(connection: Connection, name: str) -> str:
    number = 1
    while _id_of(connection, numbered := name if number == 1 else f"{name}-{number}") is not None:
        number += 1
    return numbered


def _id_of(connection: Connection, name: str) -> str | None:
    row = connection.execute("SELECT id FROM accounts WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["id"])


def _find(connection: Connection, name: str) -> str:
    account = _id_of(connection, name)
    if account is None:
        names = [row["name"] for row in connection.execute("SELECT name FROM accounts")]
        raise UnknownNameError(unknown("account", name, names))
    return account


def _key(row: Any) -> StoredKey:
    return StoredKey(**dict(row))
