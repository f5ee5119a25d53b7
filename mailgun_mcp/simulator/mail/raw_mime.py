"""Fills in variables in a MIME message as it was sent, also where it is encoded. The rest stays byte for byte."""

import base64
import quopri
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mailgun_mcp.text.characters import replace_surrogates

if TYPE_CHECKING:
    from email.message import Message

ENCODED = re.compile(rb"(?im)^content-transfer-encoding:\s*(base64|quoted-printable)|=\?[^?\s]+\?[bq]\?")
"""Finds a MIME message that has encoded text, in a part or in a header."""
WORDS = re.compile(r"=\?[^?\s]+\?[bq]\?[^?]*\?=(?:\s+=\?[^?\s]+\?[bq]\?[^?]*\?=)*", re.IGNORECASE)
"""Finds encoded words beside each other in a header. An address beside them does not belong to them."""


def filled_in_mime(mime: bytes, fill: Callable[[str], str], decode_header: Callable[[str], str]) -> bytes:
    """Return the message with `fill` applied to its text. `decode_header` decodes the encoded words of a header."""
    if ENCODED.search(mime):
        from email.parser import BytesParser

        mail = BytesParser().parsebytes(mime)
        line_end = "\r\n" if b"\r\n" in mime else "\n"
        # Encoded text comes first: what is written between its signs as it is would not be read as it was meant.
        for old, new in [*_headers(mail, fill, decode_header, line_end), *_parts(mail, fill)]:
            mime = mime.replace(old, new, 1)
    return _to_bytes(fill(mime.decode("utf-8", "surrogateescape")))


def _headers(
    mail: "Message[str, str]", fill: Callable[[str], str], decode_header: Callable[[str], str], line_end: str
) -> Iterator[tuple[bytes, bytes]]:
    """Yield each header with encoded words that change, as it was and as it is now."""
    from email.header import Header

    def filled(words: re.Match[str]) -> str:
        text = decode_header(words[0])
        new = fill(text)
        return words[0] if new == text else Header(replace_surrogates(new), "utf-8").encode(linesep=line_end)

    for _, value in mail.raw_items():
        new = WORDS.sub(filled, str(value))
        if new != str(value):
            yield _to_bytes(str(value)), _to_bytes(new)


def _parts(mail: "Message[str, str]", fill: Callable[[str], str]) -> Iterator[tuple[bytes, bytes]]:
    """Yield each encoded text that changes, as it was and as it is now."""
    for part in mail.walk():
        encoding, payload = str(part.get("Content-Transfer-Encoding", "")).strip().lower(), part.get_payload()
        if part.get_content_maintype() != "text" or encoding not in ENCODERS or not isinstance(payload, str):
            continue
        if part.get_content_disposition() == "attachment":
            continue
        try:
            charset = str(part.get_content_charset("utf-8"))
            text = bytes(part.get_payload(decode=True)).decode(charset)
            new = fill(text)
            encoded = ENCODERS[encoding](new.encode(charset, "replace"))
        except (LookupError, ValueError):
            continue
        if new != text:
            line_end = b"\r\n" if "\r\n" in payload else b"\n"
            yield _to_bytes(payload), encoded.replace(b"\r\n", b"\n").replace(b"\n", line_end)


def _to_bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # A value has half a character.
        return text.encode("utf-8", "replace")


ENCODERS: dict[str, Callable[[bytes], bytes]] = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}
