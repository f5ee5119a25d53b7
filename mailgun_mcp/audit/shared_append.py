"""Appends to a log that several servers write, in one round trip and without making other servers wait for more.

The hash of an entry depends on the previous entry, and the key is not in the database. So the server computes hashes
after the last entry that it has seen. The database accepts them if that is still the last; else it returns the last.
"""

import json
from collections.abc import Callable, Sequence

from mailgun_mcp.audit.entries import StoredEntry, read_head
from mailgun_mcp.store.database import Store

ATTEMPTS = 3
"""Attempts to append before falling back to a transaction that keeps other servers out."""
APPEND = "SELECT newest, last_hash FROM append_to_audit_log(?, ?, ?, ?, ?, ?)"

Chain = Callable[[int, str], Sequence[StoredEntry] | None]
"""Number and hash of the last entry -> the entries to append; None if only a transaction can write them."""


class SharedAppend:
    """One server's knowledge of the head of the log."""

    def __init__(self, store: Store, lock: str) -> None:
        self._store = store
        self._lock = lock
        self.head: tuple[int, str] | None = None
        """Number and hash of the last entry when it was last seen."""
        self._others_write = False
        """Whether other servers write so often that it pays to read the head first: it costs less than a refusal."""

    def run(self, chain: Chain, *, durable: bool) -> bool:
        """Append, and return whether that worked. Raises StateError.

        Servers wait for each other's commits, so entries of reads alone, which are not `durable`, do not wait for the
        disk.
        """
        if self._others_write:
            self._read_head_again()
        for _ in range(ATTEMPTS):
            head, self.head = self.head, None
            entries = chain(*head) if head else None
            if not head or not entries:
                break
            newest, last_hash = self._store.run_once(APPEND, (*head, *_written(entries)), self._lock, durable=durable)
            self.head = (newest, last_hash) if newest is not None else (entries[-1].seq, entries[-1].hash)
            if newest is None:
                return True
            self._others_write = True
        return False

    def _read_head_again(self) -> None:
        seen = self.head
        with self._store.reading() as connection:
            self.head = read_head(connection)
        self._others_write = self.head != seen


def _written(entries: Sequence[StoredEntry]) -> tuple[float, str]:
    return entries[0].at, json.dumps([(entry.call, entry.kind, entry.body, entry.hash) for entry in entries])
