"""Verifies that no entry of a log was changed, added, removed or moved, and that it has all heads noted earlier."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mailgun_mcp.audit.entries import START, StoredEntry, keyed_hash, plain_hash
from mailgun_mcp.audit.heads import Head
from mailgun_mcp.audit.log_keys import AuditKeys
from mailgun_mcp.text.durations import iso


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of checking the chain of hashes."""

    entries: int
    head: str
    """The hash of the last entry."""
    broken: str | None = None
    """The first fault, or why nothing could be verified, in words; None if the log is intact."""
    seq: int = 0
    """The number of the last entry."""
    notes: tuple[str, ...] = ()
    """Further information for the reader of an intact log."""
    nothing: bool = False
    """Whether there is no entry, and no trace of one."""
    compared: tuple[Head, ...] = ()
    """The heads that the log was compared with: the one noted beside it, and the newest of those that were given."""


@dataclass(slots=True)
class ChainCheck:
    """The check of one log, entry by entry."""

    keys: AuditKeys
    anchor: tuple[int, str]
    heads: Sequence[Head] = ()
    expect: str | None = None
    """The hash of a head that was noted earlier."""
    seq: int = 0
    prev: str = START
    count: int = 0
    _key: str | None = None
    _next_key: str | None = None
    """Id of the new key after a key rotation."""
    _pruned: bool = False
    _expected: bool = False
    _plain: int = 0
    _notes: list[str] = field(default_factory=list)
    _hashes: dict[int, str] = field(default_factory=dict)
    """Hashes of the entries whose heads were noted."""
    _restarted: float = 0.0

    def __post_init__(self) -> None:
        self.seq, self.prev = self.anchor
        self._pruned = self.seq == 0
        self._expected = self.expect in (None, START, self.prev)
        self._hashes = dict.fromkeys((head.seq for head in self.heads), "")

    def run(self, entries: Iterable[StoredEntry], last: int) -> Verification:
        """Return the result. `last` is the number of the newest entry according to the database."""
        for entry in entries:
            fault = self._fault(entry)
            if fault:
                return self._result(fault)
            self._take(entry)
        return self._result(self._missing(last) or self._missing_head())

    def _fault(self, entry: StoredEntry) -> str | None:
        named = f"entry {entry.seq} ({entry.call or entry.kind})"
        fault = self._wrong_key(entry, named) or self._wrong_hash(entry, named)
        if fault:
            return fault
        if entry.seq != self.seq + 1:
            return f"entries {self.seq + 1} to {entry.seq - 1} are missing before {named}"
        if entry.prev != self.prev:
            return f"{named} does not follow the entry before it"
        return None

    def _wrong_key(self, entry: StoredEntry, named: str) -> str | None:
        key, expected = entry.key, self._next_key or self._key
        if key == expected or self.count == 0:
            return None
        if key is None:
            return f"{named} was changed"
        if entry.kind == "restarted" or (entry.kind == "sealed" and expected is None):
            return None
        return f"{named} is signed with the key {key}, and no entry says that the key was changed to it"

    def _wrong_hash(self, entry: StoredEntry, named: str) -> str | None:
        if entry.key is None:
            return None if entry.hash == plain_hash(entry) else f"{named} was changed"
        key = self.keys.get(entry.key)
        if key is None:
            return f"the key {entry.key} of {named} is missing: neither the keyring nor the file of keys has it"
        made = keyed_hash(
            key,
            seq=entry.seq,
            prev=entry.prev,
            at=entry.at,
            call=entry.call,
            kind=entry.kind,
            body=entry.body,
        )
        return None if entry.hash == made else f"{named} was changed"

    def _take(self, entry: StoredEntry) -> None:
        self.seq, self.prev, self.count = entry.seq, entry.hash, self.count + 1
        self._expected = self._expected or entry.hash == self.expect
        if entry.seq in self._hashes:
            self._hashes[entry.seq] = entry.hash
        self._key, self._next_key = entry.key, None
        if entry.key is None:
            self._plain += 1
        elif entry.kind == "rotated":
            self._next_key = str(entry.fields.get("to"))
        elif entry.kind == "restarted":
            self._restarted = entry.at
            fields = entry.fields
            self._notes.append(f"the log was restarted at {iso(entry.at)} by {fields['by']}: {fields['reason']}")
        elif entry.kind == "pruned":
            self._pruned = self._pruned or entry.fields.get("anchor") == list(self.anchor)

    def _missing(self, last: int) -> str | None:
        if last > self.seq:
            return f"entries {self.seq + 1} to {last} are missing at the end"
        if not self._pruned:
            return f"entries 1 to {self.anchor[0]} are missing at the start, and no entry says that they were pruned"
        if not self._expected:
            pruned = ", or that entry was pruned" if self.anchor[0] else ""
            return f"no entry has the expected hash {self.expect}: the log was rewritten{pruned}"
        if self.count and self._key is None and self.keys.exist:
            return "no entry has a key, although this log had one: it was rewritten or replaced"
        return None

    def _missing_head(self) -> str | None:
        """Return which head the log lacks. Heads before a restart do not count: a person explained them."""
        for head in self.heads:
            fault = self._fault_of(head)
            if fault and head.at >= self._restarted:
                return fault
        return None

    def _fault_of(self, head: Head) -> str | None:
        seq, entry_hash = self.anchor
        if head.seq < seq or (head.seq, head.hash) == (seq, entry_hash) or self._hashes.get(head.seq) == head.hash:
            return None
        noted = f"as recorded at {iso(head.at)} ({head.source or 'a given head'})"
        if head.seq > self.seq:
            missing = f"{_entries(self.seq + 1, head.seq)} missing" if self.seq else "the log is missing"
            return f"{missing}: it had {head.seq} entries, {noted}"
        return f"entry {head.seq} is not {noted}: the log was rewritten or replaced"

    def _result(self, broken: str | None) -> Verification:
        notes = list(self._notes)
        if self._plain and not broken:
            end = "" if self._key else ", and will be sealed when a server next writes to it"
            notes.insert(
                0,
                f"the first {self._plain:,} entries were written by version 0.1, whose hashes have no key{end}",
            )
        return Verification(self.count, self.prev, broken, self.seq, tuple(notes))


def _entries(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"
