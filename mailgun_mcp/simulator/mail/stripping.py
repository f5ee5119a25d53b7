"""Strips quoted text and the signature from mail, for the `stripped-…` fields of Mailgun.

Needs quotequail, and lxml for HTML. Without them nothing is stripped.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

LONGEST = 50_000
"""Maximum length of a body to strip, in characters. Long lines take long, and anyone can send mail."""
FORWARDED = re.compile(r"^(?:-+ ?Forwarded message ?-+|Begin forwarded message:)[ \t]*$", re.IGNORECASE | re.MULTILINE)
"""Matches the start of a forwarded message, which is not a quotation."""
SIGNATURE_LINES = 10
"""Maximum number of lines in a signature."""
SIGNATURE = re.compile(r"--[ \t]?|_{2,5}|Sent from my .{1,60}|Get Outlook for .{1,20}", re.IGNORECASE)
"""Matches the whole first line of a signature (RFC 3676, section 4.3, and the lines that phones add)."""


@dataclass(frozen=True, slots=True)
class StrippedBodies:
    """The sender's own text, without the quoted message and without the signature."""

    text: str
    signature: str
    html: str


@lru_cache(32)
def strip_bodies(text: str, html: str) -> StrippedBodies:
    """Return the bodies of a message without quotations. The text's signature is cut off and returned separately."""
    own, signature = _split_signature(_without_quotations(text, "text"))
    return StrippedBodies(own, signature, _without_quotations(html, "html"))


def _without_quotations(body: str, kind: str) -> str:
    if not body or len(body) > LONGEST or FORWARDED.search(body) or not _is_installed(kind):
        return body
    import quotequail

    unwrap: Callable[[str], Mapping[str, str] | None] = quotequail.unwrap_html if kind == "html" else quotequail.unwrap
    parts = unwrap(body.replace("\r\n", "\n"))
    if parts is None:
        return body
    own = [parts[name] for name in (f"{kind}_top", f"{kind}_bottom") if parts.get(name)]
    return "\n\n".join(own) if own else body


@lru_cache
def _is_installed(kind: str) -> bool:
    return find_spec("quotequail") is not None and (kind == "text" or find_spec("lxml") is not None)


def _split_signature(text: str) -> tuple[str, str]:
    if len(text) > LONGEST:
        return text, ""
    lines = text.splitlines()
    earliest = max(1, len(lines) - SIGNATURE_LINES)
    for number in range(len(lines) - 1, earliest - 1, -1):
        if SIGNATURE.fullmatch(lines[number]):
            return "\n".join(lines[:number]).rstrip(), "\n".join(lines[number:]).strip()
    return text, ""
