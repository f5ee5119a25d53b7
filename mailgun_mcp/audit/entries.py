"""The entries of the audit log, and the hash that chains each entry to the previous one.

A keyed hash is written `KEY:HEX`. Entries of version 0.1 have a plain hash.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest as hmac_digest
from json.encoder import encode_basestring_ascii
from typing import Any, Literal

from mailgun_mcp.audit.log_keys import AuditKey
from mailgun_mcp.store.connection import Connection
from mailgun_mcp.store.database import stored

EntryKind = Literal["intent", "outcome", "pruned", "sealed", "rotated", "restarted"]
CALL_KINDS: tuple[EntryKind, ...] = ("intent", "outcome")
"""Kinds of entries about calls. The other kinds are about the log itself."""
START = "0" * 64
"""The previous hash in the first entry."""
INSERTS = {
    rows: f"INSERT INTO audit_log (seq, at, call, kind, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?){', (?, ?, ?, ?, ?, ?, ?)' * (rows - 1)}"  # noqa: S608
    for rows in (32, 8, 2, 1)
}
"""Number of entries -> the statement that writes them. The thread that writes waits for the event loop's thread after
each statement, so a few statements for all entries are better than one for each.
"""


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
        """The entry's content."""
        return stored(self.body, dict)

    @property
    def key(self) -> str | None:
        """The id of the key that made the hash, or None for a plain hash."""
        return key_of(self.hash)


def key_of(entry_hash: str) -> str | None:
    """Return the id of the key that made a hash, or None for a plain hash."""
    key, colon, _ = entry_hash.partition(":")
    return key if colon else None


def plain_hash(entry: StoredEntry) -> str:
    """Return the hash that version 0.1 gave an entry."""
    return sha256(json.dumps([entry.prev, entry.at, entry.call, entry.kind, entry.body]).encode()).hexdigest()


def keyed_hash(key: AuditKey, *, seq: int, prev: str, at: float, call: str, kind: str, body: str) -> str:
    """Return the hash of an entry. Nobody can compute it without the key."""
    texts = [encode_basestring_ascii(text) for text in (prev, call, kind, body)]
    # Equals json.dumps of [seq, prev, at, call, kind, body], which would create an encoder for each entry.
    return _signed(key, f"[{seq}, {texts[0]}, {at!r}, {texts[1]}, {texts[2]}, {texts[3]}]")


def head_signature(key: AuditKey, *, seq: int, entry_hash: str, at: float) -> str:
    """Return the signature of a head: the number and hash of the last entry, and when it was noted."""
    return _signed(key, json.dumps(["head", seq, entry_hash, at]))


def _signed(key: AuditKey, message: str) -> str:
    return f"{key.id}:{hmac_digest(key.secret, message.encode(), 'sha256').hex()}"


def read_head(connection: Connection) -> tuple[int, str]:
    """Return the number of the newest entry, even if it was removed, and the hash of the last entry still there."""
    row = connection.execute("SELECT seq, hash FROM audit_head").fetchone()
    return int(row["seq"]), str(row["hash"])


def insert(connection: Connection, rows: list[StoredEntry]) -> None:
    """Write entries."""
    for part in _parts(rows):
        values = [(row.seq, row.at, row.call, row.kind, row.body, row.prev, row.hash) for row in part]
        connection.execute(INSERTS[len(part)], [value for row in values for value in row])


def _parts(rows: list[StoredEntry]) -> Iterator[list[StoredEntry]]:
    """Yield the entries in as few parts as INSERTS has statements for."""
    while rows:
        size = next(size for size in INSERTS if size <= len(rows))
        yield rows[:size]
        rows = rows[size:]


def last_to_remove(connection: Connection, before: float | None, most_bytes: int | None) -> int:
    """Return the last entry to remove. A call is never split, and the log's last entry is never removed."""
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
