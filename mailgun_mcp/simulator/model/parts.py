"""Parts of large collections in JSON: what an account is written as, and read from when it is needed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Encode = Callable[[Any], Any]
"""Returns a record as JSON."""


class Stored(Protocol):
    """JSON that is not in memory."""

    def read(self) -> bytes:
        """Return it. Raises ValueError when it is no longer there."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a large collection."""

    stored: bytes | Stored
    """JSON, or where it is."""
    index: Any = None
    """What can be said of the part without reading its content; None if it is always read at once."""

    def __deepcopy__(self, _: object) -> "Part":
        return self

    @property
    def content(self) -> bytes:
        """The JSON."""
        return self.stored if isinstance(self.stored, bytes) else self.stored.read()


def to_text(value: Any) -> bytes:
    """Return JSON in its shortest form."""
    return json.dumps(value, separators=(",", ":")).encode()
