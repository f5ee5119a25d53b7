"""Parts of large collections in JSON. An account is written in parts, which can be read on demand."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

Encode = Callable[[Any], Any]
"""Returns a record as JSON."""


class Stored(Protocol):
    """A handle to JSON that is not in memory."""

    def read(self) -> bytes:
        """Return the JSON. Raises ValueError when it is no longer available."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a large collection."""

    stored: bytes | Stored
    """The JSON, or a handle to it."""
    index: Any = None
    """What is known of the part without reading its content; None for a part that is always read at once."""

    def __deepcopy__(self, _: object) -> "Part":
        return self

    @property
    def content(self) -> bytes:
        """The JSON, read if necessary."""
        return self.stored if isinstance(self.stored, bytes) else self.stored.read()


def to_text(value: Any) -> bytes:
    """Return a value as compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()
