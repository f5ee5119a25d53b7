"""Counters for the policy: values used once, sends, spending, and who has seen third-party text."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import ClassVar

from mailgun_mcp.policy.history import HOUR
from mailgun_mcp.store.connection import Connection
from mailgun_mcp.store.database import MONTHS, Store

NEWEST = 2**63 - 1
"""Higher than any row number."""
EVERY_ACCOUNT = "*"
"""The account in a mark that applies to all accounts."""


class Nonces:
    """Values that can be used only once, across all processes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def burn(self, nonce: str, expires: float, now: float) -> bool:
        """Return whether this is the first use of `nonce`, and not later than `expires`."""
        if expires <= now:
            return False
        with self._store.writing(lock="nonces") as connection:
            connection.execute("DELETE FROM nonces WHERE expires <= ?", (now,))
            done = connection.execute(
                "INSERT INTO nonces (nonce, expires) VALUES (?, ?) ON CONFLICT DO NOTHING", (nonce, expires)
            )
        return done.rowcount == 1


class _Counter:
    """A table with one row for each call that counts toward a limit. The row is written before the call is made."""

    table: ClassVar[str]
    key: ClassVar[str] = "id"
    keep: ClassVar[float] = 2 * HOUR
    """How long a row is kept, in seconds."""
    durable: ClassVar[bool] = True

    def __init__(self, store: Store) -> None:
        self._store = store

    def forget(self, row: int) -> None:
        """Remove the row of a call that was not made."""
        with self._writing("taken back") as connection:
            connection.execute(f"DELETE FROM {self.table} WHERE {self.key} = ?", (row,))  # noqa: S608 - our own names

    def _record(self, counted_for: str, now: float, values: Mapping[str, str | float]) -> int:
        """Write a row, and return its number.

        Two concurrent calls that count together have one lock, so the one with the higher number sees the other.
        """
        columns, places = ", ".join([*values, "at"]), ", ".join("?" * (len(values) + 1))
        with self._writing(counted_for) as connection:
            connection.execute(f"DELETE FROM {self.table} WHERE at < ?", (now - self.keep,))  # noqa: S608 - our own names
            row = connection.execute(
                f"INSERT INTO {self.table} ({columns}) VALUES ({places}) RETURNING {self.key}",  # noqa: S608 - as above
                (*values.values(), now),
            ).fetchone()
        return int(row[0])

    def _total(
        self, amount: str, since: float, before: int, of: Mapping[str, str], *, inclusive: bool = False
    ) -> float:
        """Return the total of `amount` since a time, of the rows with these values and a number below `before`."""
        conditions = " AND ".join(
            [f"at {'>=' if inclusive else '>'} ?", f"{self.key} < ?", *(f"{name} = ?" for name in of)]
        )
        query = f"SELECT coalesce(sum({amount}), 0) FROM {self.table} WHERE {conditions}"  # noqa: S608 - our own names
        with self._store.reading() as connection:
            return float(connection.execute(query, (since, before, *of.values())).fetchone()[0])

    def _writing(self, lock: str) -> AbstractContextManager[Connection]:
        return self._store.writing(durable=self.durable, lock=f"{self.table.replace('_', ' ')} {lock}")


class Sends(_Counter):
    """How many recipients each send had."""

    table = "sends"
    key = "rowid"
    keep = MONTHS

    def record(self, account: str, principal: str, digest: str, recipients: int, now: float) -> int:
        """Count a send. Returns the row number for `forget`."""
        values: dict[str, str | float] = {"account": account, "principal": principal, "digest": digest}
        values["recipients"] = recipients
        return self._record(account, now, values)

    def recipients_since(
        self, account: str, since: float, before: int = NEWEST, *, principal: str | None = None
    ) -> int:
        """Return the number of recipients of all sends after `since`, by the account or by one principal in it.

        Only sends recorded before the row `before` count.
        """
        of = {"account": account} if principal is None else {"account": account, "principal": principal}
        return int(self._total("recipients", since, before, of))

    def last(self, account: str, digest: str, before: int = NEWEST) -> float | None:
        """Return when the same request was last sent, among those recorded before the row `before`, or None."""
        with self._store.reading() as connection:
            cursor = connection.execute(
                "SELECT max(at) FROM sends WHERE account = ? AND digest = ? AND rowid < ?", (account, digest, before)
            )
            at = cursor.fetchone()[0]
        return None if at is None else float(at)


class AddressChanges(_Counter):
    """How many addresses each call put on suppression lists, mailing lists and routes. Only the last hour is kept."""

    table = "address_changes"

    def record(self, account: str, addresses: int, now: float, *, route: str | None = None) -> int:
        """Count the addresses of a call, and note the route that it makes. Returns the row number for `forget`."""
        values: dict[str, str | float] = {"account": account, "addresses": addresses}
        if route is not None:
            values["route"] = route
        return self._record(account, now, values)

    def since(self, account: str, since: float, before: int = NEWEST) -> int:
        """Return how many addresses were counted for the account after `since`, before the row `before`."""
        return int(self._total("addresses", since, before, {"account": account}))

    def routes(self, account: str, since: float, before: int = NEWEST) -> list[str]:
        """Return the routes noted for the account after `since`, before the row `before`."""
        query = "SELECT route FROM address_changes WHERE account = ? AND at > ? AND id < ? AND route IS NOT NULL"
        with self._store.reading() as connection:
            return [str(row["route"]) for row in connection.execute(query, (account, since, before)).fetchall()]


class Calls(_Counter):
    """How many calls each principal made. Only the last hour is kept, and only where the policy limits calls."""

    table = "calls"
    durable = False

    def record(self, account: str, principal: str, now: float) -> int:
        """Count a call. Returns the row number for `forget`."""
        return self._record(f"{account} {principal}", now, {"account": account, "principal": principal})

    def since(self, account: str, principal: str, since: float, before: int = NEWEST) -> int:
        """Return how many calls the principal made in the account after `since`, recorded before the row `before`."""
        return int(self._total("1", since, before, {"account": account, "principal": principal}))


class Spend(_Counter):
    """What billing calls cost."""

    table = "spend"
    key = "rowid"
    keep = MONTHS

    def record(self, account: str, amount: float, now: float) -> int:
        """Count a cost. Returns the row number for `forget`."""
        return self._record(account, now, {"account": account, "amount": amount})

    def since(self, account: str, since: float, before: int = NEWEST) -> float:
        """Return what the account has spent since `since`, as recorded before the row `before`."""
        return self._total("amount", since, before, {"account": account}, inclusive=True)


class Untrusted:
    """Who has seen third-party text. A mark stays until a person clears it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def mark(self, account: str, principal: str, now: float) -> None:
        """Record that `principal` has just seen third-party text from the account."""
        with self._store.writing(durable=False, lock="untrusted") as connection:
            connection.execute(
                """INSERT INTO untrusted (account, principal, at) VALUES (?, ?, ?)
                ON CONFLICT (account, principal) DO UPDATE
                SET at = CASE WHEN untrusted.at > excluded.at THEN untrusted.at ELSE excluded.at END""",
                (account, principal, now),
            )

    def marks(self) -> tuple[tuple[str, str, float], ...]:
        """Return the account, principal and time of each mark, newest first."""
        if not self._store.exists:
            return ()
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT account, principal, at FROM untrusted ORDER BY at DESC, principal"
            ).fetchall()
        return tuple((str(row["account"]), str(row["principal"]), float(row["at"])) for row in rows)

    def clear(self, principal: str | None = None) -> list[str]:
        """Remove the marks of `principal` in all accounts, or all marks. Returns whose marks were removed."""
        with self._store.writing(lock="untrusted") as connection:
            principals = [
                str(row["principal"])
                for row in connection.execute("SELECT DISTINCT principal FROM untrusted ORDER BY principal")
                if principal in (None, row["principal"])
            ]
            connection.executemany("DELETE FROM untrusted WHERE principal = ?", [(name,) for name in principals])
        return principals

    def last(self, account: str, principal: str) -> float | None:
        """Return when `principal` last saw third-party text from the account, or None."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT max(at) AS at FROM untrusted WHERE account IN (?, ?) AND principal = ?",
                (account, EVERY_ACCOUNT, principal),
            ).fetchone()
        return None if row["at"] is None else float(row["at"])
