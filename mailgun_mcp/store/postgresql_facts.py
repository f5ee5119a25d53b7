"""The facts on a database that `doctor` needs, read through a separate connection that changes and creates nothing."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from mailgun_mcp.errors import StateError
from mailgun_mcp.store.postgresql_driver import CONNECTION_OPTIONS

COLUMNS = """SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = ANY (current_schemas(false))"""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """A database as it is now."""

    release: int
    """The major version of PostgreSQL."""
    is_read_only: bool
    """Whether it is a standby, which can only be read."""
    clock_ahead: float
    """How far its clock is ahead of this machine's, in seconds."""
    most_connections: int
    """How many connections this user can have open in total, as far as the server allows."""
    connections: int
    """How many connections are open."""
    version: int
    """Version of the tables; 0 if there are none."""
    sealed: tuple[bytes, ...] = field(default=(), repr=False)
    """The sealed values."""


def database_facts(url: str, sealed: Iterable[tuple[str, str]]) -> DatabaseFacts:
    """Return the facts; `sealed` has tables and their columns of sealed values. Raises StateError.

    Its message gives the reason, and may contain the password.
    """
    try:
        connection: psycopg.Connection[Any]
        with psycopg.connect(url, autocommit=True, **CONNECTION_OPTIONS) as connection:
            return _read(connection, sealed)
    except psycopg.Error as error:
        raise StateError(str(error).rpartition("failed: ")[2] or str(error)) from error


def _read(connection: "psycopg.Connection[Any]", columns: Iterable[tuple[str, str]]) -> DatabaseFacts:
    before = time.time()
    (clock, standby, most, used), *_ = connection.execute(
        """SELECT extract(epoch FROM clock_timestamp())::float8, pg_is_in_recovery(),
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') - 1"""
    ).fetchall()
    after = time.time()
    version, sealed = 0, []
    if connection.execute("SELECT 1 WHERE to_regclass('schema_version') IS NOT NULL").fetchone():
        ((version,),) = connection.execute("SELECT version FROM schema_version").fetchall()
        present = set(connection.execute(COLUMNS).fetchall())
        # A database of an earlier version does not have all of them.
        for table, column in present.intersection(columns):
            query = sql.SQL("SELECT {} FROM {}").format(sql.Identifier(column), sql.Identifier(table))
            sealed += [row[0] for row in connection.execute(query)]
    release = connection.info.server_version // 10_000
    return DatabaseFacts(release, standby, clock - (before + after) / 2, most, used, version, tuple(sealed))
