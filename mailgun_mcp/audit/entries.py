"""The entries of the audit log, and the hash that chains each to the one before.

A keyed hash is written `KEY:HEX`. Entries of version 0.1 have a plain one.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest as hmac_digest
from json.encoder import encode_basestring_ascii
from typing import Any, Literal

from mailgun_mcp.audit.keys import AuditKey
from mailgun_mcp.store.database import stored

EntryKind = Literal["intent", "outcome", "pruned", "sealed", "rotated", "restarted"]
CALL_KINDS: tuple[EntryKind, ...] = ("intent", "outcome")
"""The other kinds are about the log itself."""
START = "0" * 64
"""What the first entry holds as the hash of the one before."""


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

    @property
    def key(self) -> str | None:
        """The id of the key of its hash, or None for a plain hash."""
        return key_of(self.hash)


def key_of(entry_hash: str) -> str | None:
    """Return the id of the key that a hash was made with, or None for a plain hash."""
    key, colon, _ = entry_hash.partition(":")
    return key if colon else None


def plain_hash(entry: StoredEntry) -> str:
    """Return the hash that version 0.1 gave an entry."""
    return sha256(json.dumps([entry.prev, entry.at, entry.call, entry.kind, entry.body]).encode()).hexdigest()


def keyed_hash(key: AuditKey, *, seq: int, prev: str, at: float, call: str, kind: str, body: str) -> str:
    """Return the hash of an entry, which nobody can make without the key."""
    texts = [encode_basestring_ascii(text) for text in (prev, call, kind, body)]
    # What json.dumps writes for [seq, prev, at, call, kind, body]; it would make an encoder for each entry.
    message = f"[{seq}, {texts[0]}, {at!r}, {texts[1]}, {texts[2]}, {texts[3]}]".encode()
    return f"{key.id}:{hmac_digest(key.secret, message, 'sha256').hex()}"
