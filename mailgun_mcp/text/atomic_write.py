"""Writes a whole file or none: whoever reads it sees the old content or the new, also after a crash or a power cut."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

SUFFIX = ".new"
"""Ends the name of a draft. One that is left over is that of a process that was killed."""


def write_file(path: Path, content: bytes | Iterable[bytes], *, mode: int = 0o600) -> None:
    """Replace the file with one that contains `content`, by default readable by its owner only. Raises OSError."""
    with draft_file(path, content, mode=mode) as draft:
        draft.replace(path)
    _sync(path.parent)


@contextmanager
def draft_file(path: Path, content: bytes | Iterable[bytes], *, mode: int = 0o600) -> Iterator[Path]:
    """Write `content` beside `path`, for a block that moves it there; a draft that is still there afterwards is removed."""
    draft = path.with_name(f".{path.name}.{token_hex(4)}{SUFFIX}")
    try:
        # For its owner alone before the first byte is in it.
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
    """The name of a new file outlives a power cut only when its directory is on the disk too."""
    if os.name != "posix":  # pragma: no cover - a directory cannot be opened there
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
