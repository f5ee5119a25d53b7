"""A domain's stored messages. Those from a file are read when they are first needed."""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mailgun_mcp.simulator.model.messages import StoredMessage
from mailgun_mcp.simulator.model.parts import Encode, Part, to_text

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, TypeAdapter
    from pydantic_core import CoreSchema

PART_SIZE = 1 << 16
"""Approximate number of characters in the messages of one part."""


@dataclass(frozen=True, slots=True, eq=False)
class _Unread:
    """Messages that have not been read yet. They are read all at once."""

    keys: tuple[str, ...]
    part: Part

    def read(self) -> dict[str, StoredMessage]:
        """Return the messages. Raises ValueError when they are not the expected ones."""
        messages = _adapter().validate_json(self.part.content)
        if tuple(messages) != self.keys:
            raise ValueError("the index of the messages is wrong")
        return messages


class StoredMessages(MutableMapping[str, StoredMessage]):
    """Stored messages by key, in the order in which they were stored."""

    __slots__ = ("_entries",)

    def __init__(self, messages: Mapping[str, StoredMessage] | None = None) -> None:
        self._entries: dict[str, StoredMessage | _Unread] = dict(messages or {})

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(cls, handler.generate_schema(dict[str, StoredMessage]))

    def __deepcopy__(self, _: object) -> "StoredMessages":
        copy = StoredMessages()
        copy._entries = dict(self._entries)
        return copy

    def __getitem__(self, key: str) -> StoredMessage:
        entry = self._entries[key]
        if isinstance(entry, _Unread):
            messages = entry.read()
            self._entries.update(messages)
            return messages[key]
        return entry

    def __setitem__(self, key: str, message: StoredMessage) -> None:
        self._entries[self._read(key)] = message

    def __delitem__(self, key: str) -> None:
        del self._entries[self._read(key)]

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Remove all messages, without reading them."""
        self._entries.clear()

    def newest(self) -> Iterator[StoredMessage]:
        """Yield the messages, most recently stored first."""
        return (self[key] for key in reversed(self._entries))

    def parts(self, encode: Encode) -> Iterator[Part]:
        """Return the messages as JSON, part by part. Messages stored later are not included."""
        return _parts(dict(self._entries), encode)

    def add_part(self, part: Part, *, read_now: bool) -> None:
        """Add a part with messages, to be read now or on demand. Raises ValueError or TypeError if it is invalid."""
        if not isinstance(part.index, list) or not all(isinstance(key, str) for key in part.index):
            raise TypeError("the index of messages is not a list of keys")
        if not self._entries.keys().isdisjoint(part.index):
            raise ValueError("a message occurs twice")
        unread = _Unread(tuple(part.index), Part(part.stored))
        self._entries |= unread.read() if read_now else dict.fromkeys(unread.keys, unread)

    def _read(self, key: str) -> str:
        """Read the message with this key, if there is one. All messages of its part are replaced together, or none."""
        if isinstance(self._entries.get(key), _Unread):
            self[key]
        return key


def _parts(entries: Mapping[str, StoredMessage | _Unread], encode: Encode) -> Iterator[Part]:
    batch: dict[str, Any] = {}
    size, last = 0, None
    for key, entry in entries.items():
        if isinstance(entry, _Unread):
            if batch:
                yield Part(to_text(batch), list(batch))
                batch, size = {}, 0
            if entry is not last:
                yield Part(entry.part.stored, list(entry.keys))
            last = entry
            continue
        batch[key] = encode(entry)
        size += len(key) + entry.size
        if size > PART_SIZE:
            yield Part(to_text(batch), list(batch))
            batch, size = {}, 0
    if batch:
        yield Part(to_text(batch), list(batch))


@cache
def _adapter() -> "TypeAdapter[dict[str, StoredMessage]]":
    from pydantic import TypeAdapter

    return TypeAdapter(dict[str, StoredMessage])
