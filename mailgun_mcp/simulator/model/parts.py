"""Parts of large collections in JSON: what an account is written as, and read from when it is needed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Encode = Callable[[Any], Any]
"""Returns a record as JSON."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a large collection."""

    content: bytes
    """JSON."""
    index: Any = None
    """What can be said of the part without reading its content; None if it is always read at once."""


def to_text(value: Any) -> bytes:
    """Return JSON in its shortest form."""
    return json.dumps(value, separators=(",", ":")).encode()
