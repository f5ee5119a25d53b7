"""Characters that a reader cannot see, as one set: to remove (`clean`), to mark (`show_invisible`), or to refuse.

Everything that a person or a model reads passes here, because such characters can hide, reorder or smuggle text.
"""

import json
import re
from functools import cache

VISIBLE_SYMBOLS = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u27bf\u2900-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
"""Characters that a variation selector may follow, to choose text or emoji. Elsewhere it could smuggle bytes."""
CONTROLS = "\x00-\x1f\x7f-\x9f"
LINE_BREAKS = "\x0b\x0c\x85\u2028\u2029"
"""Unicode line breaks other than those of ASCII."""
INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
"""Controls, joiners, directions, tags, fillers, surrogates, private planes; without tabs and line breaks."""
SELECTOR = f"(?<![{VISIBLE_SYMBOLS}])[\ufe0e\ufe0f]"
ANSI = r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b\x9c]*+(?:\x07|\x1b\\|\x9c)|[PX^_][^\x1b\x9c]*+(?:\x1b\\|\x9c)|[ -/]*+[0-~])"
C1_SEQUENCE = r"\x9b[0-?]*+[ -/]*+[@-~]"

ANY_LINE_BREAK = re.compile(f"\r\n?|[{LINE_BREAKS}]")


@cache
def _one() -> re.Pattern[str]:
    """Return the pattern of one invisible character. Compiled at first use: it is not needed at the start."""
    return re.compile(f"[{INVISIBLE}{LINE_BREAKS}\r]|{SELECTOR}")


@cache
def _sequence() -> re.Pattern[str]:
    """Return the same pattern, and a terminal's control sequence with all its parameters."""
    return re.compile(f"{ANSI}|{C1_SEQUENCE}|[{INVISIBLE}{LINE_BREAKS}\r]|{SELECTOR}")


@cache
def _reference() -> re.Pattern[str]:
    """Return the pattern of an HTML character reference, whose `&` may be escaped any number of times."""
    return re.compile(
        r"&(?:amp;)*+(?:#0*([0-9]{1,7})(?![0-9])|#[xX]0*([0-9a-fA-F]{1,6})(?![0-9a-fA-F])|([A-Za-z]{2,32}));?",
        re.IGNORECASE,
    )


@cache
def _escape() -> re.Pattern[str]:
    """Return the pattern of an escape in JSON, JavaScript, Python or a shell."""
    return re.compile(
        r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\u\{0*([0-9a-f]{1,6})\}|\\U([0-9a-f]{8})|\\u([0-9a-f]{4})|"
        r"\\x([0-9a-f]{2})|\\(0?33|e)(?=\[)",
        re.IGNORECASE,
    )


def clean(text: str) -> str:
    """Return the text without invisible parts: controls, terminal sequences, invisible and bidi characters.

    References and escapes for such characters become spaces, so that decoding the text again cannot bring them
    back. Line breaks become `\\n`. Never raises; cleaning twice changes nothing more.
    """
    if not (text.isascii() and text.isprintable()):
        text = _sequence().sub("", ANY_LINE_BREAK.sub("\n", text))
    if "&" in text:
        text = _reference().sub(_cleaned_reference, text)
    if "\\" in text:
        text = _escape().sub(_cleaned_escape, text)
    return text


def encodable(text: str) -> str:
    """Return the text with U+FFFD in place of lone surrogates, which neither a database nor a stream can write."""
    return text if text.isascii() else re.sub("[\ud800-\udfff]", "\ufffd", text)


def excerpt(text: str, most: int) -> str:
    """Return the text, or its first `most` characters and an ellipsis."""
    return text if len(text) <= most else f"{text[:most]}…"


def one_line(text: str) -> str:
    """Return the cleaned text on one line."""
    return " ".join(clean(text).split())


def show_invisible(text: str) -> str:
    """Return the text with the code of each invisible character in its place: `<U+202E>`.

    For what a person must judge: nothing is hidden, and nothing is dropped silently. Tabs and `\\n` stay.
    """
    if not (text.isascii() and text.isprintable()):
        text = _one().sub(_code, text.replace("\r\n", "\n"))
    if "&" in text:
        text = _reference().sub(_shown_reference, text)
    if "\\" in text:
        text = _escape().sub(_shown_escape, text)
    return text


def escape_invisible(text: str) -> str:
    """Return the text with a JSON escape for each invisible character. JSON text means the same afterwards."""
    if text.isascii() and text.isprintable():
        return text
    return _one().sub(lambda match: json.dumps(match[0])[1:-1], text.replace("\x7f", "\\u007f"))


def replace_surrogates(text: str) -> str:
    """Return the text with `?` in place of lone surrogates: JSON can contain them, but no text encoding can."""
    return text.encode("utf-8", "replace").decode()


def first_invisible(text: str) -> str | None:
    """Return the code (`U+202E`) of the first control or invisible character, tabs and line breaks included."""
    if text.isascii() and text.isprintable():
        return None
    match = _one().search(text) or re.search("[\t\n]", text)
    return f"U+{ord(match[0]):04X}" if match else None


def _code(match: re.Match[str]) -> str:
    return f"<U+{ord(match[0]):04X}>"


def _cleaned_reference(match: re.Match[str]) -> str:
    # A space instead of nothing, because nothing could complete another reference.
    return _replaced(_of_reference(match), match[0], " ")


def _cleaned_escape(match: re.Match[str]) -> str:
    return _replaced(_of_escape(match), match[0], " ")


def _shown_reference(match: re.Match[str]) -> str:
    return _replaced(_of_reference(match), match[0], None)


def _shown_escape(match: re.Match[str]) -> str:
    return _replaced(_of_escape(match), match[0], None)


def _replaced(meaning: str, written: str, replacement: str | None) -> str:
    """Return what was written. If it means something invisible, return `replacement`, or else that character's code."""
    if not _sequence().search(meaning):
        return written
    return _sequence().sub(replacement, meaning) if replacement is not None else _one().sub(_code, meaning)


def _of_reference(match: re.Match[str]) -> str:
    from html import unescape

    decimal, hexadecimal, name = match.groups()
    if name:
        return unescape(f"&{name};" if match[0].endswith(";") else f"&{name}")
    number = int(decimal) if decimal else int(hexadecimal, 16)
    # HTML maps these numbers to characters of Windows-1252.
    return "" if 0x80 <= number < 0xA0 else _character(number)


def _of_escape(match: re.Match[str]) -> str:
    high, low, *others = match.groups()
    if high:
        return _character(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    digits = next(group for group in others if group)
    return _character(0x1B if match[7] else int(digits, 16))


def _character(number: int) -> str:
    return chr(number) if number <= 0x10FFFF else "\ufffd"
