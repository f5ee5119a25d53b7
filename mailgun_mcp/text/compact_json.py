"""Writes JSON without spaces, and with characters that are not ASCII as they are."""

import json
from collections.abc import Callable
from typing import Any

Encode = Callable[[Any], str]


def encode_with(*, separators: tuple[str, str] = (",", ":"), sort_keys: bool = False) -> Encode:
    """Return a function that writes a value as JSON. A value that contains itself raises RecursionError.

    Looking for such a value takes longer than writing a small one.
    """
    return json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=separators, sort_keys=sort_keys).encode


compact: Encode = encode_with()
"""Returns a value as JSON without spaces."""
