"""Counters for the policy: values used once, sends, spending, and who has seen third-party text."""

from mailgun_mcp.policy.history import HOUR
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


class Sends:
    """How many recipients each send had."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, account: str, principal: str, digest: str, recipients: int, now: float) -> int:
        """Count a send. Returns the row number for `forget`."""
        # One lock per account: of two concurrent sends, the one with the higher row number sees the other.
        with self._store.writing(lock=f"sends {account}") as connection:
            connection.execute("DELETE FROM sends WHERE at < ?", (now - MONTHS,))
            done = connection.execute(
                "INSERT INTO sends (account, principal, digest, recipients, at) VALUES (?, ?, ?, ?, ?)",
                (account, principal, digest, recipients, now),
            )
            return int(done.lastrowid or 0)

    def forget(self, row: int) -> None:
        """Remove a send that was refused."""
        with self._store.writing(lock="sends taken back") as connection:
            connection.execute("DELETE FROM sends WHERE rowid = ?", (row,))

    def recipients_since(
        self, account: str, since: float, before: int = NEWEST, *, principal: str | None = None
    ) -> int:
        """Return the number of recipients of all sends after `since`, by the account or by one principal in it.

        Only sends recorded before the row `before` count.
        """
        with self._store.reading() as connection:
            cursor = connection.execute(
                """SELECT coalesce(sum(recipients), 0) FROM sends
                WHERE account = ? AND at > ? AND rowid < ? AND principal = coalesce(?, principal)""",
                (account, since, before, principal),
            )
            return int(cursor.fetchone()[0])

    def last(self, account: str, digest: str, before: int = NEWEST) -> float | None:
        """Return when the same request was last sent, among those recorded before the row `before`, or None."""
        with self._store.reading() as connection:
            cursor = connection.execute(
                "SELECT max(at) FROM sends WHERE account = ? AND digest = ? AND rowid < ?", (account, digest, before)
            )
            at = cursor.fetchone()[0]
        return None if at is None else float(at)


class AddressChanges:
    """How many addresses each call put on suppression lists, mailing lists and routes. Only the last hour is kept."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, account: str, addresses: int, now: float) -> int:
        """Count the addresses of a call. Returns the row number for `forget`."""
        # One lock per account: of two concurrent calls, the one with the higher row number sees the other.
        with self._store.writing(lock=f"address changes {account}") as connection:
            connection.execute("DELETE FROM address_changes WHERE at < ?", (now - 2 * HOUR,))
            row = connection.execute(
                "INSERT INTO address_changes (account, addresses, at) VALUES (?, ?, ?) RETURNING id",
                (account, addresses, now),
            ).fetchone()
        return int(row["id"])

    def forget(self, row: int) -> None:
        """Remove the addresses of a call that was not made."""
        with self._store.writing(lock="address changes taken back") as connection:
            connection.execute("DELETE FROM address_changes WHERE id = ?", (row,))

    def since(self, account: str, since: float, before: int = NEWEST) -> int:
        """Return how many addresses were counted for the account after `since`, before the row `before`."""
        with self._store.reading() as connection:
            row = connection.execute(
                """SELECT coalesce(sum(addresses), 0) AS addresses FROM address_changes
                WHERE account = ? AND at > ? AND id < ?""",
                (account, since, before),
            ).fetchone()
        return int(row["addresses"])


class Calls:
    """How many calls each principal made. Only the last hour is kept, and only where the policy limits calls."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, account: str, principal: str, now: float) -> int:
        """Count a call. Returns the row number for `forget`."""
        with self._store.writing(durable=False, lock=f"calls {account} {principal}") as connection:
            connection.execute("DELETE FROM calls WHERE at < ?", (now - 2 * HOUR,))
            row = connection.execute(
                "INSERT INTO calls (account, principal, at) VALUES (?, ?, ?) RETURNING id", (account, principal, now)
            ).fetchone()
        return int(row["id"])

    def forget(self, row: int) -> None:
        """Remove a call that was not made."""
        with self._store.writing(durable=False, lock="calls taken back") as connection:
            connection.execute("DELETE FROM calls WHERE id = ?", (row,))

    def since(self, account: str, principal: str, since: float, before: int = NEWEST) -> int:
        """Return how many calls the principal made in the account after `since`, recorded before the row `before`."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT count(*) AS calls FROM calls WHERE account = ? AND principal = ? AND at > ? AND id < ?",
                (account, principal, since, before),
            ).fetchone()
        return int(row["calls"])


class Spend:
    """What billing calls cost."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, account: str, amount: float, now: float) -> int:
        """Count a cost. Returns the row number for `forget`."""
        with self._store.writing(lock=f"spend {account}") as connection:
            connection.execute("DELETE FROM spend WHERE at < ?", (now - MONTHS,))
            done = connection.execute(
                "INSERT INTO spend (account, amount, at) VALUES (?, ?, ?)", (account, amount, now)
            )
            return int(done.lastrowid or 0)

    def forget(self, row: int) -> None:
        """Remove the cost of a call that was not made."""
        with self._store.writing(lock="spend taken back") as connection:
            connection.execute("DELETE FROM spend WHERE rowid = ?", (row,))

    def since(self, account: str, since: float, before: int = NEWEST) -> float:
        """Return what the account has spent since `since`, as recorded before the row `before`."""
        with self._store.reading() as connection:
            cursor = connection.execute(
                "SELECT coalesce(sum(amount), 0) FROM spend WHERE account = ? AND at >= ? AND rowid < ?",
                (account, since, before),
            )
            return float(cursor.fetchone()[0])


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
