"""The state in PostgreSQL, for many servers: the same tables and the same SQL as in SQLite.

Transactions take advisory locks, so that those with the same `lock` run one after another on all servers, as on SQLite.
Whether a commit waits for the disk is up to the database, except that `run_once` can do without. The database's clock is
used, because servers' clocks differ.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Event, RLock, local
from typing import TYPE_CHECKING, Any

from mailgun_mcp.errors import SettingsError, StateError
from mailgun_mcp.store.connection import Connection, Sealer
from mailgun_mcp.store.database import Store, newer
from mailgun_mcp.store.migrations import MIGRATIONS
from mailgun_mcp.store.postgresql_url import shown_url

if TYPE_CHECKING:
    import psycopg
    from psycopg_pool import ConnectionPool

    from mailgun_mcp.store.postgresql_driver import Statements

PATIENCE = 5.0
"""Seconds to wait for a connection, or for the lock of another transaction."""
ABANDONED = 30
"""Seconds after which the database ends a transaction whose server no longer responds."""
CONNECTIONS = 8
MOST_CONNECTIONS = CONNECTIONS + 3
"""Most connections of one server: the pool, plus one each for the audit log, notifications and `/readyz`."""
MISSING_EXTRA = (
    "state-url: PostgreSQL needs the extra `postgres`: pip install 'mailgun-mcp-server[postgres]', or "
    "uvx --from 'mailgun-mcp-server[postgres]' mailgun-mcp"
)
BEGIN = (
    f"BEGIN; SET LOCAL lock_timeout = {PATIENCE * 1000:.0f}; "
    f"SET LOCAL idle_in_transaction_session_timeout = {ABANDONED * 1000};"
)
WITHOUT_DISK = ", set_config('synchronous_commit', 'off', true)"
"""Added to what a SELECT reads from, for its own transaction. A later commit that waits for the disk includes this one."""
WHOLE = 0
"""The lock that every transaction takes: exclusively if it names no other lock, otherwise shared."""


class PostgresStore(Store):
    """The state in the database at `url`. Files that belong to this machine only are in `directory`."""

    retries = 3

    def __init__(self, directory: Path, url: str, sealer: Sealer, *, connections: int = CONNECTIONS) -> None:
        super().__init__(directory)
        self.sealer = self._sealer = sealer
        self._url = url
        self._connections = connections
        self._pool: ConnectionPool[Any] | None = None
        self._pool_lock = RLock()
        self._inside = local()
        """The transaction of the current thread."""
        self._offset = 0.0
        """How far the clock of the database is ahead, in seconds."""
        self._last_fault = ""
        """Why the last attempt to connect failed."""

    @property
    def exists(self) -> bool:
        """Whether anything may be stored here. Always True, because only the database could tell."""
        return True

    def reopened(self) -> Store:
        """Return the same state with a separate connection, which nothing else waits for."""
        return PostgresStore(self.directory, self._url, self._sealer, connections=1)

    @property
    def name(self) -> str:
        """The URL of the database, without the password."""
        return shown_url(self._url)

    @property
    def command_directory(self) -> Path | None:
        """None: commands find the state through their settings, because the URL can contain a password."""
        return None

    def clock(self) -> float:
        """Return the time of the database, based on the last time that it was asked."""
        return time.time() + self._offset

    def close(self) -> None:
        """Close the connections."""
        with self._pool_lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Provide a connection for reads. Inside a transaction of this thread, it is that of the transaction."""
        inside: Connection | None = getattr(self._inside, "statements", None)
        if inside is not None:
            yield inside
            return
        with self._database_faults(), self._connected() as statements:
            yield statements

    @contextmanager
    def writing(self, *, durable: bool = True, lock: str | None = None) -> Iterator[Connection]:  # noqa: ARG002 - all is durable
        """Provide a connection in a transaction, as on SQLite. Inside another one of this thread, it joins that one."""
        inside: Connection | None = getattr(self._inside, "statements", None)
        if inside is not None:
            yield inside
            return
        with self._database_faults(), self._connected() as statements:
            self._begin(statements, lock)
            statements.renew = None
            self._inside.statements = statements
            try:
                yield statements
                statements.run("COMMIT")
            except BaseException:
                with suppress(Exception):
                    statements.run("ROLLBACK")
                raise
            finally:
                self._inside.statements = None

    def run_once(self, sql: str, parameters: Sequence[Any], lock: str, *, durable: bool = True) -> Any:
        """Run a SELECT that is itself a transaction, in one round trip, and return its row.

        Its first two values are the locks that it takes. It is not repeated if the connection is lost. Unless it is
        `durable`, it does not wait for the disk: if the database's machine fails, the last second may be lost.
        """
        if not durable:
            sql += WITHOUT_DISK
        with self._database_faults(), self._connected() as statements:
            statements.renew = None
            return statements.execute(sql, (WHOLE, lock_key(lock), *parameters)).fetchone()

    def listen(self, channel: str, tell: Callable[[], None], ended: Event) -> None:
        """Call `tell` on each notification, and every few seconds without one, until `ended`.

        Raises StateError if the connection is lost.
        """
        from mailgun_mcp.store.postgresql_driver import notifications

        with self._database_faults():
            for _ in notifications(self._url, channel, ended):
                tell()

    def _begin(self, statements: "Statements", lock: str | None) -> None:
        locks = f"pg_advisory_xact_lock({WHOLE})"
        if lock is not None:
            locks = f"pg_advisory_xact_lock_shared({WHOLE}), pg_advisory_xact_lock({lock_key(lock)})"
        now = statements.last_value(" ".join((BEGIN, "SELECT", locks, ", extract(epoch FROM clock_timestamp())")))
        self._offset = now - time.time()

    @contextmanager
    def _connected(self) -> "Iterator[Statements]":
        pool = self._opened_pool()
        statements = self._checked(pool)

        taken: psycopg.Connection[Any] | None = statements.connection

        def renew(lost: "psycopg.Connection[Any]") -> "psycopg.Connection[Any]":
            nonlocal taken
            taken = None
            pool.putconn(lost)
            taken = self._checked(pool).connection
            return taken

        statements.renew = renew
        try:
            yield statements
        finally:
            if taken is not None:
                pool.putconn(taken)

    @property
    def connections(self) -> dict[str, int]:
        """Number of used and idle connections in the pool, and of transactions that wait for one."""
        pool = self._pool
        if pool is None:
            return {}
        counts = pool.get_stats()
        size, idle = counts.get("pool_size", 0), counts.get("pool_available", 0)
        return {"used": size - idle, "idle": idle, "awaited": counts.get("requests_waiting", 0)}

    def _opened_pool(self) -> "ConnectionPool[Any]":
        with self._pool_lock:
            if self._pool is None:
                from mailgun_mcp.store.postgresql_driver import new_pool

                self._pool = new_pool(self._url, self._connections, PATIENCE, self._note_fault)
            return self._pool

    def _checked(self, pool: "ConnectionPool[Any]") -> "Statements":
        """Return a connection that works, and whose tables have this version.

        A connection that the database has closed is given back to the pool, which replaces it.
        """
        from mailgun_mcp.store.postgresql_driver import Statements

        deadline = time.monotonic() + PATIENCE
        while True:
            statements = Statements(pool.getconn(max(0.001, deadline - time.monotonic())))
            try:
                if statements.is_alive():
                    if not statements.is_prepared:
                        self._prepare(statements)
                    return statements
            except BaseException:
                pool.putconn(statements.connection)
                raise
            pool.putconn(statements.connection)

    def _prepare(self, statements: "Statements") -> None:
        """Bring the tables to this version. If several servers start at once, the first one does it."""
        from mailgun_mcp.store.postgresql_driver import migrate, table_version

        before = time.time()
        version, now = table_version(statements)
        self._offset = now - (before + time.time()) / 2
        if version > len(MIGRATIONS):
            raise newer(version)
        if version < len(MIGRATIONS):
            migrate(statements)
        statements.is_prepared = True

    @contextmanager
    def _database_faults(self) -> Iterator[None]:
        try:
            import psycopg
            from psycopg_pool import PoolTimeout
        except ImportError as error:
            raise SettingsError(MISSING_EXTRA) from error
        try:
            yield
        except PoolTimeout as error:
            raise self._unusable(
                f"no connection within {PATIENCE:.0f} seconds{f' ({self._last_fault})' if self._last_fault else ''}"
            ) from error
        except psycopg.errors.LockNotAvailable as error:
            raise self._unusable(f"another transaction held its lock for more than {PATIENCE:.0f} seconds") from error
        except psycopg.Error as error:
            raise self._unusable(self._without_password(str(error))) from error

    def _note_fault(self, message: str) -> None:
        self._last_fault = self._without_password(message) if message else ""

    def _without_password(self, message: str) -> str:
        """Return the first line of a message from the database, without the password."""
        from mailgun_mcp.store.postgresql_url import password_in

        line = next(iter(message.strip().splitlines()), "unknown error")
        password = password_in(self._url)
        return line.replace(password, "***") if password else line

    def _unusable(self, reason: str) -> StateError:
        return StateError(f"the state in {self.name} cannot be used: {reason}")


@cache
def lock_key(lock: str) -> int:
    """Return the number of a lock, the same for every server."""
    return int.from_bytes(sha256(lock.encode()).digest()[:8], "big", signed=True) or 1
