"""Writes a file completely or not at all: readers see the old content or the new, even after a crash or a power cut."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

SUFFIX = ".new"
"""Suffix of draft files. A leftover draft belongs to a process that was killed."""


def write_file(path: Path, content: bytes | Iterable[bytes], *, mode: int = 0o600) -> None:
    """Replace the file with one that contains `content`, by default readable only by its owner. Raises OSError."""
    with draft_file(path, content, mode=mode) as draft:
        draft.replace(path)
    _sync(path.parent)


@contextmanager
def draft_file(path: Path, content: bytes | Iterable[bytes], *, mode: int = 0o600) -> Iterator[Path]:
    """Write `content` to a draft beside `path`, for the block to move there. A draft that it leaves is deleted."""
    draft = path.with_name(f".{path.name}.{token_hex(4)}{SUFFIX}")
    try:
        # Private to its owner before the first byte is written.
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        if mode != 0o600:
            draft.chmod(mode)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    """Write the directory to disk too: only then does the name of a new file survive a power cut."""
    if os.name != "posix":  # pragma: no cover - a directory cannot be opened there
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
