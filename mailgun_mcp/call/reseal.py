"""Seals again what is sealed in the database with a key that is no longer the first of `--seal-keys`, so that it can go."""

from collections.abc import Callable
from dataclasses import dataclass

from mailgun_mcp.call.call_tasks import sealed_name as task_name
from mailgun_mcp.call.shared_secret_store import name_of
from mailgun_mcp.errors import StateError
from mailgun_mcp.store.connection import Connection, Sealer
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.shared_secrets import sealed_name

SEALED: dict[tuple[str, str], tuple[tuple[str, ...], Callable[..., str]]] = {
    ("shared_secrets", "sealed"): (("kind", "name"), sealed_name),
    ("withheld_secrets", "sealed"): (("ref",), name_of),
    ("call_tasks", "arguments"): (("id",), task_name),
    ("call_tasks", "outcome"): (("id",), task_name),
}
"""Table and its sealed column -> the columns that identify a row, and what makes of them the name under which it is sealed.

Long results are not among them: they can be read for an hour only.
"""


@dataclass(frozen=True, slots=True)
class Resealed:
    """What was done."""

    count: int
    """How many values were sealed again."""
    total: int
    """How many sealed values there are."""


def reseal(store: Store) -> Resealed:
    """Seal all that lies in the database with the first key. Raises StateError, and changes nothing, if one does not open."""
    sealer = store.sealer
    if sealer is None:
        raise StateError("only a state in PostgreSQL has sealed values: the secrets of this one are in files of yours")
    # Without a lock of its own: nothing is sealed meanwhile by anybody.
    with store.writing() as connection:
        done = [_reseal(connection, sealer, table, column) for table, column in SEALED]
    return Resealed(sum(one.count for one in done), sum(one.total for one in done))


def _reseal(connection: Connection, sealer: Sealer, table: str, sealed: str) -> Resealed:
    columns, name = SEALED[table, sealed]
    rows = connection.execute(f"SELECT {sealed} AS sealed, {', '.join(columns)} FROM {table}").fetchall()  # noqa: S608 - words of our own
    changed = []
    for row in rows:
        key = [row[column] for column in columns]
        # Also what is sealed with the first key must open.
        value = sealer.unseal(row["sealed"], name(*key))
        if not sealer.is_current(row["sealed"]):
            changed.append((sealer.seal(value, name(*key)), *key))
    condition = " AND ".join(f"{column} = ?" for column in columns)
    connection.executemany(f"UPDATE {table} SET {sealed} = ? WHERE {condition}", changed)  # noqa: S608 - as above
    return Resealed(len(changed), len(rows))
