"""Reads large messages before the SDK does. The SDK would parse them in the event loop while other clients wait.

Base64 files are taken out and decoded in small steps. The size of the rest and its number of values are limited, so
that parsing it takes a few milliseconds.
"""

import json
import re
import time
from binascii import Error, a2b_base64
from collections.abc import Iterator

from mailgun_mcp.request.received_files import ReceivedFiles
from mailgun_mcp.text.sizes import megabytes

LARGE = 256 * 1024
"""Bytes. A message up to this size is parsed at once."""
MOST = 40 * 1024 * 1024
"""Maximum size of a message in bytes. A mail of 25 MB with its attachments in base64 fits."""
MOST_TEXT = 4 * 1024 * 1024
"""Maximum size of a message without its base64 files, in bytes."""
MOST_VALUES = 50_000
"""Maximum number of items in the lists and objects of a message."""
MOST_NAMES = 25_000
"""Maximum number of names in the objects of a message. A name costs ten times as much as a number in a list."""
LEAST_FILE = 64 * 1024
"""Minimum length of a base64 text that is taken out, in characters."""
STEP = 256 * 1024
"""Characters that are decoded at once. Other threads run after each step."""
MOST_TOKENS = 10_000
FARTHEST = 1024 * 1024

FILE = re.compile(rb'"base64"\s{0,20}:\s{0,20}"')
INSIDE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
"""The rest of a JSON string, up to its closing quote."""
TOKEN = re.compile(rb'["{}\[\]]')
ID = re.compile(rb'\s*:\s*(-?[0-9]{1,18}|"[^"\\]{0,200}")\s*[,}]')
WAY_OUT = (
    "Nothing was sent. Give a large file as {base64}, or as {path} if the server was started with --files DIR, and split "
    "long lists over several calls."
)


class TooLargeError(Exception):
    """A message that is refused before it is parsed. The text says why, and what to do."""


def bounded(body: bytes | bytearray, files: ReceivedFiles) -> tuple[bytes, list[str]]:
    """Return the message without its large files, and the names that stand in for them.

    Takes time for a large message, and lets other threads run meanwhile. Raises TooLargeError.
    """
    refuse_longer(len(body))
    places = list(_files_in(body))
    text = len(body) - sum(end - start for start, end in places)
    if text > MOST_TEXT:
        raise TooLargeError(
            f"The message has {megabytes(text)} in addition to its base64 files, more than the limit of "
            f"{megabytes(MOST_TEXT)}. "
            f"{WAY_OUT}"
        )
    names: list[str] = []
    rest = bytearray()
    last = 0
    try:
        for start, end in places:
            name = files.keep(_decoded(body, start, end))
            names.append(name)
            rest += memoryview(body)[last:start]
            rest += name.encode()
            last = end
        rest += memoryview(body)[last:]
        _refuse_many_values(rest)
    except TooLargeError:
        files.discard(names)
        raise
    return bytes(rest), names


def refuse_longer(size: int) -> None:
    """Raise TooLargeError if a message of this size is over the limit."""
    if size > MOST:
        raise TooLargeError(f"The message has {megabytes(size)}, more than the limit of {megabytes(MOST)}. {WAY_OUT}")


def message_id(body: bytes | bytearray) -> int | str | None:
    """Return the id of a JSON-RPC message without parsing it, or None if it is not near the start."""
    position = depth = 0
    for _ in range(MOST_TOKENS):
        token = TOKEN.search(body, position, position + FARTHEST)
        if token is None:
            return None
        position = token.end()
        if token[0] in b"{[":
            depth += 1
        elif token[0] in b"}]":
            depth -= 1
        else:
            end = _end_of_string(body, position)
            if depth == 1 and body[position:end] == b"id" and (match := ID.match(body, end + 1)):
                identifier: int | str = json.loads(match[1])
                return identifier
            position = end + 1
    return None


def _files_in(body: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield the span of each large base64 file. If the quote before the name is escaped, it is part of another text."""
    position = 0
    while (position := _find(body, b'"base64"', position)) >= 0:
        opening = FILE.match(body, position)
        if opening is None or body[position - 1 : position] == b"\\":
            position += 1
            continue
        start = opening.end()
        end = _end_of_string(body, start)
        if end - start >= LEAST_FILE:
            yield start, end
        position = end


def _find(body: bytes | bytearray, text: bytes, position: int) -> int:
    """Return where `text` occurs next, or -1. Other threads run after each step."""
    while position < len(body):
        start = body.find(text, position, position + FARTHEST + len(text))
        if start >= 0:
            return start
        position += FARTHEST
        time.sleep(0)
    return -1


def _end_of_string(body: bytes | bytearray, start: int) -> int:
    end = start - 1
    while (end := body.find(b'"', end + 1)) >= 0:
        backslashes = end
        while backslashes > start and body[backslashes - 1] == 0x5C:
            backslashes -= 1
        if (end - backslashes) % 2 == 0:
            return end
    return len(body)


def _decoded(body: bytes | bytearray, start: int, end: int) -> bytes:
    """Return the file. The text may contain line breaks, and escaped slashes as PHP writes them."""
    data = bytearray()
    rest = b""
    while start < end:
        stop = min(start + STEP, end)
        if body[stop - 1] == 0x5C and stop < end:
            stop += 1
        piece = bytes(memoryview(body)[start:stop])
        if b"\\" in piece:
            piece = piece.replace(b"\\/", b"/").replace(b"\\n", b"").replace(b"\\r", b"")
        piece = rest + piece.replace(b" ", b"")
        start = stop
        whole = len(piece) if start >= end else len(piece) // 4 * 4
        try:
            data += a2b_base64(piece[:whole], strict_mode=True) if whole else b""
        except Error:
            raise TooLargeError("A file in the message is not valid base64. Nothing was sent.") from None
        rest = piece[whole:]
        if start < end and b"=" in piece[:whole]:
            raise TooLargeError("A file in the message is not valid base64: it has = in its middle. Nothing was sent.")
        time.sleep(0)
    return bytes(data)


def _refuse_many_values(text: bytearray) -> None:
    """Count values and names by their punctuation. If there is too much, leave out that in texts, such as CSV files."""
    values, names = _signs(text, 0, len(text))
    if values <= MOST_VALUES and names <= MOST_NAMES:
        return
    for strings, (start, end) in enumerate(_strings(text), 1):
        values_inside, names_inside = _signs(text, start, end)
        values, names = values - values_inside, names - names_inside
        if strings > MOST_VALUES * 2:
            values = strings
            break
        if strings % 1_000 == 0:
            time.sleep(0)
    if values > MOST_VALUES:
        raise TooLargeError(f"The message has more than {MOST_VALUES:,} values. Nothing was sent. Make several calls.")
    if names > MOST_NAMES:
        raise TooLargeError(f"The message has more than {MOST_NAMES:,} names. Nothing was sent. Make several calls.")


def _signs(text: bytes | bytearray, start: int, end: int) -> tuple[int, int]:
    """Return the number of signs that precede a value, and of those that follow a name."""
    values = text.count(b",", start, end) + text.count(b"[", start, end) + text.count(b"{", start, end)
    return values, text.count(b":", start, end)


def _strings(text: bytearray) -> Iterator[tuple[int, int]]:
    """Yield the span inside each string. A long string comes in parts, and other threads run between them."""
    end = -1
    while (start := text.find(b'"', end + 1)) >= 0:
        end = start + 1
        while True:
            start, end = end, _end_of_part(text, end)
            yield start, end
            if end == start or end >= len(text) or text[end] == 0x22:
                break
            time.sleep(0)


def _end_of_part(text: bytearray, start: int) -> int:
    part = INSIDE.match(text, start, start + STEP)
    return part.end() if part else start
