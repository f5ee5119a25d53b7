"""Writes an account as lines of JSON and reads it back. A million events never have to fit in memory as one document.

The first line has the format and version. The second has the account without its large collections. Each line after
that has a part of a large collection, with the collection's path. The last line has the number of lines and a checksum.

A part with an index is read only when it is needed, so starting with a million events reads few of them.
"""

import json
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from mailgun_mcp.simulator.control.account_json import FORMAT, LEFT_OUT, VERSION, CodecError, encode, restored
from mailgun_mcp.simulator.control.part_file import CAN_STAY_OPEN, PartFile
from mailgun_mcp.simulator.model.account import Account
from mailgun_mcp.simulator.model.clock import Clock
from mailgun_mcp.simulator.model.event_log import EventLog
from mailgun_mcp.simulator.model.packed_events import Path
from mailgun_mcp.simulator.model.parts import Part, Stored, to_text
from mailgun_mcp.simulator.model.series import Series
from mailgun_mcp.simulator.model.stored_messages import StoredMessages

if TYPE_CHECKING:
    from pydantic import TypeAdapter

STREAM_VERSION = 3
OLDER_VERSIONS = frozenset({2})
"""Versions of the format that can still be read. Their parts have no index."""
LARGE = 100
"""Maximum number of entries of a mapping in the second line. Larger mappings are written in parts."""
PART_SIZE = 1 << 16
"""Approximate number of characters in the entries of one line."""
MAX_LINE = 1 << 28
"""Maximum length of a line in bytes."""

Collection = tuple[Path, Iterator[Part]]
"""The path of a large collection in the account, and its parts."""
CONTENT = b',"part":'
"""Precedes the content of a part in a line. It cannot occur inside a JSON string, where its quotes would be escaped."""
END_OF_PART = b"}\n"


LARGE_COLLECTIONS = (EventLog, Series, StoredMessages)


def account_lines(account: Account) -> Iterator[bytes]:
    """Return the lines. Changes made while they are being read are not included."""
    collections: list[Collection] = []
    head = {"format": FORMAT, "version": STREAM_VERSION, "now": account.clock.now()}
    first = [head, {"account": _without_large(account, Account, (), collections)}]
    return _written([_line(each) for each in first], collections)


def _written(lines: list[bytes], collections: list[Collection]) -> Iterator[bytes]:
    checksum = 0
    for line in lines:
        checksum = zlib.crc32(line, checksum)
        yield line
    number = len(lines)
    for path, parts in collections:
        for part in parts:
            line = _line_of(path, part)
            checksum, number = zlib.crc32(line, checksum), number + 1
            yield line
    yield _line({"lines": number, "crc32": checksum})


def _line(value: Any) -> bytes:
    return to_text(value) + b"\n"


def _line_of(path: Path, part: Part) -> bytes:
    start = {"path": path} if part.index is None else {"path": path, "index": part.index}
    return b"%s%s%s}\n" % (to_text(start)[:-1], CONTENT, part.content)


def _without_large(value: Any, kind: Any, path: Path, collections: list[Collection]) -> Any:
    """Like `encode`, but leave large collections empty and append their parts to `collections`."""
    if isinstance(value, EventLog):
        collections.append((path, value.parts()))
        return []
    if isinstance(value, StoredMessages):
        collections.append((path, value.parts(encode)))
        return {}
    if isinstance(value, Series):
        collections.append((path, value.parts()))
        return encode(value.empty_document())
    if is_dataclass(value):
        record = _record_of(value)
        left_out, kinds = LEFT_OUT.get(record, frozenset()), _kinds_of_fields(record)
        return {
            field.name: _without_large(getattr(value, field.name), kinds[field.name], (*path, field.name), collections)
            for field in fields(value)
            if field.name not in left_out
        }
    if isinstance(value, dict) and _has_texts_as_keys(kind):
        if len(value) > LARGE and _is_plain(kind):
            collections.append((path, _entries(list(value.items()))))
            return {}
        return {key: _without_large(item, get_args(kind)[1], (*path, key), collections) for key, item in value.items()}
    return encode(value)


def _entries(items: list[tuple[str, Any]]) -> Iterator[Part]:
    part: dict[str, Any] = {}
    size = 0
    for key, item in items:
        part[key] = encode(item)
        size += len(key) + 100
        if size > PART_SIZE:
            yield Part(to_text(part))
            part, size = {}, 0
    if part:
        yield Part(to_text(part))


@cache
def _kinds_of_fields(record: Hashable) -> dict[str, Any]:
    return get_type_hints(record)


def _has_texts_as_keys(kind: Any) -> bool:
    return get_origin(kind) is dict and get_args(kind)[0] is str


def _is_plain(kind: Any) -> bool:
    """Return whether the entries of a mapping contain no collections of records."""
    item = get_args(kind)[1]
    if not (is_dataclass(item) and isinstance(item, type)):
        return get_origin(item) is None and item is not Any
    inner = _kinds_of_fields(item).values()
    return not any(one in (Account, *LARGE_COLLECTIONS) or _holds_records(one) for one in inner)


def _holds_records(kind: Any) -> bool:
    return _has_texts_as_keys(kind) and is_dataclass(get_args(kind)[1])


class AccountReader:
    """Builds an account from lines that are added one by one."""

    def __init__(self, head: Any, clock: Clock, *, read_now: bool = True) -> None:
        """Start with the parsed first line. Raises CodecError when the format or version is wrong.

        With `read_now`, every part is read and checked at once. Without it, parts with an index are read on demand.
        """
        if not isinstance(head, dict) or head.keys() != {"format", "version", "now"}:
            raise CodecError("the first line must have format, version and now, and nothing else")
        if head["version"] not in {STREAM_VERSION, *OLDER_VERSIONS}:
            raise CodecError(f"version {head['version']!r} is not one that this release reads ({STREAM_VERSION})")
        self.now: float = head["now"]
        self._head, self._clock = head, clock
        self._account: Account | None = None
        self._lines, self._checksum = 1, zlib.crc32(_line(head))
        self._ended, self._read_now = False, read_now
        self._path: list[Any] = []
        self._target: tuple[Any, Any] = (None, None)

    def add(self, line: bytes, stored: Callable[[int, int], Stored] | None = None) -> None:
        """Add the next line. Raises CodecError when it is invalid.

        `stored` takes an offset in the line and a size, and returns a handle to read that content later. Without it,
        the content stays in memory.
        """
        if line[-1:] != b"\n" or line[-2:] == b"\r\n":
            line = line.rstrip(b"\r\n") + b"\n"
        record, start = _divided(line)
        match record:
            case {"lines": number, "crc32": checksum} if len(record) == 2 and not self._ended:
                self._ended = True
                if (number, checksum) != (self._lines, self._checksum):
                    raise CodecError("lines are missing or changed: the checksum does not match")
                return
            case {"account": document} if len(record) == 1 and self._account is None:
                self._account = restored({**self._head, "version": VERSION, "account": document}, self._clock)
            case {"path": list(path), **index} if (
                start and self._account and not self._ended and index.keys() <= {"index"}
            ):
                size = len(line) - len(END_OF_PART) - start
                content = stored(start, size) if stored and index else line[start : start + size]
                self._add_part(self._account, path, Part(content, index.get("index")))
            case _:
                raise CodecError(f"line {self._lines + 1} does not belong there")
        self._lines, self._checksum = self._lines + 1, zlib.crc32(line, self._checksum)

    def _add_part(self, account: Account, path: list[Any], part: Part) -> None:
        if path != self._path:
            self._path, self._target = path, _find(account, path)
        target, kind = self._target
        try:
            if isinstance(target, LARGE_COLLECTIONS):
                target.add_part(part if part.index is not None else _with_index(target, part), read_now=self._read_now)
            elif kind == dict[str, float]:
                target.update(_numbers(part.content))
            else:
                target.update(_adapter(kind).validate_json(part.content))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise CodecError(f"{'.'.join(path)}: {str(error).splitlines()[0]}") from error

    def account(self) -> Account:
        """Return the account once all lines were added. Raises CodecError when lines are missing."""
        if self._account is None or not self._ended:
            raise CodecError("the last lines are missing")
        return self._account


def parse_line(line: bytes) -> Any:
    """Return the parsed JSON of a line. Raises CodecError when it is not valid JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CodecError("it is not valid JSON") from error


def _divided(line: bytes) -> tuple[Any, int]:
    """Return the parsed line without the content of its part, and the offset of that content, or 0 if there is none.

    The content is not copied, because it may be long.
    """
    end = line.find(CONTENT)
    if end < 0:
        return parse_line(line), 0
    if not line.endswith(END_OF_PART):
        raise CodecError("it is not valid JSON")
    return parse_line(line[:end] + b"}"), end + len(CONTENT)


def account_from_lines(lines: Iterable[bytes], clock: Clock, *, read_now: bool = True) -> tuple[float, Account]:
    """Return the time in the snapshot and the account. Raises CodecError."""
    remaining = iter(lines)
    reader = AccountReader(parse_line(next(remaining, b"")), clock, read_now=read_now)
    for line in remaining:
        reader.add(line)
    return reader.now, reader.account()


def account_from_file(file: PartFile, clock: Clock) -> tuple[float, Account]:
    """Return the time in the file and the account. Most of the file is read later, on demand. Raises CodecError."""
    lines = file.lines()
    _, head = next(lines, (0, b""))
    reader = AccountReader(parse_line(head), clock, read_now=False)
    for start, line in lines:
        reader.add(line, partial(file.part, start) if CAN_STAY_OPEN else None)
    return reader.now, reader.account()


def is_stream(line: bytes) -> bool:
    """Return whether this first line starts the format in lines, not the older single document."""
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(head, dict) and "version" in head and "account" not in head


def _with_index(target: EventLog | Series | StoredMessages, part: Part) -> Part:
    """Return a part that an earlier release wrote, with the index that it lacks, computed from its content."""
    document = json.loads(part.content)
    if isinstance(target, StoredMessages):
        return Part(part.content, list(document))
    return Part(part.content, {"cells": len(document["cells"])} if "cells" in document else document)


def _numbers(content: bytes) -> dict[str, float]:
    """Return a mapping of numbers. Faster than pydantic for large mappings. Raises ValueError for any other content."""
    numbers: dict[str, float] = json.loads(content)
    if not isinstance(numbers, dict) or not set(map(type, numbers.values())) <= {int, float}:
        raise ValueError("it contains something other than numbers")
    return numbers


def _find(account: Account, path: list[Any]) -> tuple[Any, Any]:
    """Return the collection at a path, and its type. Raises CodecError when there is no collection."""
    target: Any = account
    kind: Any = Account
    for name in path:
        if is_dataclass(target) and name in _names(_record_of(target)):
            target, kind = getattr(target, name), _kinds_of_fields(_record_of(target))[name]
        elif isinstance(target, dict) and isinstance(name, str) and name in target and _has_texts_as_keys(kind):
            target, kind = target[name], get_args(kind)[1]
        else:
            raise CodecError(f"{'.'.join(map(str, path))}: there is no such collection")
    if isinstance(target, LARGE_COLLECTIONS) or (isinstance(target, dict) and _has_texts_as_keys(kind)):
        return target, kind
    raise CodecError(f"{'.'.join(map(str, path))}: it is not a collection")


def _record_of(value: Any) -> Any:
    return type(value)


@cache
def _names(record: Any) -> frozenset[str]:
    return frozenset(field.name for field in fields(record)) - LEFT_OUT.get(record, frozenset())


_adapters: "dict[str, TypeAdapter[Any]]" = {}


def _adapter(kind: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    if str(kind) not in _adapters:
        _adapters[str(kind)] = TypeAdapter(kind)
    return _adapters[str(kind)]
