"""Writes JSON without spaces, and with characters that are not ASCII as they are."""

import json
from collections.abc import Callable
from json import encoder as of_json
from typing import Any

Encode = Callable[[Any], str]


def encode_with(*, separators: tuple[str, str] = (",", ":"), sort_keys: bool = False) -> Encode:
    """Return a function that writes a value as JSON, as a `json.JSONEncoder` of this kind does.

    `JSONEncoder.encode` makes a new encoder in C for each value, which takes longer than writing a small one.
    """
    plain = json.JSONEncoder(ensure_ascii=False, separators=separators, sort_keys=sort_keys)
    make = getattr(of_json, "c_make_encoder", None)
    if make is None:  # pragma: no cover - a Python without the module in C
        return plain.encode
    item, key = separators
    # Without the first argument, a value that contains itself raises RecursionError instead of ValueError.
    in_c = make(None, plain.default, of_json.encode_basestring, None, key, item, sort_keys, False, True)

    def encode(value: Any) -> str:
        return "".join(in_c(value, 0))

    return encode


compact: Encode = encode_with()
"""Returns a value as JSON without spaces."""
