"""A file of lines, parts of which are read when they are needed."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mailgun_mcp.simulator.model.parts import Stored

BUFFER = 1 << 20
CAN_STAY_OPEN = hasattr(os, "pread")
"""Whether the system lets an open file be replaced, and then read on. Elsewhere all parts are in memory."""


class PartFile:
    """A file that stays open as long as one of its parts may be needed: it can still be read when another has its name."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises OSError."""
        self._path = path
        self._file = path.open("rb", BUFFER)

    def __deepcopy__(self, _: object) -> "PartFile":
        return self

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line and the offset at which it begins. Raises OSError."""
        self._file.seek(0)
        start = 0
        for line in self._file:
            yield start, line
            start += len(line)

    def part(self, start: int, offset: int, size: int) -> Stored:
        """Return the part at an offset from the start of a line."""
        return FilePart(self, start + offset, size)

    def read(self, start: int, size: int) -> bytes:
        """Return a part of the file. Raises ValueError when it is shorter now, and OSError."""
        content = os.pread(self._file.fileno(), size, start)
        if len(content) != size:
            raise ValueError(f"{self._path} became shorter while the simulator used it")
        return content


@dataclass(frozen=True, slots=True)
class FilePart:
    """Where a part is in a file."""

    file: PartFile
    start: int
    size: int

    def read(self) -> bytes:
        """Return the part. Raises ValueError when the file is shorter now, and OSError."""
        return self.file.read(self.start, self.size)
