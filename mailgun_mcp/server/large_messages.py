"""Reads large messages before the SDK does, which would parse them in the event loop while other clients wait.

Files in base64 are taken out and decoded in small steps. What is left is bounded in its size and its number of values,
so that parsing it takes a few milliseconds.
"""

import json
import re
import time
from binascii import Error, a2b_base64
from collections.abc import Iterator

from mailgun_mcp.request.received_files import ReceivedFiles
from mailgun_mcp.text.sizes import megabytes

LARGE = 256 * 1024
"""Bytes. Smaller messages are parsed at once."""
MOST = 40 * 1024 * 1024
"""Bytes of a message. A mail of 25 MB with its attachments in base64 fits."""
MOST_TEXT = 4 * 1024 * 1024
"""Bytes of a message beside its base64 files."""
MOST_VALUES = 50_000
"""Items of lists and objects in a message."""
MOST_NAMES = 25_000
"""Names in objects. Each costs ten times what a number in a list does."""
LEAST_FILE = 64 * 1024
"""Characters of base64 that are worth taking out."""
STEP = 256 * 1024
"""Characters that are decoded at once: other threads go on after each."""
MOST_TOKENS = 10_000
FARTHEST = 1024 * 1024

FILE = re.compile(rb'"base64"\s{0,20}:\s{0,20}"')
INSIDE = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
"""The rest of a text, up to the quote at its end."""
TOKEN = re.compile(rb'["{}\[\]]')
ID = re.compile(rb'\s*:\s*(-?[0-9]{1,18}|"[^"\\]{0,200}")\s*[,}]')
WAY_OUT = (
    "Nothing was sent. Give a large file as {base64}, or as {path} if the server was started with --files DIR, and split "
    "long lists over several calls."
)


class TooLargeError(Exception):
    """A message that is refused before it is parsed. The text says why, and the way out."""


def bounded(body: bytes | bytearray, files: ReceivedFiles) -> tuple[bytes, list[str]]:
    """Return the message without its large files, and the names that stand for them in it.

    Takes time where the message is large, and lets other threads run meanwhile. Raises TooLargeError.
    """
    refuse_longer(len(body))
    places = list(_files_in(body))
    text = len(body) - sum(end - start for start, end in places)
    if text > MOST_TEXT:
        raise TooLargeError(
            f"The message has {megabytes(text)} beside its base64 files, more than the limit of {megabytes(MOST_TEXT)}. "
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
    """Raise TooLargeError for a message of this size if it is more than the limit."""
    if size > MOST:
        raise TooLargeError(f"The message has {megabytes(size)}, more than the limit of {megabytes(MOST)}. {WAY_OUT}")


def message_id(body: bytes | bytearray) -> int | str | None:
    """Return the id of a JSON-RPC message without parsing it, or None where it is not found near the start."""
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
            if depth == 1 and body[position:end] == b"id" and (found := ID.match(body, end + 1)):
                identifier: int | str = json.loads(found[1])
                return identifier
            position = end + 1
    return None


def _files_in(body: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield where the text of each large base64 file is. An escaped quote before the name means that it is in a text."""
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
    """Return where the text is next, or -1. Other threads go on after each step."""
    while position < len(body):
        found = body.find(text, position, position + FARTHEST + len(text))
        if found >= 0:
            return found
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
    """Return the file. The text may have escaped slashes, as PHP writes them, and line breaks."""
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
    """Count values and names by the signs between them. Signs in texts, such as a CSV file, are taken off where needed."""
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
    """Return how many signs stand before a value, and how many after a name."""
    values = text.count(b",", start, end) + text.count(b"[", start, end) + text.count(b"{", start, end)
    return values, text.count(b":", start, end)


def _strings(text: bytearray) -> Iterator[tuple[int, int]]:
    """Yield where the inside of each text is; of a long text one part after the other, so that other threads go on."""
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
