"""What calls were about to remove or overwrite, compressed, until it may no longer be put back."""

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Literal

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.database import Store, stored
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    import sqlite3

ABANDONED = 3_600.0
"""Seconds after which a draft is that of a process that ended."""
Phase = Literal["before", "after"]
Status = Literal["draft", "kept", "undone"]
Entry = list[Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy that is kept, without what is in it. Its id is that of the call."""

    id: str
    created: float
    until: float
    status: Status
    tool: str
    summary: str
    """What the call touched, in words."""
    account: str
    endpoint: str
    subaccount: str | None
    records: int
    outcome: str
    """Of the call: `unknown` until it is told."""
    undone: float | None


class Snapshots:
    """The tables of snapshots."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, *, tool: str, account: str, endpoint: str, subaccount: str | None, now: float) -> str:
        """Make a draft and return its id; removes what is over."""
        name = f"draft-{token_hex(8)}"
        with self._store.writing(durable=False) as connection:
            over = connection.execute(
                "SELECT id FROM snapshots WHERE until < ? OR (status = 'draft' AND created < ?)", (now, now - ABANDONED)
            ).fetchall()
            for row in over:
                _remove(connection, row["id"])
            connection.execute(
                """INSERT INTO snapshots (id, created, until, status, tool, summary, account, endpoint, subaccount)
                VALUES (?, ?, ?, 'draft', ?, '', ?, ?, ?)""",
                (name, now, now + ABANDONED, tool, account, endpoint, subaccount),
            )
        return name

    def add(self, name: str, phase: Phase, entries: Iterable[Entry]) -> None:
        """Add entries, as many as fit into memory."""
        data = zlib.compress("\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries).encode())
        with self._store.writing(durable=False) as connection:
            connection.execute(
                """INSERT INTO snapshot_parts (snapshot, phase, number, data) SELECT ?, ?, count(*), ?
                FROM snapshot_parts WHERE snapshot = ? AND phase = ?""",
                (name, phase, data, name, phase),
            )

    def keep(self, name: str, call: str, *, summary: str, records: int, until: float) -> None:
        """Make the draft the snapshot of a call that is about to be made; outlives a power cut."""
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE snapshots SET id = ?, status = 'kept', summary = ?, records = ?, until = ? WHERE id = ?",
                (call, summary, records, until, name),
            )
            connection.execute("UPDATE snapshot_parts SET snapshot = ? WHERE snapshot = ?", (call, name))

    def settle(self, call: str, outcome: str) -> None:
        """Note what became of the call."""
        with self._store.writing() as connection:
            connection.execute("UPDATE snapshots SET outcome = ? WHERE id = ?", (outcome, call))

    def drop(self, name: str) -> None:
        """Remove a snapshot: its call was not made."""
        with self._store.writing(durable=False) as connection:
            _remove(connection, name)

    def undone(self, call: str, now: float) -> None:
        """Note that all was put back."""
        with self._store.writing() as connection:
            connection.execute("UPDATE snapshots SET status = 'undone', undone = ? WHERE id = ?", (now, call))

    def get(self, call: str, now: float) -> Snapshot:
        """Return the snapshot of a call. Raises UnknownNameError when none is kept, or not any more."""
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT * FROM snapshots WHERE id = ? AND status != 'draft' AND until > ?", (call, now)
            ).fetchone()
            if row is None:
                known = [
                    found["id"]
                    for found in connection.execute(
                        "SELECT id FROM snapshots WHERE status != 'draft' AND until > ?", (now,)
                    )
                ]
                raise UnknownNameError(unknown("undo id", call, known))
        return Snapshot(**dict(row))

    def kept(self, now: float, account: str | None = None, *, undone: bool = False) -> tuple[Snapshot, ...]:
        """Return what can be put back in the account, or in all, the newest first; with `undone` what was as well."""
        wanted = ("kept", "undone") if undone else ("kept", "kept")
        with self._store.reading() as connection:
            rows = connection.execute(
                """SELECT * FROM snapshots WHERE account = coalesce(?, account) AND status IN (?, ?) AND until > ?
                ORDER BY created DESC, id""",
                (account, *wanted, now),
            ).fetchall()
        return tuple(Snapshot(**dict(row)) for row in rows)

    def entries(self, call: str, phase: Phase) -> Iterator[Entry]:
        """Yield the entries in the order in which they were added, a part at a time."""
        number = 0
        while True:
            with self._store.reading() as connection:
                row = connection.execute(
                    "SELECT data FROM snapshot_parts WHERE snapshot = ? AND phase = ? AND number = ?",
                    (call, phase, number),
                ).fetchone()
            if row is None:
                return
            yield from _unpacked(call, row["data"])
            number += 1

    def begin_step(self, call: str, thing: str, known: Iterable[str]) -> None:
        """Note that a thing is about to be made whose key Mailgun gives; `known` are the keys that are there."""
        with self._store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO undo_steps (snapshot, thing, known, made) VALUES (?, ?, ?, NULL)",
                (call, thing, json.dumps(list(known))),
            )

    def end_step(self, call: str, thing: str, made: str) -> None:
        """Note the key that the thing got."""
        with self._store.writing() as connection:
            connection.execute("UPDATE undo_steps SET made = ? WHERE snapshot = ? AND thing = ?", (made, call, thing))

    def steps(self, call: str) -> dict[str, tuple[list[str], str | None]]:
        """Return what was begun: the keys that were there, and the key that it got, None where that is not known."""
        with self._store.reading() as connection:
            rows = connection.execute("SELECT * FROM undo_steps WHERE snapshot = ?", (call,)).fetchall()
        return {row["thing"]: (stored(row["known"], list), row["made"]) for row in rows}


def _remove(connection: "sqlite3.Connection", name: str) -> None:
    for table, column in (("snapshot_parts", "snapshot"), ("undo_steps", "snapshot"), ("snapshots", "id")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (name,))  # noqa: S608 - names of our own


def _unpacked(call: str, data: bytes) -> list[Entry]:
    try:
        return [json.loads(line) for line in zlib.decompress(data).decode().split("\n")]
    except (zlib.error, ValueError) as error:
        raise StateError(f"the snapshot of {call} is damaged: it cannot be put back") from error
