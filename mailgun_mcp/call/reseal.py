"""Encrypts sealed values again with the first of `--seal-keys`, so that a former key can be removed."""

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
"""Table and its sealed column -> the columns that identify a row, and the function that names the seal from them.

Long results are not among them: they can be read for an hour only.
"""


@dataclass(frozen=True, slots=True)
class Resealed:
    """The result of resealing."""

    count: int
    """Number of values that were sealed again."""
    total: int
    """Number of sealed values in all."""


def reseal(store: Store) -> Resealed:
    """Seal all values with the first key. If one cannot be unsealed, raises StateError and changes nothing."""
    sealer = store.sealer
    if sealer is None:
        raise StateError(
            "only a state in PostgreSQL has sealed values; the secrets of this state are in your own files"
        )
    # No named lock: nobody else seals anything meanwhile.
    with store.writing() as connection:
        done = [_reseal(connection, sealer, table, column) for table, column in SEALED]
    return Resealed(sum(one.count for one in done), sum(one.total for one in done))


def _reseal(connection: Connection, sealer: Sealer, table: str, sealed: str) -> Resealed:
    columns, name = SEALED[table, sealed]
    rows = connection.execute(f"SELECT {sealed} AS sealed, {', '.join(columns)} FROM {table}").fetchall()  # noqa: S608 - words of our own
    changed = []
    for row in rows:
        key = [row[column] for column in columns]
        # Values sealed with the first key are opened too, as a check.
        value = sealer.unseal(row["sealed"], name(*key))
        if not sealer.is_current(row["sealed"]):
            changed.append((sealer.seal(value, name(*key)), *key))
    condition = " AND ".join(f"{column} = ?" for column in columns)
    connection.executemany(f"UPDATE {table} SET {sealed} = ? WHERE {condition}", changed)  # noqa: S608 - as above
    return Resealed(len(changed), len(rows))
