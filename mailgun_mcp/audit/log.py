"""The audit log: what was called, decided and done. Append-only; each entry has the previous entry's keyed hash.

An entry is an `intent` (before a call is made), an `outcome` (after it, or of a call that was not made), or about the
log itself: `sealed` (the first with another key, or with any key), `rotated` (the next has another key), `pruned`
(older entries were removed), `restarted` (a person said why an older log is missing). If a call has an intent but no
outcome, its result is unknown.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from operator import attrgetter
from typing import Any

from mailgun_mcp.audit.entries import START as START
from mailgun_mcp.audit.entries import LogEntry, StoredEntry, insert, key_of, keyed_hash, last_to_remove, read_head
from mailgun_mcp.audit.head_note import HeadNote
from mailgun_mcp.audit.heads import Head
from mailgun_mcp.audit.log_keys import AuditKey, AuditKeys, keys_of
from mailgun_mcp.audit.shared_append import SharedAppend
from mailgun_mcp.audit.verify import ChainCheck, Verification
from mailgun_mcp.errors import Outcome, StateError, UnknownNameError
from mailgun_mcp.settings import shell_command
from mailgun_mcp.store.connection import Connection
from mailgun_mcp.store.database import Store
from mailgun_mcp.store.ids import new_id
from mailgun_mcp.text.compact_json import encode_with
from mailgun_mcp.text.durations import iso
from mailgun_mcp.text.suggest import unknown

PAGE = 1000
AT_ONCE = 100
"""Calls whose entries one statement reads."""
LOCK = "audit log"
ENCODE = encode_with(sort_keys=True)
"""Encodes the body of an entry."""
UNKNOWN: Outcome = "unknown"
"""The outcome of a call that was begun, but whose end is not recorded."""
RENAMED_OUTCOMES: dict[str, Outcome] = {"held": "pending"}
"""Outcome in an older version -> current name. Stored entries never change; they are read with current names."""
RENAMED_FIELDS = {"caller": "principal", "elevated": "grants"}

NOT_COMPARED = (
    "there was no earlier head to compare with, so nobody can tell whether entries are missing at the end; "
    "give one with --heads or --expect"
)
NOTHING = (
    "nothing was logged here yet, or the log was removed together with its key and the note of its end; "
    "what is left does not tell which"
)


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A call, assembled from its entries."""

    id: str
    at: float
    fields: dict[str, Any]
    """What was recorded before the call: tool, principal, arguments, decision, …"""
    outcome: Outcome
    result: dict[str, Any]
    """What was recorded after it: status, attempts, duration, …"""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to return; a field that is None matches all."""

    since: float | None = None
    until: float | None = None
    tool: str | None = None
    """A glob."""
    risk: str | None = None
    outcome: Outcome | None = None
    principal: str | None = None
    account: str | None = None

    def takes(self, call: LoggedCall) -> bool:
        """Return whether the call matches."""
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

    def __init__(self, store: Store, keys: AuditKeys | None = None) -> None:
        self._store = store
        self._keys = keys or keys_of(store)
        self._note = HeadNote(store, self._keys)
        self.name = store.name
        """Where the log is, as shown to people."""
        self.clock = store.clock
        self._shared = SharedAppend(store, LOCK) if store.sealer else None

    def append(self, entries: Sequence[LogEntry], now: float, *, durable: bool, missing_only: bool = False) -> None:
        """Write the entries in one transaction that no other process shares.

        With `missing_only`, skip entries whose call already has one of the same kind.
        """
        if (
            self._shared
            and not missing_only
            and self._shared.run(partial(self._chained, entries, now), durable=durable)
        ):
            return
        with self._store.writing(durable=durable, lock=LOCK) as connection:
            if missing_only:
                entries = [entry for entry in entries if not _has_entry(connection, entry)]
            head = self._write(connection, entries, now)
        if self._shared:
            self._shared.head = head

    def prepare(self) -> None:
        """Open the log and read its key, so that the first entry does not wait for them. Raises StateError."""
        with self._store.reading() as connection:
            key_id = key_of(read_head(connection)[1])
        if key_id is not None:
            self._keys.prepare(key_id)

    def entries(self, after: int = 0) -> Iterator[StoredEntry]:
        """Yield the entries after number `after`, in the order in which they were written."""
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
        """Yield the calls that match `call_filter`, by the time at which they began."""
        order = "DESC" if newest_first else "ASC"
        seq = 0 if not newest_first else 2**63 - 1
        comparison = "<" if newest_first else ">"
        while True:
            with self._store.reading() as connection:
                rows = connection.execute(
                    # A call that was not made has an outcome alone.
                    f"""SELECT seq, call FROM audit_log AS first WHERE seq {comparison} ? AND kind IN ('intent', 'outcome') AND NOT EXISTS
                    (SELECT 1 FROM audit_log AS before WHERE before.call = first.call AND before.seq < first.seq)
                    ORDER BY seq {order} LIMIT ?""",  # noqa: S608 - words of our own
                    (seq, PAGE),
                ).fetchall()
                calls = _assembled(connection, [row["call"] for row in rows])
            yield from (call for call in calls if call_filter.takes(call))
            if len(rows) < PAGE:
                return
            seq = rows[-1]["seq"]

    @property
    def last(self) -> int:
        """The number of the last entry."""
        with self._store.reading() as connection:
            return read_head(connection)[0]

    def of_call(self, call: str) -> list[StoredEntry]:
        """Return the entries of one call. Raises UnknownNameError if there is none."""
        with self._store.reading() as connection:
            entries = _of_call(connection, call)
            if not entries:
                rows = connection.execute(
                    "SELECT call FROM audit_log GROUP BY call ORDER BY max(seq) DESC LIMIT 1000"
                ).fetchall()
                calls = [row["call"] for row in rows if row["call"]]
                raise UnknownNameError(unknown("call", call, calls, none="the audit log is empty"))
        return entries

    def call(self, call: str) -> LoggedCall:
        """Return one call. Raises UnknownNameError if there is none."""
        return _call(self.of_call(call))

    def verify(self, expect: str | None = None, heads: Sequence[Head] = ()) -> Verification:
        """Check the chain from the first entry to the last.

        The log must contain the hash `expect` of an earlier head, all `heads`, and the head that the server noted
        beside the database. A log without entries is not intact: it may have been removed. Raises StateError.
        """
        local = self._note.read()
        newest_given = max(heads, key=attrgetter("seq"), default=None)
        compared = tuple(head for head in (local, newest_given) if head)
        result = replace(self._checked(expect, (*heads, *([local] if local else ())), local), compared=compared)
        if result.broken is None and not result.entries:
            return replace(result, broken=NOTHING, nothing=True)
        return result if compared or expect or result.broken else replace(result, notes=(*result.notes, NOT_COMPARED))

    def _checked(self, expect: str | None, heads: Sequence[Head], local: Head | None) -> Verification:
        if not self._store.exists:
            return self._verify_missing(expect, heads)
        with self._store.reading() as connection:
            # Before the first entry with a key, a head was noted. Servers that share a database have other directories.
            anchor, (last, newest) = _anchor(connection), read_head(connection)
        result = ChainCheck(self._keys, anchor, heads, expect).run(self.entries(anchor[0]), last)
        keyed = key_of(newest) is not None or self._keys.exist
        return replace(result, broken=self._note.fault(local)) if keyed and not result.broken else result

    def _verify_missing(self, expect: str | None, heads: Sequence[Head]) -> Verification:
        result = ChainCheck(self._keys, (0, START), heads, expect).run((), 0)
        if result.broken is None and self._keys.exist:
            return Verification(0, START, "the log is missing: its key exists, but its database does not")
        return result

    def head(self, now: float) -> Head:
        """Return the last entry, after making sure that everything up to it would survive a power cut."""
        with self._store.writing(lock=LOCK) as connection:
            connection.execute("UPDATE audit_anchor SET seq = seq")
            head = Head(*read_head(connection), now)
        return self._note.signed(head)

    def note_head(self, head: Head) -> None:
        """Note the head beside the database, unless the log lacks the head that is noted there.

        That head is then evidence that the log was truncated or replaced, and StateError is raised. So it is if the
        note is gone, or was not written by a server.
        """
        earlier = self._note.read()
        if key_of(head.hash) is not None and (fault := self._note.fault(earlier)):
            raise StateError(fault)
        if earlier and not self._holds(earlier):
            raise StateError(
                f"the audit log was cut or replaced: it had {earlier.seq} entries at {iso(earlier.at)}. "
                f"See `{shell_command('audit', 'verify', state=self._store.command_directory)}`"
            )
        if earlier is None or earlier.seq < head.seq:
            self._note.write(head)

    def rotate_key(self, now: float) -> AuditKey:
        """Sign all later entries with a new key, and return it. The old key signs an entry that says so."""
        with self._store.writing(lock=LOCK) as connection:
            self._signing_key(connection, read_head(connection)[1], now)
            key = self._keys.add(now)
            self._write(connection, [LogEntry("", "rotated", {"to": key.id})], now)
            self._write(connection, [LogEntry("", "sealed", {"key": key.id})], now, key)
        self.note_head(self.head(now))
        return key

    def restart(self, *, by: str, reason: str, now: float) -> None:
        """Record why the log noted earlier is missing or has lost its key, and continue with a new key."""
        try:
            lost = self._note.read()
        except StateError:
            lost = None
        body = {"by": by, "reason": reason, "lost": lost.record if lost else None}
        with self._store.writing(lock=LOCK) as connection:
            self._write(connection, [LogEntry("", "restarted", body)], now, self._keys.add(now))
        self._note.write(self.head(now))

    def _holds(self, head: Head) -> bool:
        with self._store.reading() as connection:
            seq, _ = _anchor(connection)
            row = connection.execute("SELECT hash FROM audit_log WHERE seq = ?", (head.seq,)).fetchone()
        return head.seq <= seq or (row is not None and row["hash"] == head.hash)

    def _chained(self, entries: Iterable[LogEntry], now: float, seq: int, prev: str) -> list[StoredEntry] | None:
        """Return the entries chained to entry `seq`, whose hash is `prev`; None if its key is not available."""
        key_id = key_of(prev)
        key = self._keys.get(key_id) if key_id else None
        return _rows(entries, now, key=key, seq=seq, prev=prev) if key else None

    def _write(
        self, connection: Connection, entries: Iterable[LogEntry], now: float, key: AuditKey | None = None
    ) -> tuple[int, str]:
        """Write the entries, and return the number and hash of the last one."""
        seq, prev = read_head(connection)
        if key is None:
            key = self._signing_key(connection, prev, now)
            if key_of(prev) is None:
                seq, prev = read_head(connection)
        rows = _rows(entries, now, key=key, seq=seq, prev=prev)
        insert(connection, rows)
        return (rows[-1].seq, rows[-1].hash) if rows else (seq, prev)

    def _signing_key(self, connection: Connection, head: str, now: float) -> AuditKey:
        """Return the key of the last entry. Entries of version 0.1 have none: they are sealed with a key first."""
        key_id = key_of(head)
        if key_id is None:
            key = self._keys.newest()
            if key is None and self._shared is None and not self._keys.exist:
                key = self._note.begin(Head(*read_head(connection), now), now)
            key = key or self._keys.add(now)
            count = connection.execute("SELECT count(*) FROM audit_log").fetchone()[0]
            if count:
                self._write(connection, [LogEntry("", "sealed", {"key": key.id, "entries": count})], now, key)
            return key
        stored = self._keys.get(key_id)
        if stored is None:
            raise StateError(
                f"the audit log cannot be written: its key {key_id} is missing. Restore it, or see `mailgun-mcp audit restart`"
            )
        return stored

    def prune(
        self, now: float, *, before: float | None = None, most_bytes: int | None = None, dry_run: bool = False
    ) -> int:
        """Remove the oldest calls: those before a time, and those beyond a size. Return how many entries were removed.

        The rest still verifies: the hash of the last removed entry is kept, and an entry in the log repeats it. The
        entries of a call are removed together or not at all.
        """
        with self._store.writing(lock=LOCK) as connection:
            through = last_to_remove(connection, before, most_bytes)
            count = connection.execute("SELECT count(*) FROM audit_log WHERE seq <= ?", (through,)).fetchone()[0]
            if count and not dry_run:
                row = connection.execute("SELECT hash FROM audit_log WHERE seq = ?", (through,)).fetchone()
                connection.execute("UPDATE audit_anchor SET seq = ?, hash = ?", (through, row["hash"]))
                connection.execute("DELETE FROM audit_log WHERE seq <= ?", (through,))
                entry = LogEntry("", "pruned", {"anchor": [through, row["hash"]], "entries": count})
                self._write(connection, [entry], now)
        return int(count)


def _rows(entries: Iterable[LogEntry], now: float, *, key: AuditKey, seq: int, prev: str) -> list[StoredEntry]:
    """Return the entries chained to the entry with number `seq` and hash `prev`."""
    rows: list[StoredEntry] = []
    for number, entry in enumerate(entries, seq + 1):
        rows.append(_row(entry, now, key=key, seq=number, prev=rows[-1].hash if rows else prev))
    return rows


def _row(entry: LogEntry, now: float, *, key: AuditKey, seq: int, prev: str) -> StoredEntry:
    body = ENCODE(entry.body)
    digest = keyed_hash(key, seq=seq, prev=prev, at=now, call=entry.call, kind=entry.kind, body=body)
    return StoredEntry(seq, now, entry.call, entry.kind, body, prev, digest)


def _has_entry(connection: Connection, entry: LogEntry) -> bool:
    query = "SELECT 1 FROM audit_log WHERE call = ? AND kind = ?"
    return connection.execute(query, (entry.call, entry.kind)).fetchone() is not None


def _anchor(connection: Connection) -> tuple[int, str]:
    row = connection.execute("SELECT seq, hash FROM audit_anchor").fetchone()
    return int(row["seq"]), str(row["hash"])


def _of_call(connection: Connection, call: str) -> list[StoredEntry]:
    rows = connection.execute("SELECT * FROM audit_log WHERE call = ? ORDER BY seq", (call,)).fetchall()
    return [StoredEntry(**dict(row)) for row in rows]


def _assembled(connection: Connection, names: Sequence[str]) -> list[LoggedCall]:
    """Return these calls, in this order. Their entries are read with a few statements: one for each took longer."""
    entries: dict[str, list[StoredEntry]] = {name: [] for name in names}
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        query = f"SELECT * FROM audit_log WHERE call IN ({', '.join('?' * len(some))}) ORDER BY seq"  # noqa: S608
        for row in connection.execute(query, some):
            entries[row["call"]].append(StoredEntry(**dict(row)))
    return [_call(entries[name]) for name in names]


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
