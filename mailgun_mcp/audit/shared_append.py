"""Appends to a log that several servers write, in one round trip and without keeping the others waiting for another one.

The hash of an entry needs the one before, and the key is not in the database. So the server computes the hashes for the
last entry that it has seen, and the database takes them if that is still the last one. Otherwise it says which one is.
"""

import json
from collections.abc import Callable, Sequence

from mailgun_mcp.audit.entries import StoredEntry
from mailgun_mcp.store.database import Store

ATTEMPTS = 3
"""After so many times at which others were quicker, it is done in a transaction that keeps them out."""
APPEND = "SELECT newest, last_hash FROM append_to_audit_log(?, ?, ?, ?, ?, ?)"

Chain = Callable[[int, str], Sequence[StoredEntry] | None]
"""Number and hash of the last entry -> the entries that follow it; None where only a transaction can write them."""


class SharedAppend:
    """What one server knows of the end of the log."""

    def __init__(self, store: Store, lock: str) -> None:
        self._store = store
        self._lock = lock
        self.head: tuple[int, str] | None = None
        """Number and hash of the last entry, as it was seen last."""

    def run(self, chain: Chain) -> bool:
        """Append, and return whether it is done. Raises StateError."""
        for _ in range(ATTEMPTS):
            head, self.head = self.head, None
            entries = chain(*head) if head else None
            if not head or not entries:
                break
            newest, last_hash = self._store.run_once(APPEND, (*head, *_written(entries)), self._lock)
            self.head = (newest, last_hash) if newest is not None else (entries[-1].seq, entries[-1].hash)
            if newest is None:
                return True
        return False


def _written(entries: Sequence[StoredEntry]) -> tuple[float, str]:
    return entries[0].at, json.dumps([(entry.call, entry.kind, entry.body, entry.hash) for entry in entries])
