"""Keeps a domain's events in order of time. Ten million events fit in bounded memory.

Events are stored in chunks, each of which covers a range of time. The most recently written chunks are lists. All
others are packed by column, and unpacked only while they are read. A packed chunk yields copies, so only the events of
an unpacked chunk can still be changed.
"""

import zlib
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from mailgun_mcp.simulator.model.clock import DAY
from mailgun_mcp.simulator.model.json_forms import numbers_from_text, numbers_to_text
from mailgun_mcp.simulator.model.packed_events import AT, FieldTest, MailEvent, PackedEvents, Path, field_of, passes
from mailgun_mcp.simulator.model.parts import Part

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

Position = tuple[float, int]

CHUNK = 512
"""Number of events in a new chunk. A chunk that reaches twice this size is divided."""
UNPACKED_CHUNKS = 3
"""Number of chunks that stay unpacked. Late events are only slightly late, so they usually belong to one of these."""
LIMIT = 10_000_000
RETENTION = 30 * DAY
"""Seconds for which events stay readable: the longest retention of any plan."""


def _position(event: MailEvent) -> Position:
    return event.at, event.serial


def _read_position(value: Any) -> Position:
    at, serial = value
    if not isinstance(at, float | int) or not isinstance(serial, int):
        raise TypeError("a position is not two numbers")
    return float(at), serial


def lookup_hash(text: str) -> int:
    """Return the hash with which a chunk's index lists a recipient or message id. Two texts may have the same hash."""
    return zlib.crc32(text.lower().encode("utf-8", "surrogatepass"))


def _lookup_hashes(record: dict[str, Any]) -> tuple[int, int]:
    message_id = record.get("message", {}).get("headers", {}).get("message-id", "")
    return lookup_hash(record.get("recipient", "")), lookup_hash(message_id)


class _Chunk:
    """A run of events in order of time, as a list or packed."""

    __slots__ = ("_events", "_hashes", "_kinds", "first", "last", "packed", "size")

    def __init__(self, events: list[MailEvent]) -> None:
        self._events: list[MailEvent] | None = events
        self._kinds: frozenset[str] = frozenset()
        self._hashes: array[int] | str = array("I")
        """Sorted hashes of recipients and message ids, or their encoded form while they have not been read yet."""
        self.packed: PackedEvents | None = None
        self._measure(events)

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Chunk":
        chunk = copy(self)
        chunk._events = deepcopy(self._events, memo)
        return chunk

    def add(self, event: MailEvent) -> list[MailEvent]:
        """Add an event at its position in time. Return all events of the chunk."""
        if self._events is None:
            self._events, self.packed = self._all(), None
        events = self._events
        if event.position > self.last:
            events.append(event)
        else:
            insort(events, event, key=_position)
        self._measure(events)
        return events

    def search(self, event_range: "EventRange", *, descending: bool = False) -> Iterator[MailEvent]:
        """Yield the events in the range. A packed chunk yields copies."""
        if self.packed is not None:
            indexes = self._indexes(self.packed, event_range)
            yield from self.packed.events(indexes[::-1] if descending else indexes) if indexes else ()
            return
        events = self._all()
        yield from filter(event_range.contains, reversed(events) if descending else events)

    def rows(self, event_range: "EventRange", paths: Sequence[Path]) -> Iterator[tuple[Any, ...]]:
        """Yield the values of the fields at `paths` for each event in the range."""
        if self.packed is not None:
            return self.packed.rows(paths, self._indexes(self.packed, event_range))
        events = filter(event_range.contains, self._all())
        return (tuple([field_of(event, path) for path in paths]) for event in events)

    def to_part(self) -> Part:
        """Return the packed chunk as JSON."""
        packed, kinds, hashes = self._packed()
        index = {
            "first": self.first,
            "last": self.last,
            "size": packed.size,
            "kinds": sorted(kinds),
            "hashes": hashes if isinstance(hashes, str) else numbers_to_text(hashes),
        }
        return Part(packed.to_json(), index)

    @classmethod
    def from_part(cls, part: Part) -> "_Chunk":
        """Return the chunk that `to_part` wrote, to be read later. Raises ValueError, TypeError or KeyError."""
        chunk, index = cls.__new__(cls), part.index
        chunk._events = None
        chunk.packed = PackedEvents.from_part(index["size"], Part(part.stored))
        chunk._kinds, chunk._hashes = frozenset(index["kinds"]), index["hashes"]
        chunk.first, chunk.last = _read_position(index["first"]), _read_position(index["last"])
        chunk.size = chunk.packed.size
        if not isinstance(index["hashes"], str):
            raise TypeError("the hashes are not a text")
        return chunk

    def read(self) -> None:
        """Read the events of a chunk from a file now. Raises ValueError when they are invalid."""
        if self.packed is not None:
            self.packed.read()
        self._read_hashes()

    def newest(self) -> MailEvent:
        """Return the last event."""
        return self._all()[-1]

    def pack(self) -> None:
        """Compress the events, and index them so that a search can skip the chunk without unpacking it."""
        self.packed, self._kinds, self._hashes = self._packed()
        self._events = None

    def _packed(self) -> "tuple[PackedEvents, frozenset[str], array[int] | str]":
        if self.packed is not None:
            return self.packed, self._kinds, self._hashes
        events = self._events or []
        kinds = frozenset(event.record["event"] for event in events)
        hashes = array("I", sorted({one for event in events for one in _lookup_hashes(event.record)}))
        return PackedEvents(events), kinds, hashes

    def may_hold(self, kinds: frozenset[str] | None, hashes: frozenset[int] | None) -> bool:
        """Return whether the chunk may contain an event of one of these kinds with one of these hashes."""
        if self._events is not None:
            return True
        if kinds is not None and kinds.isdisjoint(self._kinds):
            return False
        return hashes is None or any(map(self._has_hash, hashes))

    def _has_hash(self, number: int) -> bool:
        hashes = self._read_hashes()
        index = bisect_left(hashes, number)
        return index < len(hashes) and hashes[index] == number

    def _read_hashes(self) -> "array[int]":
        hashes = self._hashes
        if isinstance(hashes, str):
            hashes = self._hashes = numbers_from_text("I", hashes)
        return hashes

    def _all(self) -> list[MailEvent]:
        if self.packed is not None:
            return list(self.packed.events())
        return list(self._events or ())

    def _indexes(self, packed: PackedEvents, event_range: "EventRange") -> Sequence[int]:
        whole = event_range.low <= self.first[0] and self.last[0] <= event_range.high
        times: tuple[FieldTest, ...] = () if whole else ((AT, event_range.is_in_time),)
        kinds: tuple[FieldTest, ...] = () if event_range.kinds is None else ((EVENT, event_range.kinds.__contains__),)
        return packed.passing((*times, *kinds, *event_range.tests))

    def _measure(self, events: list[MailEvent]) -> None:
        self.first, self.last, self.size = events[0].position, events[-1].position, len(events)


EVENT: Path = ("event",)


@dataclass(frozen=True, slots=True)
class EventRange:
    """Selects events of a log: from `low` to `high` (inclusive), of these kinds, that pass the tests.

    `hashes` are only used to skip chunks. An event with none of them may still be returned.
    """

    low: float = float("-inf")
    high: float = float("inf")
    kinds: frozenset[str] | None = None
    hashes: frozenset[int] | None = None
    tests: tuple[FieldTest, ...] = ()

    def overlaps(self, chunk: _Chunk) -> bool:
        """Return whether an event of the chunk may be in the range."""
        in_time = chunk.first[0] <= self.high and chunk.last[0] >= self.low
        return in_time and chunk.may_hold(self.kinds, self.hashes)

    def is_in_time(self, at: float) -> bool:
        """Return whether a time is in the range."""
        return self.low <= at <= self.high

    def contains(self, event: MailEvent) -> bool:
        """Return whether the event is in the range."""
        in_range = self.is_in_time(event.at) and (self.kinds is None or event.record["event"] in self.kinds)
        return in_range and passes(event, self.tests)


EVERYTHING = EventRange()


class EventLog:
    """Events in order of time. The oldest are dropped when there are more than `limit`."""

    __slots__ = ("_chunks", "_limit", "_size", "_unpacked")

    def __init__(self, events: Iterable[MailEvent] = (), limit: int = LIMIT) -> None:
        self._limit = limit
        self._chunks: list[_Chunk] = []
        """In order of time, without overlaps."""
        self._unpacked: list[_Chunk] = []
        """The unpacked chunks. The most recently written is last."""
        self._size = 0
        for event in events:
            self.append(event)

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(cls, handler.generate_schema(list[MailEvent]))

    def append(self, event: MailEvent) -> None:
        """Add an event at its position in time."""
        self._size += 1
        if not self._chunks:
            self._chunks.append(_Chunk([event]))
            self._use(self._chunks[0])
            return
        index = self._index_of(event.position)
        chunk = self._chunks[index]
        events = chunk.add(event)
        self._use(chunk)
        if len(events) >= 2 * CHUNK:
            self._divide(index, events)

    def forget(self, before: float) -> None:
        """Drop the chunks in which every event is older than `before`."""
        old = next((index for index, chunk in enumerate(self._chunks) if chunk.last[0] >= before), len(self._chunks))
        self._drop_oldest(old)

    def walk(self, event_range: EventRange = EVERYTHING, *, descending: bool = False) -> Iterator[MailEvent]:
        """Yield the events of `event_range` in order of time. Each chunk is unpacked when it is reached."""
        for event in self.search(event_range, descending=descending):
            if event is not None:
                yield event

    def search(self, event_range: EventRange = EVERYTHING, *, descending: bool = False) -> Iterator[MailEvent | None]:
        """Like `walk`, but also yield None after each chunk, so that the caller can let others run."""
        chunks = list(self._chunks)
        for chunk in reversed(chunks) if descending else chunks:
            if event_range.overlaps(chunk):
                yield from chunk.search(event_range, descending=descending)
                yield None

    def rows(self, event_range: EventRange, paths: Sequence[Path]) -> Iterator[Iterator[tuple[Any, ...]]]:
        """Yield, chunk by chunk, the values at `paths` of each event in the range. No other fields are read."""
        for chunk in list(self._chunks):
            if event_range.overlaps(chunk):
                yield chunk.rows(event_range, paths)

    def parts(self) -> Iterator[Part]:
        """Return the events as JSON, chunk by chunk. Events added later are not included."""
        parts = [chunk.to_part() if chunk.packed is None else copy(chunk) for chunk in self._chunks]
        return (part.to_part() if isinstance(part, _Chunk) else part for part in parts)

    def add_part(self, part: Part, *, read_now: bool) -> None:
        """Add a part of another log, with events later than all others. Without `read_now`, it is read on demand.

        Raises ValueError, TypeError or KeyError when the part is invalid.
        """
        chunk = _Chunk.from_part(part)
        if read_now:
            chunk.read()
        if chunk.last < chunk.first or (self._chunks and chunk.first <= self._chunks[-1].last):
            raise ValueError("the events are not in the order of time")
        self._chunks.append(chunk)
        self._size += chunk.size

    def __iter__(self) -> Iterator[MailEvent]:
        return self.walk()

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> MailEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[MailEvent]: ...
    def __getitem__(self, index: int | slice) -> MailEvent | list[MailEvent]:
        if index == -1 and self._chunks:
            return self._chunks[-1].newest()
        return list(self)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventLog) and len(self) == len(other) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # mutable, so not hashable

    def _index_of(self, position: Position) -> int:
        """Return the index of the chunk that an event at `position` belongs to."""
        if position >= self._chunks[-1].first:
            return len(self._chunks) - 1
        return max(0, bisect_right(self._chunks, position, key=lambda chunk: chunk.first) - 1)

    def _use(self, chunk: _Chunk) -> None:
        """Mark the chunk as the most recently written, and pack the least recently written one."""
        if self._unpacked and self._unpacked[-1] is chunk:
            return
        self._unpacked = [each for each in self._unpacked if each is not chunk] + [chunk]
        if len(self._unpacked) > UNPACKED_CHUNKS:
            self._unpacked.pop(0).pack()

    def _divide(self, index: int, events: list[MailEvent]) -> None:
        """Replace a chunk by two new ones. The old one stays intact, because a walk may still be reading it."""
        older, newer = _Chunk(events[:CHUNK]), _Chunk(events[CHUNK:])
        self._unpacked.remove(self._chunks[index])
        self._chunks[index : index + 1] = [older, newer]
        self._use(older)
        self._use(newer)
        self.forget(self._chunks[-1].last[0] - RETENTION)
        excess, number = self._size - self._limit, 0
        while excess > 0 and number < len(self._chunks) - 1:
            excess -= self._chunks[number].size
            number += 1
        self._drop_oldest(number)

    def _drop_oldest(self, number: int) -> None:
        for chunk in self._chunks[:number]:
            self._size -= chunk.size
            self._unpacked = [each for each in self._unpacked if each is not chunk]
        del self._chunks[:number]
