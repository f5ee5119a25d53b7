"""The note of the log's last entry beside its database. It is signed: another entry is noted only with a key of the log."""

from dataclasses import replace
from hmac import compare_digest

from mailgun_mcp.audit.entries import head_signature, key_of
from mailgun_mcp.audit.heads import FILE, Head, note, noted
from mailgun_mcp.audit.log_keys import AuditKey, AuditKeys, new_key
from mailgun_mcp.errors import StateError, reason_of
from mailgun_mcp.settings import shell_command
from mailgun_mcp.store.database import Store


class HeadNote:
    """The note in one state directory. Servers that share a database have one each, and the first of them has none."""

    def __init__(self, store: Store, keys: AuditKeys) -> None:
        self._store = store
        self._keys = keys

    def read(self) -> Head | None:
        """Return the head that is noted, or None. Raises StateError if the note is damaged."""
        return noted(self._store.directory)

    def signed(self, head: Head, key: AuditKey | None = None) -> Head:
        """Return the head, signed with `key` or the newest one. Raises StateError if that cannot be read."""
        key = key or self._keys.newest()
        if key is None:
            return head
        return replace(head, signature=head_signature(key, seq=head.seq, entry_hash=head.hash, at=head.at))

    def write(self, head: Head) -> None:
        """Replace the note. Raises StateError."""
        try:
            note(self._store.directory, head)
        except OSError as error:
            raise StateError(f"the head of the audit log cannot be recorded: {reason_of(error)}") from error

    def begin(self, head: Head, now: float) -> AuditKey:
        """Create the log's first key, and return it. `head` is noted with it before, unless a later one is noted."""
        key, earlier = new_key(), self.read()
        if earlier is None or earlier.seq <= head.seq:
            # A process that died here left a note without its key, which is replaced.
            self.write(self.signed(head, key))
        return self._keys.add(now, key)

    def fault(self, head: Head | None) -> str | None:
        """Return why the note of a log with a key cannot be believed, in words, or None. `head` is what it says."""
        if head is None:
            return None if self._store.sealer else self._distrusted("is missing")
        return None if self._is_genuine(head) else self._distrusted("was not written by a server with the log's key")

    def _is_genuine(self, head: Head) -> bool:
        key = self._keys.get(key_of(head.signature) or "")
        made = self.signed(head, key).signature if key else ""
        return bool(made) and compare_digest(made.encode(), head.signature.encode())

    def _distrusted(self, why: str) -> str:
        command = shell_command("audit", "restart", "--reason", "TEXT", state=self._store.command_directory)
        return (
            f"{self._store.directory / FILE}, where the server notes the end of the log, {why}, so entries may be "
            f"missing at the end: restore the file, or record why with `{command}`"
        )
