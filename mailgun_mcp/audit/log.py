"""The audit log: what was called, decided and done. Append-only, and each entry holds the hash of the one before.

An entry is an `intent` (before a call is made), an `outcome` (after it, or of a call that was not made), or `pruned`
(older entries were removed). An intent without an outcome is a call whose result nobody knows.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from mailgun_mcp.errors import Outcome, UnknownNameError
from mailgun_mcp.store.database import Store, stored
from mailgun_mcp.store.ids import new_id
from mailgun_mcp.text.suggest import unknown

if TYPE_CHECKING:
    import sqlite3

EntryKind = Literal["intent", "outcome", "pruned"]
START = "0" * 64
"""What the first entry holds as the hash of the one before."""
PAGE = 1000
UNKNOWN: Outcome = "unknown"
"""The outcome of a call that was begun, and whose end is not recorded."""
RENAMED_OUTCOMES: dict[str, Outcome] = {"held": "pending"}
"""Word of an older version -> today's. What is written is never changed; it is read with today's words."""
RENAMED_FIELDS = {"caller": "principal", "elevated": "grants"}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry to write."""

    call: str
    kind: EntryKind
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as it is stored."""

    seq: int
    at: float
    call: str
    kind: EntryKind
    body: str
    prev: str
    hash: str

    @property
    def fields(self) -> dict[str, Any]:
        """What the entry says."""
        return stored(self.body, dict)


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A call, put together from its entries."""

    id: str
    at: float
    fields: dict[str, Any]
    """What was recorded before the call: tool, principal, arguments, decision, …"""
    outcome: Outcome
    result: dict[str, Any]
    """What was recorded after it: status, attempts, duration, …"""


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of checking the chain of hashes."""

    entries: int
    head: str
    """The hash of the last entry: noted elsewhere, it shows a rewritten log."""
    broken: str | None = None
    """The first broken link, in words."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to return; a field that is None allows all."""

    since: float | None = None
    until: float | None = None
    tool: str | None = None
    """A glob."""
    risk: str | None = None
    outcome: Outcome | None = None
    principal: str | None = None
    account: str | None = None

    def takes(self, call: LoggedCall) -> bool:
        """Return whether the call is one of them."""
        fields = call.fields
        return (
            (self.since is None or call.at >= self.since)
            and (self.until is None or call.at < self.until)
            and (self.tool is None or fnmatchcase(fields.get("tool", ""), self.tool))
            and self.outcome in (None, call.outcome)
            and all(
                value in (None, fields.get(name))
                for name, value in (("risk", self.risk), ("principal", self.principal), ("account", self.account))
            )
        )


def new_call_id() -> str:
    """Return an id that no other call has, in any process."""
    return new_id(12)


class AuditLog:
    """The table of the audit log."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def append(self, entries: Sequence[LogEntry], now: float, *, durable: bool) -> None:
        """Write the entries down, in one transaction that no other process shares."""
        with self._store.writing(durable=durable) as connection:
            prev = _head(connection)
            for entry in entries:
                prev = _append(connection, entry, prev, now)

    def entries(self, after: int = 0) -> Iterator[StoredEntry]:
        """Yield the entries that follow the one numbered `after`, as they were written."""
        while True:
            with self._store.reading() as connection:
                rows = connection.execute(
                    "SELECT * FROM audit_log WHERE seq > ? ORDER BY seq LIMIT ?", (after, PAGE)
                ).fetchall()
            for row in rows:
                yield StoredEntry(**dict(row))
            if len(rows) < PAGE:
                return
            after = rows[-1]["seq"]

    def calls(self, call_filter: CallFilter = CallFilter(), *, newest_first: bool = False) -> Iterator[LoggedCall]:
        """Yield the calls that `call_filter` takes, by the time at which they began."""
        order = "DESC" if newest_first else "ASC"
        seq = 0 if not newest_first else 2**63 - 1
        comparison = "<" if newest_first else ">"
        while True:
            with self._store.reading() as connection:
                rows = connection.execute(
                    # A call that was not made has an outcome alone.
                    f"""SELECT seq, call FROM audit_log AS first WHERE seq {comparison} ? AND kind != 'pruned' AND NOT EXISTS
                    (SELECT 1 FROM audit_log AS before WHERE before.call = first.call AND before.seq < first.seq)
                    ORDER BY seq {order} LIMIT ?""",  # noqa: S608 - words of our own
                    (seq, PAGE),
                ).fetchall()
                calls = [_call(_of_call(connection, row["call"])) for row in rows]
            yield from (call for call in calls if call_filter.takes(call))
            if len(rows) < PAGE:
                return
            seq = rows[-1]["seq"]

    @property
    def last(self) -> int:
        """The number of the last entry."""
        with self._store.reading() as connection:
            return _last(connection)

    def of_call(self, call: str) -> list[StoredEntry]:
        """Return the entries of one call. Raises UnknownNameError when there is none."""
        with self._store.reading() as connection:
            entries = _of_call(connection, call)
            if not entries:
                rows = connection.execute("SELECT DISTINCT call FROM audit_log ORDER BY seq DESC LIMIT 1000").fetchall()
                raise UnknownNameError(unknown("call", call, [row["call"] for row in rows if row["call"]]))
        return entries

    def call(self, call: str) -> LoggedCall:
        """Return one call. Raises UnknownNameError when there is none."""
        return _call(self.of_call(call))

    def verify(self, expect: str | None = None) -> Verification:
        """Walk along the chain. `expect` is a head that was noted before, and must be in it."""
        with self._store.reading() as connection:
            anchor, last = _anchor(connection), _last(connection)
        seq, prev, count, expected = anchor[0], anchor[1], 0, expect in (None, START, anchor[1])
        pruned = anchor[0] == 0
        for entry in self.entries(seq):
            fault = _fault(entry, seq, prev)
            if fault:
                return Verification(count, prev, fault)
            pruned = pruned or (entry.kind == "pruned" and entry.fields.get("anchor") == list(anchor))
            seq, prev, count, expected = entry.seq, entry.hash, count + 1, expected or entry.hash == expect
        broken = None
        if last > seq:
            broken = f"entries {seq + 1} to {last} are missing at the end"
        elif not pruned:
            broken = f"entries 1 to {anchor[0]} are missing at the start, and no entry says that they were pruned"
        elif not expected:
            broken = f"no entry has the expected hash {expect}: the log was rewritten"
        return Verification(count, prev, broken)

    def prune(
        self, now: float, *, before: float | None = None, most_bytes: int | None = None, dry_run: bool = False
    ) -> int:
        """Remove the oldest calls, those before a time and those beyond a size; return how many entries went.

        What is left still verifies: the last hash that went is kept, and an entry of the log repeats it. A call
        is removed with its outcome or not at all.
        """
        with self._store.writing() as connection:
            through = _cut(connection, before, most_bytes)
            count = connection.execute("SELECT count(*) FROM audit_log WHERE seq <= ?", (through,)).fetchone()[0]
            if count and not dry_run:
                row = connection.execute("SELECT hash FROM audit_log WHERE seq = ?", (through,)).fetchone()
                connection.execute("UPDATE audit_anchor SET seq = ?, hash = ?", (through, row["hash"]))
                connection.execute("DELETE FROM audit_log WHERE seq <= ?", (through,))
                entry = LogEntry("", "pruned", {"anchor": [through, row["hash"]], "entries": count})
                _append(connection, entry, _head(connection), now)
        return int(count)


def _append(connection: "sqlite3.Connection", entry: LogEntry, prev: str, now: float) -> str:
    body = json.dumps(entry.body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = _hash(prev, now, entry.call, entry.kind, body)
    connection.execute(
        "INSERT INTO audit_log (at, call, kind, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?)",
        (now, entry.call, entry.kind, body, prev, digest),
    )
    return digest


def _hash(prev: str, at: float, call: str, kind: str, body: str) -> str:
    return sha256(json.dumps([prev, at, call, kind, body]).encode()).hexdigest()


def _fault(entry: StoredEntry, seq: int, prev: str) -> str | None:
    named = f"entry {entry.seq} ({entry.call or entry.kind})"
    if entry.hash != _hash(entry.prev, entry.at, entry.call, entry.kind, entry.body):
        return f"{named} was changed"
    if entry.seq != seq + 1:
        return f"entries {seq + 1} to {entry.seq - 1} are missing before {named}"
    if entry.prev != prev:
        return f"{named} does not follow the entry before it"
    return None


def _head(connection: "sqlite3.Connection") -> str:
    row = connection.execute("SELECT hash FROM audit_log ORDER BY seq DESC LIMIT 1").fetchone()
    return str(row["hash"]) if row else _anchor(connection)[1]


def _anchor(connection: "sqlite3.Connection") -> tuple[int, str]:
    row = connection.execute("SELECT seq, hash FROM audit_anchor").fetchone()
    return int(row["seq"]), str(row["hash"])


def _last(connection: "sqlite3.Connection") -> int:
    """Return the number of the newest entry, even a removed one, as SQLite remembers it beside the table."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit_log'").fetchone()
    return int(row["seq"]) if row else 0


def _cut(connection: "sqlite3.Connection", before: float | None, most_bytes: int | None) -> int:
    """Return the last entry to remove. It never splits the entries of a call, and is never the last of the log."""
    through = 0
    if before is not None:
        row = connection.execute("SELECT max(seq) FROM audit_log WHERE at < ?", (before,)).fetchone()
        through = int(row[0] or 0)
    if most_bytes is not None:
        size = 0
        for row in connection.execute("SELECT seq, length(body) + 200 AS size FROM audit_log ORDER BY seq DESC"):
            size += row["size"]
            if size > most_bytes:
                through = max(through, row["seq"])
                break
    newest = connection.execute("SELECT max(seq) FROM audit_log").fetchone()[0] or 0
    through = min(through, newest - 1)
    while through > 0:
        row = connection.execute(
            """SELECT min(early.seq) FROM audit_log AS early JOIN audit_log AS late ON late.call = early.call
            WHERE early.seq <= ? AND late.seq > ? AND early.call != ''""",
            (through, through),
        ).fetchone()
        if row[0] is None:
            break
        through = row[0] - 1
    return max(through, 0)


def _of_call(connection: "sqlite3.Connection", call: str) -> list[StoredEntry]:
    rows = connection.execute("SELECT * FROM audit_log WHERE call = ? ORDER BY seq", (call,)).fetchall()
    return [StoredEntry(**dict(row)) for row in rows]


def _call(entries: Iterable[StoredEntry]) -> LoggedCall:
    fields: dict[str, Any] = {}
    result: dict[str, Any] = {}
    first: StoredEntry | None = None
    for entry in entries:
        first = first or entry
        renamed = {RENAMED_FIELDS.get(name, name): value for name, value in entry.fields.items()}
        if entry.kind == "outcome":
            result = renamed.pop("result", {})
        fields |= renamed
    if first is None:
        raise UnknownNameError("a call without entries")
    outcome = result.get("outcome", UNKNOWN)
    return LoggedCall(first.call, first.at, fields, RENAMED_OUTCOMES.get(outcome, outcome), result)
