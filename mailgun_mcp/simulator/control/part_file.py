"""A file of lines whose parts are read on demand."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mailgun_mcp.simulator.model.parts import Stored

BUFFER = 1 << 20
CAN_STAY_OPEN = hasattr(os, "pread")
"""Whether an open file stays readable after it is replaced on this system. If not, all parts are kept in memory."""


class PartFile:
    """A file that stays open while its parts may be needed. It stays readable when another file replaces it."""

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
        """Return the part at an offset from the start of a line. It is not read yet."""
        return FilePart(self, start + offset, size)

    def read(self, start: int, size: int) -> bytes:
        """Return `size` bytes of the file. Raises ValueError when the file has become shorter, and OSError."""
        content = os.pread(self._file.fileno(), size, start)
        if len(content) != size:
            raise ValueError(f"{self._path} became shorter while the simulator used it")
        return content


@dataclass(frozen=True, slots=True)
class FilePart:
    """The position of a part in a file."""

    file: PartFile
    start: int
    size: int

    def read(self) -> bytes:
        """Return the content of the part. Raises ValueError when the file has become shorter, and OSError."""
        return self.file.read(self.start, self.size)
