"""Files that came as base64 inside a large message: decoded before anything reads the message, and kept for its call.

Their text stands in the arguments as a name, so that 40 MB are not parsed, copied and hashed where others wait. The
name is random: nobody can name a file that another call brought.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from secrets import token_hex
from threading import Lock
from typing import Any

MARK = "received file "
MOST = 160 * 1024 * 1024
"""Bytes that are kept at the same time. Beyond them the oldest go, and their calls are refused."""
MOST_ARGUMENTS = 500
"""Of one call. The largest tool has a tenth."""


class ReceivedFiles:
    """The files of the calls that run."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._lock = Lock()

    def keep(self, data: bytes) -> str:
        """Keep a file and return its name, which says what a person wants to know of it."""
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
        """Return the file of that name, or None."""
        return self._files.get(name)

    def discard(self, names: Iterable[str]) -> None:
        """Forget files whose call is over."""
        with self._lock:
            for name in names:
                self._files.pop(name, None)


def names_in(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of received files that arguments give as files. A call with too many arguments is refused: it has none."""
    if len(arguments) > MOST_ARGUMENTS:
        return
    for value in arguments.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict) and str(item.get("base64", "")).startswith(MARK):
                yield str(item["base64"])
