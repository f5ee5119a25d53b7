"""Parses the body of a request: multipart, urlencoded or JSON."""

import json
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from mailgun_mcp.simulator.replies.reply import ApiError

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"
JSON = "application/json"
GZIP = zlib.MAX_WBITS | 16
"""The `wbits` value with which zlib expects a gzip header."""


@dataclass(frozen=True, slots=True)
class File:
    """A file in a multipart form."""

    filename: str
    content_type: str
    data: bytes


Field = str | File
Fields = dict[str, list[Field]]


def media_type(content_type: str) -> str:
    """Return the media type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def decompress(content: bytes, encoding: str, limit: int) -> bytes:
    """Undo the `Content-Encoding` of a body. Raises ApiError if it is damaged, unknown or over `limit` bytes."""
    if encoding.strip().lower() in ("", "identity"):
        return content
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise ApiError(415, f"Unsupported content encoding '{encoding}'")
    unzip = zlib.decompressobj(GZIP)
    try:
        data = unzip.decompress(content, limit + 1)
    except zlib.error as error:
        raise ApiError(400, "Invalid gzip data in the request body") from error
    if len(data) > limit:
        raise too_large()
    if not unzip.eof:
        raise ApiError(400, "Invalid gzip data in the request body")
    return data


def too_large() -> ApiError:
    """Return the error for a body that is larger than Mailgun accepts."""
    return ApiError(413, "request size exceeds 52.4MiB")


def parse_query(query: str) -> Fields:
    """Return the fields of a query or a urlencoded body, each with all its values."""
    return _grouped(list(parse_qsl(query, keep_blank_values=True)))


def parse_form(content: bytes, content_type: str) -> Fields:
    """Return the fields of a form. Raises ApiError if the body is not a form."""
    if not content:
        return {}
    if media_type(content_type) == URLENCODED:
        return parse_query(content.decode("utf-8", "replace"))
    return _grouped(_parse_multipart(content, content_type))


def parse_json(content: bytes) -> Any:
    """Return the JSON value in a body; an empty body is an empty object. Raises ApiError when it is not JSON."""
    try:
        return json.loads(content) if content else {}
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "Invalid JSON in the request body") from error


def _grouped(pairs: list[tuple[str, Any]]) -> Fields:
    fields: Fields = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def _parse_multipart(content: bytes, content_type: str) -> list[tuple[str, Field]]:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    parts = _Parts()
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    try:
        parser = MultipartParser(boundary, parts.callbacks())  # type: ignore[arg-type]  # its TypedDict names all callbacks
        parser.write(content)
        parser.finalize()
    except FormParserError as error:
        raise ApiError(400, "Invalid multipart form data") from error
    return [_field(headers, bytes(data)) for headers, data in parts.parts]


class _Parts:
    """Collects the parts that the parser reports through callbacks."""

    def __init__(self) -> None:
        self.parts: list[tuple[dict[bytes, bytes], bytearray]] = []
        self._name = b""
        self._value = b""

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": lambda: self.parts.append(({}, bytearray())),
            "on_part_data": self._data,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
        }

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1][1].extend(memoryview(data)[start:end])

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self.parts[-1][0][self._name.lower()] = self._value
        self._name = self._value = b""


def _field(headers: dict[bytes, bytes], data: bytes) -> tuple[str, Field]:
    from python_multipart.multipart import parse_options_header

    options = parse_options_header(headers.get(b"content-disposition", b""))[1]
    name = _unescaped(options.get(b"name", b""))
    if b"filename" not in options:
        return name, data.decode("utf-8", "replace")
    content_type = headers.get(b"content-type", b"application/octet-stream").decode("latin-1")
    return name, File(_unescaped(options[b"filename"]), content_type, data)


def _unescaped(name: bytes) -> str:
    """Undo the escaping that browsers apply to quotes and line breaks in names (WHATWG HTML, 4.10.21.8)."""
    text = name.decode("utf-8", "replace")
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
