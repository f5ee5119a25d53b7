"""Packs events by column. All values of one field are compressed together, so a filter reads only the fields it needs.

A record is stored as its leaf values, each under its path, and its shape: its paths in order.
All stored data is JSON, so reading it from a file can only create data, never run code.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from types import NoneType
from typing import Any

from mailgun_mcp.catalogue.types import Record
from mailgun_mcp.simulator.model.bounce_rules import classify
from mailgun_mcp.simulator.model.event_facts import facts_of
from mailgun_mcp.simulator.model.parts import Part, to_text

Path = tuple[str, ...]
FieldTest = tuple[Path, Callable[[Any], bool]]
"""The path of a field that is not an object, and a predicate on its value (None when the field is missing)."""

COMPRESSION_LEVEL = 6
MOST_CODES = 256
SMALL_COLUMN = 200
"""Maximum size in bytes of a packed column that is shared between chunks."""
MOST_UNPACKED = 1 << 28
"""Maximum size of an unpacked column in bytes, so that a file from someone else cannot exhaust memory."""
OPAQUE = frozenset({"user-variables"})
"""Fields with content that users define. They are stored as one value."""

AT, SERIAL, UNIQUE, SHAPE = ("@at",), ("@serial",), ("@unique",), ("@shape",)
FACTS, NAMES, RULE = ("@facts",), ("@names",), ("@rule",)
TIMESTAMP = ("timestamp",)
ENDS_WITH: dict[Path, Path] = {
    ("storage", "url"): ("storage", "key"),
    ("message", "headers", "to"): ("recipient",),
    ("envelope", "targets"): ("recipient",),
}
"""Path -> path of the field that its value usually ends with. Then only the text before that ending is stored."""


@dataclass(slots=True)
class MailEvent:
    """An event of a message. `record` is its JSON form as in `/events`."""

    at: float
    serial: int
    record: dict[str, Any]
    unique: bool = False
    """Whether it is the recipient's first open or click in seven days."""

    @property
    def position(self) -> tuple[float, int]:
        """The event's position in time, which is unique in a log."""
        return self.at, self.serial


def _names(event: MailEvent) -> str:
    name: str = event.record.get("event", "")
    return f"{name} unique_{name}" if event.unique else name


def _rule(event: MailEvent) -> str:
    rule = classify(event.record) if "event" in event.record else None
    return f"{rule.id} {rule.group.id} {rule.entity}" if rule else ""


DERIVED: dict[Path, Callable[[MailEvent], Any]] = {
    AT: lambda event: event.at,
    SERIAL: lambda event: event.serial,
    UNIQUE: lambda event: event.unique,
    FACTS: lambda event: " ".join(facts_of(event.record, unique=event.unique)),
    NAMES: _names,
    RULE: _rule,
}
"""Fields that are computed from an event, not part of its record. The last three are words separated by spaces: the
facts that it counts as, its names in logs, and the rule, group and entity of a bounce."""


def field_of(event: MailEvent, path: Path) -> Any:
    """Return the value of a field of an event, or None when it is missing."""
    if path in DERIVED:
        return DERIVED[path](event)
    value: Any = event.record
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def passes(event: MailEvent, tests: Sequence[FieldTest]) -> bool:
    """Return whether an event passes all tests."""
    return all(test(field_of(event, path)) for path, test in tests)


class PackedEvents:
    """Immutable events. Those from a file are read when they are first needed."""

    __slots__ = ("_columns", "_ends", "_shapes", "_timed", "_unread", "size")

    def __init__(self, events: Sequence[MailEvent]) -> None:
        self.size = len(events)
        self._unread: Part | None = None
        """The part to read the events from, if they have not been read yet."""
        leaves = [dict(_leaves(event.record)) for event in events]
        shapes: dict[tuple[Path, ...], int] = {}
        numbers = [shapes.setdefault(tuple(each), len(shapes)) for each in leaves]
        self._shapes = tuple(shapes)
        values: dict[Path, list[Any]] = {
            path: [each.get(path) for each in leaves] for path in {path for shape in shapes for path in shape}
        }
        values |= {path: list(map(read, events)) for path, read in DERIVED.items()}
        self._timed = values.get(TIMESTAMP) == _timestamps(values[AT])
        if self._timed:
            del values[TIMESTAMP]
        self._ends = frozenset(path for path, end in ENDS_WITH.items() if _end_with(values.get(path), values.get(end)))
        for path in self._ends:
            pairs = zip(values[path], values[ENDS_WITH[path]], strict=True)
            values[path] = [None if whole is None else whole[: len(whole) - len(end)] for whole, end in pairs]
        self._columns = {SHAPE: _pack(numbers), **{path: _pack(column) for path, column in values.items()}}

    def __deepcopy__(self, _: object) -> "PackedEvents":
        return self

    def to_json(self) -> bytes:
        """Return the packed events as JSON."""
        unread = self._unread
        if unread is not None:
            return unread.content
        columns = [[path, b64encode(column).decode()] for path, column in self._columns.items()]
        return to_text(
            {
                "size": self.size,
                "timed": self._timed,
                "shapes": self._shapes,
                "ends": sorted(self._ends),
                "columns": columns,
            }
        )

    @classmethod
    def from_part(cls, size: int, part: Part) -> "PackedEvents":
        """Return the events of a part that `to_json` wrote. They are read later.

        Raises ValueError when `size` is impossible.
        """
        if not isinstance(size, int) or size < 1:
            raise ValueError("size must be a number above 0")
        packed = cls.__new__(cls)
        packed.size, packed._unread = size, part
        return packed

    def read(self) -> None:
        """Read the events now if they have not been read yet. Raises ValueError when they are invalid."""
        unread = self._unread
        if unread is None:
            return
        try:
            self._take(json.loads(unread.content))
        except (TypeError, KeyError) as error:
            raise ValueError(f"packed events are damaged: {error}") from error
        # This comes last, because another thread may be writing the part.
        self._unread = None

    def _take(self, document: Record) -> None:
        self._timed = document["timed"]
        self._shapes = tuple(tuple(map(_path, shape)) for shape in document["shapes"])
        self._ends = frozenset(map(_path, document["ends"]))
        self._columns = {_path(path): _shared(b64decode(column)) for path, column in document["columns"]}
        if document["size"] != self.size or not isinstance(self._timed, bool):
            raise ValueError("size must be that of the index, and timed true or false")
        if not {SHAPE, *DERIVED} <= self._columns.keys() or not self._ends <= ENDS_WITH.keys():
            raise ValueError("columns are missing")

    @property
    def packed_size(self) -> int:
        """The size of the columns in bytes."""
        self.read()
        return sum(map(len, self._columns.values()))

    def column(self, path: Path) -> list[Any]:
        """Return the values of a field in the order of the events."""
        values, codes = self._column(path)
        return values if codes is None else [values[code] for code in codes]

    def passing(self, tests: Sequence[FieldTest]) -> Sequence[int]:
        """Return the indexes of the events that pass all tests."""
        indexes: Sequence[int] = range(self.size)
        for path, test in tests:
            if indexes:
                indexes = self._passing(path, test, indexes)
        return indexes

    def rows(self, paths: Sequence[Path], indexes: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """Yield the values of the fields at `paths` for each index."""
        if not paths:
            return iter([()] * len(indexes))
        rows = zip(*map(self.column, paths), strict=True)
        if len(indexes) == self.size:
            return rows
        every = list(rows)
        return (every[index] for index in indexes)

    def events(self, indexes: Sequence[int] | None = None) -> Iterator[MailEvent]:
        """Yield copies of all events, or of those with the indexes."""
        self.read()
        paths = dict.fromkeys(path for shape in self._shapes for path in shape)
        columns = {path: self.column(path) for path in (AT, SERIAL, UNIQUE, SHAPE, *paths)}
        shapes = [[(path[:-1], path[-1], columns[path]) for path in shape] for shape in self._shapes]
        for index in range(self.size) if indexes is None else indexes:
            record = _record(shapes[columns[SHAPE][index]], index)
            yield MailEvent(columns[AT][index], columns[SERIAL][index], record, columns[UNIQUE][index])

    def _passing(self, path: Path, test: Callable[[Any], bool], indexes: Sequence[int]) -> Sequence[int]:
        values, codes = self._column(path)
        if codes is None:
            return [index for index in indexes if test(values[index])]
        passing = bytes(map(test, values))
        if not any(passing):
            return ()
        return indexes if all(passing) else [index for index in indexes if passing[codes[index]]]

    def _column(self, path: Path) -> tuple[list[Any], bytes | None]:
        """Return the values of all events and None, or the distinct values and the index of each event's value."""
        self.read()
        packed = self._columns.get(path)
        if packed is not None:
            values, codes = _unpack(packed, self.size)
            if path not in self._ends:
                return values, codes
            starts = values if codes is None else [values[code] for code in codes]
            pairs = zip(starts, self.column(ENDS_WITH[path]), strict=True)
            return [None if start is None else start + end for start, end in pairs], None
        if path == TIMESTAMP and self._timed:
            return _timestamps(self.column(AT)), None
        return [None], bytes(self.size)


def _timestamps(moments: list[float]) -> list[float]:
    return [round(at, 6) for at in moments]


def _end_with(wholes: list[Any] | None, ends: list[Any] | None) -> bool:
    if wholes is None or ends is None:
        return False
    pairs = zip(wholes, ends, strict=True)
    return all(whole is None or (type(whole) is type(end) is str and whole.endswith(end)) for whole, end in pairs)


def _leaves(record: Record, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, value in record.items():
        if type(value) is dict and value and key not in OPAQUE:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _record(shape: list[tuple[Path, str, list[Any]]], index: int) -> Record:
    record: Record = {}
    for above, key, values in shape:
        parent = record
        for name in above:
            parent = parent.setdefault(name, {})
        parent[key] = values[index]
    return record


def _keys(values: list[Any]) -> list[Any]:
    """Return keys that distinguish the values. 1, 1.0 and True are equal but must be kept apart."""
    kinds = set(map(type, values)) - {NoneType}
    if kinds <= {str} or kinds in ({int}, {float}, {bool}):
        return values
    return [(type(value), json.dumps(value)) for value in values]


def _pack(values: list[Any]) -> bytes:
    keys = _keys(values)
    distinct = dict(zip(keys, values, strict=True))
    if len(distinct) == 1:
        return _constant(to_text(values[:1]))
    if len(distinct) > MOST_CODES or len(distinct) == len(values):
        return zlib.compress(to_text(values), COMPRESSION_LEVEL)
    codes = {key: code for code, key in enumerate(distinct)}
    return zlib.compress(to_text([*distinct.values()]) + b"\n" + bytes(map(codes.__getitem__, keys)), COMPRESSION_LEVEL)


@lru_cache(4096)
def _constant(value: bytes) -> bytes:
    """Return a column with a single value. It is cached, so that chunks share it."""
    return zlib.compress(value + b"\n", COMPRESSION_LEVEL)


def _shared(column: bytes) -> bytes:
    """Return the same object for equal small columns. Most of them have a single value."""
    return _interned(column) if len(column) < SMALL_COLUMN else column


@lru_cache(4096)
def _interned(column: bytes) -> bytes:
    return column


def _path(value: Any) -> Path:
    if not isinstance(value, list):
        raise TypeError("a path is not a list of texts")
    return _checked_path(tuple(value))


@lru_cache(4096)
def _checked_path(path: tuple[Any, ...]) -> Path:
    """Return a path after checking that it consists of strings. It is cached, so that chunks share it."""
    if not all(isinstance(name, str) for name in path):
        raise TypeError("a path is not a list of texts")
    return tuple(map(intern, path))


def _unpack(packed: bytes, size: int) -> tuple[list[Any], bytes | None]:
    unzip = zlib.decompressobj()
    data = unzip.decompress(packed, MOST_UNPACKED)
    if not unzip.eof:
        raise ValueError("a column is damaged, or too large")
    head, newline, codes = data.partition(b"\n")
    return json.loads(head), (codes or bytes(size)) if newline else None
