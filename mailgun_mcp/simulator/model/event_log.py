"""Keeps a domain's events in the order of time, a million of them in bounded memory.

Events live in chunks that follow one another in time. The few chunks that were written to last are lists;
all others are packed, and unpacked only while they are read. What a packed chunk yields are copies: only
events of an unpacked chunk can still be changed.
"""

import marshal
import zlib
from array import array
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from mailgun_mcp.simulator.model.clock import DAY

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

Position = tuple[float, int]

CHUNK = 512
"""Events in a chunk when it is made; one of twice as many is divided."""
UNPACKED_CHUNKS = 3
"""Chunks that are lists. Events that come late are of a short while ago, so their chunks are among these."""
LIMIT = 1_000_000
RETENTION = 30 * DAY
"""Seconds that events stay readable: the longest that any plan has."""
COMPRESSION_LEVEL = 1


@dataclass(slots=True)
class MailEvent:
    """Something that happened to a message; `record` is its JSON form as `/events` shows it."""

    at: float
    serial: int
    record: dict[str, Any]
    unique: bool = False
    """Whether it is the first open or click of a recipient in seven days."""

    @property
    def position(self) -> Position:
        """Its position in time; no two events have the same."""
        return self.at, self.serial


def _position(event: MailEvent) -> Position:
    return event.at, event.serial


def lookup_hash(text: str) -> int:
    """Return the number under which a chunk lists a recipient or message id; two texts may share one."""
    return zlib.crc32(text.lower().encode("utf-8", "surrogatepass"))


def _lookup_hashes(record: dict[str, Any]) -> tuple[int, int]:
    message_id = record.get("message", {}).get("headers", {}).get("message-id", "")
    return lookup_hash(record.get("recipient", "")), lookup_hash(message_id)


class _Chunk:
    """Events that follow one another in time, as a list or packed."""

    __slots__ = ("_events", "_hashes", "_kinds", "first", "last", "packed", "size")

    def __init__(self, events: list[MailEvent]) -> None:
        self._events: list[MailEvent] | None = events
        self._kinds: frozenset[str] = frozenset()
        self._hashes = array("I")
        self.packed = b""
        self._measure(events)

    def add(self, event: MailEvent) -> list[MailEvent]:
        """Add an event at its position in time. Return all events of the chunk."""
        events = self._events if self._events is not None else self._unpack()
        if event.position > self.last:
            events.append(event)
        else:
            insort(events, event, key=_position)
        self._measure(events)
        return events

    def events(self) -> list[MailEvent]:
        """Return the events; those of a packed chunk as copies."""
        return self._unpacked() if self._events is None else list(self._events)

    def newest(self) -> MailEvent:
        """Return the last event."""
        return self.events()[-1] if self._events is None else self._events[-1]

    def pack(self) -> None:
        """Keep the events compressed, with what tells a search that it need not unpack them."""
        if self._events is None:
            return
        # marshal, not JSON: four times as fast, and the data never leaves the process.
        rows = [(event.at, event.serial, event.record, event.unique) for event in self._events]
        self.packed = zlib.compress(marshal.dumps(rows), COMPRESSION_LEVEL)
        self._kinds = frozenset(event.record["event"] for event in self._events)
        self._hashes = array("I", sorted({one for event in self._events for one in _lookup_hashes(event.record)}))
        self._events = None

    def may_hold(self, kinds: frozenset[str] | None, hashes: frozenset[int] | None) -> bool:
        """Say whether an event of these kinds and hashes may be in the chunk."""
        if self._events is not None:
            return True
        if kinds is not None and kinds.isdisjoint(self._kinds):
            return False
        return hashes is None or not hashes.isdisjoint(self._hashes)

    def _measure(self, events: list[MailEvent]) -> None:
        self.first, self.last, self.size = events[0].position, events[-1].position, len(events)

    def _unpack(self) -> list[MailEvent]:
        self._events, self.packed = self._unpacked(), b""
        return self._events

    def _unpacked(self) -> list[MailEvent]:
        rows = marshal.loads(zlib.decompress(self.packed))  # noqa: S302 - what this process packed itself
        return [MailEvent(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class EventRange:
    """The part of a log that is asked for: from `low` to `high`, both included, and only of some kinds.

    `hashes` only say which chunks need not be searched: an event that has none of them may still come.
    """

    low: float = float("-inf")
    high: float = float("inf")
    kinds: frozenset[str] | None = None
    hashes: frozenset[int] | None = None

    def overlaps(self, chunk: _Chunk) -> bool:
        """Say whether an event of the chunk may be in the range."""
        in_time = chunk.first[0] <= self.high and chunk.last[0] >= self.low
        return in_time and chunk.may_hold(self.kinds, self.hashes)

    def contains(self, event: MailEvent) -> bool:
        """Say whether the event is in the range."""
        return self.low <= event.at <= self.high and (self.kinds is None or event.record["event"] in self.kinds)


EVERYTHING = EventRange()


class EventLog:
    """Events in the order of time. The oldest are dropped when there are more than `limit`."""

    __slots__ = ("_chunks", "_limit", "_size", "_unpacked")

    def __init__(self, events: Iterable[MailEvent] = (), limit: int = LIMIT) -> None:
        self._limit = limit
        self._chunks: list[_Chunk] = []
        """In the order of time; no two overlap."""
        self._unpacked: list[_Chunk] = []
        """The chunks that are lists, the one that was written to last at the end."""
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
        """Drop the chunks that are wholly older than `before`."""
        old = next((index for index, chunk in enumerate(self._chunks) if chunk.last[0] >= before), len(self._chunks))
        self._drop_oldest(old)

    def walk(self, event_range: EventRange = EVERYTHING, *, descending: bool = False) -> Iterator[MailEvent]:
        """Yield the events of `event_range` in the order of time. Chunks are unpacked as they are reached."""
        chunks = [chunk for chunk in self._chunks if event_range.overlaps(chunk)]
        for chunk in reversed(chunks) if descending else chunks:
            events = chunk.events()
            for event in reversed(events) if descending else events:
                if event_range.contains(event):
                    yield event

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

    __hash__ = None  # type: ignore[assignment]  # what changes has no hash

    def _index_of(self, position: Position) -> int:
        """Return the index of the chunk that an event at `position` belongs to."""
        if position >= self._chunks[-1].first:
            return len(self._chunks) - 1
        return max(0, bisect_right(self._chunks, position, key=lambda chunk: chunk.first) - 1)

    def _use(self, chunk: _Chunk) -> None:
        """Note that the chunk was written to, and pack the one that was not for the longest time."""
        if self._unpacked and self._unpacked[-1] is chunk:
            return
        self._unpacked = [each for each in self._unpacked if each is not chunk] + [chunk]
        if len(self._unpacked) > UNPACKED_CHUNKS:
            self._unpacked.pop(0).pack()

    def _divide(self, index: int, events: list[MailEvent]) -> None:
        """Put two chunks where one was, which a walk that has begun may still be reading."""
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
