"""Finds what a call would narrow, such as an unsubscribe from all mail that would become one from some mail."""

from collections.abc import Iterator
from typing import Any

from mailgun_mcp.catalogue.operation import Narrows, Operation, Raise
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.confirm.bounded_text import join_bounded, shorten
from mailgun_mcp.request.target_keys import values_at
from mailgun_mcp.text.addresses import find_addresses
from mailgun_mcp.undo.records import ResourceRef, Value
from mailgun_mcp.undo.resource_values import normal_key, same_keys

ALL = "*"
"""Stands for all values, and is the default if no value is given."""
LISTED = 5
LENGTH = 100


class Narrowed:
    """What one call would narrow in existing resources."""

    def __init__(self, operation: Operation, arguments: Arguments) -> None:
        self._operation = operation
        self._conditions = [(item, item.narrows) for item in operation.raises if item.narrows]
        self._new = {id(narrows): dict(_new_values(operation, narrows, arguments)) for _, narrows in self._conditions}
        self._raises: dict[Raise, None] = {}
        self._count = 0
        self.lines: list[str] = []
        """What is narrowed, in words for a person."""
        for item, narrows in self._conditions:
            self._add_unclear(item, narrows, arguments)

    @property
    def raises(self) -> tuple[Raise, ...]:
        """Why the call is riskier than its operation."""
        return tuple(self._raises)

    def _add_unclear(self, item: Raise, narrows: Narrows, arguments: Arguments) -> None:
        """Assume the worst of an address in an unusual form: Mailgun may store it in plain form, which was not read."""
        for text in _keys(self._operation, narrows, arguments):
            plain = find_addresses(text).addresses
            new = self._new[id(narrows)][same_keys(narrows.resource, text)]
            if plain != [normal_key(narrows.resource, text).lower()] and ALL not in new:
                self._raises[item] = None
                self.lines.append(f"Mailgun may read {shorten(text)} as {join_bounded(plain, LENGTH, 'more')}.")

    def add(self, ref: ResourceRef, value: Value) -> None:
        """Compare a resource's current state with what the call would make of it."""
        for item, narrows in self._conditions:
            new = self._new[id(narrows)].get(same_keys(ref.resource, ref.key))
            if ref.resource != narrows.resource or new is None:
                continue
            old = frozenset(_texts(value.get(narrows.field)))
            if ALL not in new and not old <= new:
                self._raises[item] = None
                self._describe(ref, narrows, old, new)

    def _describe(self, ref: ResourceRef, narrows: Narrows, old: frozenset[str], new: frozenset[str]) -> None:
        self._count += 1
        if self._count > LISTED:
            self.lines = [*self.lines[:LISTED], f"{self._count - LISTED:,} more are narrowed."]
            return
        before, after = (join_bounded(sorted(values), LENGTH, narrows.field) for values in (old, new))
        self.lines.append(f"Narrowed: {shorten(str(ref))}, {narrows.field}: {before}. From now on: {after}.")


def _new_values(
    operation: Operation, narrows: Narrows, arguments: Arguments
) -> Iterator[tuple[str | None, frozenset[str]]]:
    """Yield each key that the call writes, with its new values. If a key is given twice, the narrowest values count."""
    narrowest: dict[str | None, frozenset[str]] = {}
    for text, item in _items(operation, narrows, arguments):
        key, new = same_keys(narrows.resource, text), frozenset(_texts(item.get(narrows.field)))
        narrowest[key] = narrowest.get(key, frozenset()) | new if key not in narrowest else narrowest[key] & new
    yield from narrowest.items()


def _keys(operation: Operation, narrows: Narrows, arguments: Arguments) -> list[str]:
    return list(dict.fromkeys(text for text, _ in _items(operation, narrows, arguments)))


def _items(operation: Operation, narrows: Narrows, arguments: Arguments) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each resource that the call writes, with its key in the spelling of the call."""
    for effect in operation.affects:
        if effect.resource != narrows.resource or not effect.key:
            continue
        above, _, name = effect.key.rpartition("/")
        for item in values_at(arguments, above) if above else [arguments]:
            if isinstance(item, dict) and name in item:
                yield str(item[name]), item


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) and value else [str(value or ALL)]
