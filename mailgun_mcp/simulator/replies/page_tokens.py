"""Opaque page tokens: JSON in URL-safe Base64."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from mailgun_mcp.simulator.replies.reply import ApiError


def encode_token(values: Sequence[Any]) -> str:
    """Return a token that contains these JSON values."""
    return urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).rstrip(b"=").decode()


def decode_token(token: str, types: Sequence[type | tuple[type, ...]]) -> list[Any]:
    """Return the values in a token, one for each of `types`. Raises ApiError if the values do not match the types."""
    try:
        values = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, RecursionError) as error:
        raise invalid_token() from error
    if not isinstance(values, list) or len(values) != len(types):
        raise invalid_token()
    if any(isinstance(value, bool) or not isinstance(value, kind) for value, kind in zip(values, types, strict=True)):
        raise invalid_token()
    return values


def invalid_token() -> ApiError:
    """Return the error for a token that the simulator did not make."""
    return ApiError(400, "Invalid page token")
