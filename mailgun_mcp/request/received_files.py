"""Files that arrive as base64 in a large message. They are decoded before anything reads it, and kept for the call.

In the arguments a name replaces their content, so that 40 MB are not parsed, copied and hashed in the event loop. The
name is random, so that nobody can name a file of another call.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from secrets import token_hex
from threading import Lock
from typing import Any

MARK = "received file "
MOST = 160 * 1024 * 1024
"""Most bytes that are kept at a time. Beyond that the oldest files are dropped, and their calls refused."""
MOST_ARGUMENTS = 500
"""Most arguments of one call. The largest tool has a tenth of that."""


class ReceivedFiles:
    """The files of the calls in progress."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._lock = Lock()

    def keep(self, data: bytes) -> str:
        """Keep a file and return its name, which shows a person its size and digest."""
        name = f"{MARK}{token_hex(16)}: {len(data):,} bytes, SHA-256 {sha256(data).hexdigest()[:12]}"
        with self._lock:
            self._files[name] = data
            size = sum(map(len, self._files.values()))
            for oldest in list(self._files)[:-1]:
                if size <= MOST:
                    break
                size -= len(self._files.pop(oldest))
        return name

    def find(self, name: str) -> bytes | None:
        """Return the file with that name, or None."""
        return self._files.get(name)

    def discard(self, names: Iterable[str]) -> None:
        """Drop the files of a call that has ended."""
        with self._lock:
            for name in names:
                self._files.pop(name, None)


def names_in(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of received files in the arguments. None for a call with too many arguments, which is refused."""
    if len(arguments) > MOST_ARGUMENTS:
        return
    for value in arguments.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and str(item.get("base64", "")).startswith(MARK):
                yield str(item["base64"])
