"""The tables of snapshots: what calls were about to remove or overwrite, compressed, while undo is possible."""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Literal, TypeVar

from mailgun_mcp.errors import StateError, UnknownNameError
from mailgun_mcp.store.connection import Connection
from mailgun_mcp.store.database import Store, stored
from mailgun_mcp.text.suggest import unknown
from mailgun_mcp.undo.records import Affected, Observed

ABANDONED = 3_600.0
"""Age in seconds from which a draft was left by a process that has ended."""
SnapshotStatus = Literal["draft", "saved", "undone"]
SAVED = "kept"
"""The status `saved`, as the table stores it."""
Phase = Literal["before", "after"]
RecordT = TypeVar("RecordT")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot, without its records. Its id is that of the call."""

    id: str
    created: float
    until: float
    status: SnapshotStatus
    tool: str
    summary: str
    """What the call affects, in words."""
    account: str
    endpoint: str
    subaccount: str | None
    records: int
    outcome: str
    """Outcome of the call; `unknown` until it is recorded."""
    undone: float | None


@dataclass(frozen=True, slots=True)
class BegunStep:
    """An undo step that creates a resource whose key Mailgun assigns."""

    existing_keys: tuple[str, ...]
    """The keys that existed before the step."""
    new_key: str | None
    """The key that the resource got; None if that is unknown."""


class Snapshots:
    """The tables of snapshots."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, *, tool: str, account: str, endpoint: str, subaccount: str | None, now: float) -> str:
        """Create a draft and return its id. Removes expired snapshots."""
        name = f"draft-{token_hex(8)}"
        with self._store.writing(durable=False, lock="snapshots") as connection:
            over = connection.execute(
                "SELECT id FROM snapshots WHERE until < ? OR (status = 'draft' AND created < ?)", (now, now - ABANDONED)
            ).fetchall()
            for row in over:
                _delete(connection, row["id"])
            connection.execute(
                """INSERT INTO snapshots (id, created, until, status, tool, summary, account, endpoint, subaccount)
                VALUES (?, ?, ?, 'draft', ?, '', ?, ?, ?)""",
                (name, now, now + ABANDONED, tool, account, endpoint, subaccount),
            )
        return name

    def add_affected(self, name: str, records: Iterable[Affected]) -> None:
        """Add resources in their state before the call. They must fit into memory."""
        self._add(name, "before", [record.stored() for record in records])

    def add_observed(self, name: str, records: Iterable[Observed]) -> None:
        """Add resources in their state after the call. They must fit into memory."""
        self._add(name, "after", [record.stored() for record in records])

    def save(self, name: str, call: str, *, summary: str, records: int, until: float) -> None:
        """Turn the draft into the snapshot of a call that is about to be made. It survives a power cut."""
        with self._store.writing(lock=_lock(name)) as connection:
            connection.execute(
                "UPDATE snapshots SET id = ?, status = ?, summary = ?, records = ?, until = ? WHERE id = ?",
                (call, SAVED, summary, records, until, name),
            )
            connection.execute("UPDATE snapshot_parts SET snapshot = ? WHERE snapshot = ?", (call, name))

    def set_outcome(self, call: str, outcome: str) -> None:
        """Record the outcome of the call."""
        with self._store.writing(lock=_lock(call)) as connection:
            connection.execute("UPDATE snapshots SET outcome = ? WHERE id = ?", (outcome, call))

    def delete(self, name: str) -> None:
        """Remove a snapshot: its call was not made."""
        with self._store.writing(durable=False, lock=_lock(name)) as connection:
            _delete(connection, name)

    def mark_undone(self, call: str, now: float) -> None:
        """Record that everything was restored."""
        with self._store.writing(lock=_lock(call)) as connection:
            connection.execute("UPDATE snapshots SET status = 'undone', undone = ? WHERE id = ?", (now, call))

    def get(self, call: str, now: float, account: str | None = None) -> Snapshot:
        """Return the snapshot of a call. Raises UnknownNameError if there is none or it has expired.

        The error suggests the most similar id in `account`, or in all accounts.
        """
        with self._store.reading() as connection:
            row = connection.execute(
                "SELECT * FROM snapshots WHERE id = ? AND status != 'draft' AND until > ?", (call, now)
            ).fetchone()
            if row is None:
                rows = connection.execute(
                    "SELECT id FROM snapshots WHERE status != 'draft' AND until > ? AND account = coalesce(?, account)",
                    (now, account),
                )
                raise UnknownNameError(
                    unknown("undo id", call, [row["id"] for row in rows], none="no copies are saved")
                )
        return _snapshot(row)

    def list(self, now: float, account: str | None = None, *, undone: bool = False) -> tuple[Snapshot, ...]:
        """Return what can be undone in the account, or in all accounts, newest first.

        `undone` adds what has already been undone.
        """
        with self._store.reading() as connection:
            rows = connection.execute(
                """SELECT * FROM snapshots WHERE account = coalesce(?, account) AND status IN (?, ?) AND until > ?
                ORDER BY created DESC, id""",
                (account, SAVED, "undone" if undone else SAVED, now),
            ).fetchall()
        return tuple(_snapshot(row) for row in rows)

    def affected(self, call: str) -> Iterator[Affected]:
        """Yield the resources in their state before the call, in the order in which they were added."""
        return self._records(call, "before", Affected.from_stored)

    def observed(self, call: str) -> Iterator[Observed]:
        """Yield the resources in their state right after the call, in the order in which they were added."""
        return self._records(call, "after", Observed.from_stored)

    def begin_step(self, call: str, ref: str, existing_keys: Iterable[str]) -> None:
        """Record that a resource is about to be created whose key Mailgun assigns."""
        with self._store.writing(lock=_lock(call)) as connection:
            connection.execute(
                """INSERT INTO undo_steps (snapshot, thing, known, made) VALUES (?, ?, ?, NULL)
                ON CONFLICT (snapshot, thing) DO UPDATE SET known = excluded.known, made = NULL""",
                (call, ref, json.dumps([*existing_keys])),
            )

    def end_step(self, call: str, ref: str, new_key: str) -> None:
        """Record the key that the resource got."""
        with self._store.writing(lock=_lock(call)) as connection:
            connection.execute("UPDATE undo_steps SET made = ? WHERE snapshot = ? AND thing = ?", (new_key, call, ref))

    def steps(self, call: str) -> dict[str, BegunStep]:
        """Return the steps that earlier attempts at the undo began, by resource."""
        with self._store.reading() as connection:
            rows = connection.execute("SELECT * FROM undo_steps WHERE snapshot = ?", (call,)).fetchall()
        return {row["thing"]: BegunStep(tuple(stored(row["known"], list)), row["made"]) for row in rows}

    def _add(self, name: str, phase: Phase, entries: Iterable[object]) -> None:
        lines = "\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
        if not lines:
            return
        with self._store.writing(durable=False, lock=_lock(name)) as connection:
            connection.execute(
                """INSERT INTO snapshot_parts (snapshot, phase, number, data) SELECT ?, ?, count(*), ?
                FROM snapshot_parts WHERE snapshot = ? AND phase = ?""",
                (name, phase, zlib.compress(lines.encode()), name, phase),
            )

    def _records(self, call: str, phase: Phase, read: Callable[[object], RecordT]) -> Iterator[RecordT]:
        """Yield the records of one phase. Only one part at a time is in memory."""
        number = 0
        while True:
            with self._store.reading() as connection:
                row = connection.execute(
                    "SELECT data FROM snapshot_parts WHERE snapshot = ? AND phase = ? AND number = ?",
                    (call, phase, number),
                ).fetchone()
            if row is None:
                return
            yield from _unpacked(call, row["data"], read)
            number += 1


def _lock(name: str) -> str:
    return f"snapshot {name}"


def _delete(connection: Connection, name: str) -> None:
    for table, column in (("snapshot_parts", "snapshot"), ("undo_steps", "snapshot"), ("snapshots", "id")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (name,))  # noqa: S608 - names of our own


def _snapshot(row: Any) -> Snapshot:
    fields = dict(row)
    return Snapshot(**{**fields, "status": "saved" if fields["status"] == SAVED else fields["status"]})


def _unpacked(call: str, data: bytes, read: Callable[[object], RecordT]) -> list[RecordT]:
    try:
        return [read(json.loads(line)) for line in zlib.decompress(data).decode().split("\n")]
    except (zlib.error, ValueError, TypeError) as error:
        raise StateError(f"the snapshot of {call} is damaged: it cannot be undone") from error
