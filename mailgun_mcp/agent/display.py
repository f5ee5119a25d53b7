"""Limits what a chat may show of a text: no images, and no links that a click or the client itself would follow.

A mail can tell a model to put what it read into the address of an image or link, which the person's client then
fetches. So only links to Mailgun itself stay links. Texts are made safe while they stream.
"""

import re
from collections.abc import Callable

from mailgun_mcp.output.untrusted import IMAGE

OURS = r"https://(?:[a-z0-9-]+\.)*mailgun\.(?:com|net)(?=[/\s?#)>\]\"'`,;.]|\Z)(?!\.[a-z0-9])(?![^\s)>]*@)"
"""Matches the addresses that stay links."""
ADDRESS = re.compile(rf"(?P<ours>{OURS})|://[^\s/?#]*", re.IGNORECASE)
DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that change the direction of text, so that an address or a name could be misread."""
TAG = re.compile(r"<(?=[A-Za-z/!?])")
LINK = re.compile(rf"\](?=[(:])(?!\(<?{OURS})", re.IGNORECASE)
WWW = re.compile(r"(?<![\w/])www\.", re.IGNORECASE)
PLAIN = re.compile(r"[^!<\[\](){}:/\\]*")
STARTS = ("http", "https", "www")
LONGEST_HELD = 4_000


def safe(text: str) -> str:
    """Return the text without images, live links or changes of direction. Addresses stay readable."""
    text = TAG.sub("< ", LINK.sub("] ", IMAGE.sub("", DIRECTIONS.sub("", text))))
    return WWW.sub("www[.]", ADDRESS.sub(_defused, text))


def _defused(match: re.Match[str]) -> str:
    return match[0] if match["ours"] else match[0].replace(".", "[.]").replace("://", "[:]//")


class SafeText:
    """Makes a text safe while it streams. A word that could become a link is held back until it is complete."""

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit
        self._unsent = ""

    def add(self, text: str) -> None:
        """Add text, and emit what is known to be safe."""
        text = self._unsent + text
        ready = len(text) - _unfinished(text)
        if ready < len(text) - LONGEST_HELD:
            ready = len(text)
        self._unsent = text[ready:]
        if ready:
            self._emit(safe(text[:ready]))

    def end(self) -> None:
        """Emit what was held back."""
        if self._unsent:
            self._emit(safe(self._unsent))
            self._unsent = ""


def _unfinished(text: str) -> int:
    """Return how many characters at the end could become a link, depending on what follows."""
    end = len(text)
    start = end
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    word = text[start:]
    if PLAIN.fullmatch(word) and not any(name.startswith(word.lower().lstrip("*_~\"'`")) for name in STARTS if word):
        return 0
    return end - start
