"""Both engines have the same tables, whichever steps are added, and every step runs on both."""

from mailgun_mcp.store.database import Store
from mailgun_mcp.store.migrations import MIGRATIONS
from mailgun_mcp.store.postgresql_tables import VERSION
from tests.support.engines import on_postgresql
from tests.support.state import NOW, asked, request_approval, rows

pytestmark = on_postgresql

ONLY_SHARED = {"shared_secrets", "withheld_secrets", "audit_newest", "schema_version"}
"""What lies in files beside SQLite, or what SQLite keeps itself."""
TYPES = {"double precision": "REAL", "bigint": "INTEGER", "bytea": "BLOB", "text": "TEXT"}
Columns = dict[str, dict[str, tuple[str, bool]]]


def of_postgresql(store: Store) -> Columns:
    columns: Columns = {}
    query = """SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name != 'rowid'"""
    for table, column, kind, nullable in rows(store, query):
        columns.setdefault(table, {})[column] = (TYPES[kind], nullable == "YES")
    return columns


def of_sqlite(store: Store) -> Columns:
    columns: Columns = {}
    names = rows(store, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'")
    for (table,) in names:
        for _, column, kind, required, _, key in rows(store, f"PRAGMA table_info({table})"):
            columns.setdefault(table, {})[column] = (kind or "TEXT", not required and not key)
    return columns


def test_both_engines_have_the_same_tables(store: Store) -> None:
    file = Store(store.directory)
    request_approval(file, asked(), NOW)
    shared, local = of_postgresql(store), of_sqlite(file)
    file.close()
    views = {"account_names", "audit_head"}
    assert shared.keys() - ONLY_SHARED == local.keys()
    assert {table: {*local[table]} for table in views} == {table: {*shared[table]} for table in views}
    tables = local.keys() - views
    assert {table: shared[table] for table in tables} == {table: local[table] for table in tables}


def test_text_is_ordered_as_sqlite_orders_it(store: Store) -> None:
    query = """SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
    AND table_name NOT IN ('account_names', 'audit_head')"""
    assert rows(store, query) == []


def test_the_tables_have_this_version(store: Store) -> None:
    assert rows(store, "SELECT version FROM schema_version") == [(len(MIGRATIONS),)]
    assert VERSION == 7
