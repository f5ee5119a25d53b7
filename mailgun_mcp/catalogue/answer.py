"""Which fields of an answer a model gets: the usual ones, those that a call chooses, or all."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments

EVERY_KEY = "*"
"""In place of the list: the answer is an object of items by their id."""


def chosen_fields(operation: Operation, arguments: Arguments) -> list[str] | None:
    """Return the paths, within an item, of the fields that the call gets; None for the whole item."""
    answer = operation.answer
    if answer is None or not answer.fields or arguments.get("full"):
        return None
    names = arguments.get("fields")
    return [path for name in names for path in places_of(operation, name)] if names else list(answer.fields)


def places_of(operation: Operation, name: str) -> list[str]:
    """Return the paths in an item that `name` can mean: that exact path, or every path that ends in the name."""
    places = field_places(operation)
    path = name.replace(".", "/") if name not in places else name
    return [path] if path in places else [path for path in places if path.rpartition("/")[2] == name]


@lru_cache(maxsize=64)
def field_places(operation: Operation) -> tuple[str, ...]:
    """Return the path of every field in an item of the operation's answer: `message`, `message/headers`, …"""
    return tuple(_places(item_schema(operation.output_schema, operation.answer.items if operation.answer else ""), ""))


def item_schema(output: dict[str, Any], items: str) -> dict[str, Any]:
    """Return the schema of an item of an answer; empty if there is none at that place."""
    if not items:
        return output
    if items == EVERY_KEY:
        item: dict[str, Any] = output.get("additionalProperties") or {}
        return item
    for key in items.split("/"):
        output = output.get("properties", {}).get(key, {})
    return output.get("items") or {}


def _places(schema: dict[str, Any], path: str) -> Iterator[str]:
    for name, value in schema.get("properties", {}).items():
        yield path + name
        yield from _places(value.get("items") or value, f"{path}{name}/")
