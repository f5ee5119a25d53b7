"""Writes JSON without spaces, and with characters that are not ASCII as they are."""

import json
from collections.abc import Callable
from typing import Any

compact: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Returns a value as JSON without spaces. The encoder is made once: `json.dumps` would make one at each call."""
