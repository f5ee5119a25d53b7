"""What listed tools cost: bytes on the wire, and tokens for the model that reads them."""

import re
from collections.abc import Iterable

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.text.compact_json import compact

PIECE = re.compile(r"[A-Za-z]+|\d{1,3}|[^\sA-Za-z\d]+")
PIECES_PER_TOKEN = 0.967
"""Measured on the tools of the catalogue with the o200k tokenizer. Every toolset is within a tenth of it."""
READ_BY_MODELS = ("name", "description", "inputSchema")


def list_bytes(tools: Iterable[Record]) -> int:
    """Return the size in bytes of the list as it is sent to a client."""
    return len(compact(list(tools)).encode())


def estimated_tokens(tools: Iterable[Record]) -> int:
    """Return about how many tokens a model reads when its client passes it the tools."""
    pieces = sum(len(PIECE.findall(compact({key: tool[key] for key in READ_BY_MODELS}))) for tool in tools)
    return round(pieces / PIECES_PER_TOKEN)
