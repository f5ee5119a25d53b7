"""Reads request bodies again, with parsers that are not the ones under test."""

from typing import Any
from urllib.parse import parse_qsl

from python_multipart.multipart import MultipartParser, parse_options_header

from mailgun_mcp.request.build import Request
from mailgun_mcp.request.multipart import Part


def decode_multipart(content: bytes, content_type: str) -> list[Part]:
    """Return the parts of a multipart body."""
    kind, options = parse_options_header(content_type)
    assert kind == b"multipart/form-data"
    reader = _Reader()
    parser = MultipartParser(options[b"boundary"], reader.callbacks())
    assert parser.write(content) == len(content)
    parser.finalize()
    assert reader.ended
    return reader.parts


def form_of(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form body, of either encoding, in order; a file by its text."""
    content_type = dict(request.headers)["Content-Type"]
    if content_type == "application/x-www-form-urlencoded":
        return (
            parse_qsl(request.content.decode(), keep_blank_values=True, strict_parsing=True) if request.content else []
        )
    return [(part.name, part.data.decode()) for part in decode_multipart(request.content, content_type)]


class _Reader:
    """Collects what the parser calls back with."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self.headers: dict[str, bytes] = {}
        self.name = b""
        self.value = b""
        self.data = b""

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self.begin,
            "on_header_field": self.field,
            "on_header_value": self.header,
            "on_header_end": self.header_end,
            "on_part_data": self.body,
            "on_part_end": self.part_end,
            "on_end": self.end,
        }

    def begin(self) -> None:
        self.headers, self.data = {}, b""

    def field(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]

    def header(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def header_end(self) -> None:
        self.headers[self.name.decode().lower()] = self.value
        self.name = self.value = b""

    def body(self, data: bytes, start: int, end: int) -> None:
        self.data += data[start:end]

    def part_end(self) -> None:
        disposition = self.headers["content-disposition"].decode()
        kind, _, rest = disposition.partition("; name=")
        assert kind == "form-data"
        name, _, filename = rest.removesuffix('"').removeprefix('"').partition('"; filename="')
        content_type = self.headers.get("content-type")
        self.parts.append(
            Part(
                name,
                self.data,
                filename if '"; filename="' in rest else None,
                content_type.decode() if content_type else None,
            )
        )

    def end(self) -> None:
        self.ended = True
