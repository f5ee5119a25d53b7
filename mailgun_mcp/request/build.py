"""Builds the exact HTTP request of a call.

The same object is shown to a person, hashed and sent.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

from mailgun_mcp.catalogue.catalogue import SUBACCOUNT_HEADER
from mailgun_mcp.catalogue.operation import HEADER_NAME, Argument, Operation
from mailgun_mcp.catalogue.pagination import plain_token
from mailgun_mcp.catalogue.saved_files import SAVE_AS
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.errors import ArgumentError
from mailgun_mcp.request.dates import epoch, rfc2822, rfc3339
from mailgun_mcp.request.durations import for_mailgun
from mailgun_mcp.request.files import FileError, Files
from mailgun_mcp.request.formats import header_value, line_break, path_part, slash, storage_host
from mailgun_mcp.request.multipart import Part, encode_multipart
from mailgun_mcp.request.new_files import NewFiles
from mailgun_mcp.text.compact_json import encode_with

FIELD_NAME = re.compile(r"[^\x00-\x1f\x7f]+")
"""Any other form field, without the characters that would end its line."""

ENCODE = encode_with(separators=(", ", ": "))
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, without its credentials."""

    method: str
    path: str
    """Path from the root of the API, percent-encoded."""
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes = field(default=b"", repr=False)
    host: str | None = None
    """The storage host to use instead of the API's own."""
    save_as: str | None = None
    """Name of the file to which the answer is written."""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    """Argument -> the content of its file, which is also part of `content`."""
    digest: str = field(init=False, repr=False, compare=False)
    """SHA-256, in hex, of everything that is sent and the name of the file to write. Computed once, because the content
    may be large.
    """

    def __post_init__(self) -> None:
        saved = [] if self.save_as is None else [self.save_as]
        head = ENCODE([self.method, self.host, self.target, self.headers, *saved])
        digest = sha256(head.encode() + b"\0")
        digest.update(self.content)
        object.__setattr__(self, "digest", digest.hexdigest())

    @property
    def target(self) -> str:
        """The path with its query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def line(self) -> str:
        """The request as a person reads it: method, host unless it is the usual one, path and query."""
        return f"{self.method} {self.host or ''}{self.target}"


def build(operation: Operation, arguments: Arguments, files: Files, *, subaccount: str | None = None) -> Request:
    """Return the request of the call. `validate` must have accepted `arguments`.

    `subaccount` is the configured one; an argument that names a subaccount takes precedence.
    Raises ArgumentError with all faults.
    """
    builder = _Builder(operation, files)
    # Without a required argument a different request would be built, for example for the configured subaccount.
    missing = [name for name in operation.input_schema.get("required", []) if arguments.get(name) is None]
    builder.faults += [f"{name}: is required" for name in missing]
    for argument in operation.arguments:
        value = arguments.get(argument.name)
        if value is not None:
            builder.put(argument, value)
    if subaccount and SUBACCOUNT_HEADER not in dict(builder.headers):
        builder.headers.append((SUBACCOUNT_HEADER, subaccount))
    return builder.request()


class _Builder:
    """Collects the parts of one request and all faults."""

    def __init__(self, operation: Operation, files: Files) -> None:
        self.operation = operation
        self.files = files
        self.path = operation.path
        self.query: Pairs = []
        self.raw_query = ""
        self.headers: Pairs = []
        self.parts: list[Part] = []
        self.json: Any = None if any(argument.location == "body" for argument in operation.arguments) else {}
        self.host: str | None = None
        self.save_as: str | None = None
        self.faults: list[str] = []
        self.sizes: dict[str, int] = {}
        self.file_contents: dict[str, bytes] = {}

    def put(self, argument: Argument, value: Any) -> None:
        try:
            getattr(self, f"_{argument.location}")(argument, value)
        except (ValueError, FileError) as fault:
            self.faults.append(f"{argument.name}: {fault}")

    def request(self) -> Request:
        content, content_type = self._content()
        self._check_sizes(content)
        if self.faults:
            raise ArgumentError(self.faults)
        headers = [*self.headers, *([("Content-Type", content_type)] if content_type else [])]
        # The URL of the next page repeats every filter, so only its query is used.
        query = self.raw_query or urlencode(self.query, quote_via=quote)
        return Request(
            self.operation.method,
            self.path,
            query,
            tuple(headers),
            content,
            self.host,
            self.save_as,
            self.file_contents,
        )

    def _path(self, argument: Argument, value: Any) -> None:
        text = ",".join(ENCODERS[argument.encode](value))
        fault = path_part(text) or (None if argument.format == "email" else slash(text))
        if fault:
            raise ValueError(fault)
        self.path = self.path.replace("{" + argument.wire + "}", quote(text, safe=""))

    def _query(self, argument: Argument, value: Any) -> None:
        self.query += [(argument.wire, text) for text in ENCODERS[argument.encode](value)]

    def _header(self, argument: Argument, value: Any) -> None:
        text = ",".join(ENCODERS[argument.encode](value))
        fault = header_value(text)
        if fault:
            raise ValueError(fault)
        self.headers.append((argument.wire, text))

    def _form(self, argument: Argument, value: Any) -> None:
        if argument.encode in ("file", "files"):
            items = value if argument.encode == "files" else [value]
            parts = [self.files.part(argument.wire, item) for item in items]
            if argument.encode == "file":
                self.file_contents[argument.name] = parts[0].data
        elif argument.encode == "family":
            parts = [_family_part(argument, key, item) for key, item in value.items()]
        else:
            if argument.encode == "json":
                value = nested(value, argument.nested)
            parts = [Part(argument.wire, text.encode()) for text in ENCODERS[argument.encode](value)]
        self.parts += parts
        self.sizes[argument.name] = sum(len(part.name.encode()) + len(part.data) for part in parts)

    def _json(self, argument: Argument, value: Any) -> None:
        written = nested(value, argument.nested) if argument.encode == "json" else _in_json(argument.encode, value)
        self.sizes[argument.name] = len(_compact(written))
        self.json[argument.wire] = _whole(written)

    def _body(self, argument: Argument, value: Any) -> None:
        written = nested(value, argument.nested)
        self.sizes[argument.name] = len(_compact(written))
        self.json = written

    def _host(self, _: Argument, value: Any) -> None:
        self.host = storage_host(value)

    def _answer(self, argument: Argument, value: Any) -> None:
        """Send nothing: the argument says which part of the answer to return, or where to write it."""
        if argument.name == SAVE_AS:
            NewFiles(self.files.directories).path(value)
            self.save_as = value

    def _page_path(self, _: Argument, value: Any) -> None:
        token = plain_token(value)
        fault = path_part(token) or slash(token)
        if fault:
            raise ValueError(fault)
        self.path += "/" + quote(token, safe="")

    def _page_url(self, _: Argument, value: Any) -> None:
        if not re.fullmatch(r"[A-Za-z0-9\-._~%!$&'()*+,;=:@/?]*", value):
            raise ValueError("is not a page token from an earlier result")
        self.raw_query = value

    def _content(self) -> tuple[bytes, str | None]:
        match self.operation.body:
            case None:
                return b"", None
            case "json":
                return (b"", None) if self.json is None else (_compact(self.json), "application/json")
            case "urlencoded":
                pairs = [(part.name, part.data.decode()) for part in self.parts]
                return urlencode(pairs, quote_via=quote).encode(), "application/x-www-form-urlencoded"
            case "multipart":
                return encode_multipart(self.parts) if self.parts else (b"", None)

    def _check_sizes(self, content: bytes) -> None:
        for rule in self.operation.rules:
            if "max_bytes" in rule:
                names = rule.get("over")
                size = sum(self.sizes.get(name, 0) for name in names) if names else len(content)
                if size > rule["max_bytes"]:
                    what = ", ".join(names) if names else "the whole request"
                    self.faults.append(f"{what}: {size:,} bytes is more than Mailgun's limit of {rule['max_bytes']:,}")


def nested(value: Any, wires: Mapping[str, str]) -> Any:
    """Return a JSON value with the parts at the paths in `wires` (`*/created_at`) written as Mailgun requires."""
    for path, encode in wires.items():
        value = _rewrite(value, path.split("/"), encode)
    return value


def _rewrite(value: Any, path: list[str], encode: str) -> Any:
    if not path:
        return value if value is None else _in_json(encode, value)
    head, rest = path[0], path[1:]
    if head == "*" and isinstance(value, list):
        return [_rewrite(item, rest, encode) for item in value]
    if isinstance(value, dict) and head in value:
        return {**value, head: _rewrite(value[head], rest, encode)}
    return value


def _in_json(encode: str, value: Any) -> Any:
    """Rewrite dates and yes/no values only: JSON has its own numbers, booleans and lists."""
    if encode in ("rfc2822", "rfc3339", "epoch", "yes_no", "comma", "duration_months", "duration_minutes"):
        return next(iter(ENCODERS[encode](value)), None)
    return value


def _family_part(argument: Argument, key: str, value: Any) -> Part:
    if not (HEADER_NAME if argument.wire else FIELD_NAME).fullmatch(key):
        raise ValueError(f"{key!r} is not a valid name")
    text = value if isinstance(value, str) else _compact(value).decode()
    if argument.single_line and line_break(text):
        raise ValueError(f"{key} contains a line break")
    return Part(f"{argument.wire}{key}", text.encode())


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _text(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(_whole(value))]


def _without_comma(item: Any) -> str:
    (text,) = _text(item)
    if "," in text:
        raise ValueError(f"{text!r} contains a comma, which would split it in two")
    return text


def _whole(value: Any) -> Any:
    """Return 10.0 as 10: JSON Schema accepts it as an integer, but Mailgun does not."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


ENCODERS: dict[str, Callable[[Any], Iterable[str]]] = {
    "text": _text,
    "flag": _text,
    "yes_no": lambda value: ["yes" if value else "no"],
    "yes": lambda value: ["yes"] if value else [],
    "rfc2822": lambda value: [rfc2822(value)],
    "rfc3339": lambda value: [rfc3339(value)],
    "epoch": lambda value: [epoch(value)],
    "duration_months": lambda value: [for_mailgun(value, "months")],
    "duration_minutes": lambda value: [for_mailgun(value, "minutes")],
    "repeat": lambda value: [text for item in value for text in _text(item)],
    "comma": lambda value: [",".join(map(_without_comma, value))],
    "json": lambda value: [_compact(value).decode()],
}
