"""Which fields of an answer a model gets: the usual ones, those that a call chooses, or all."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments


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
    wanted = name.replace(".", "/") if name not in places else name
    return [wanted] if wanted in places else [path for path in places if path.rpartition("/")[2] == name]


@lru_cache(maxsize=64)
def field_places(operation: Operation) -> tuple[str, ...]:
    """Return the path of every field in an item of the operation's answer: `message`, `message/headers`, …"""
    schema = operation.output_schema
    items = operation.answer.items if operation.answer else ""
    for key in items.split("/") if items else ():
        schema = schema["properties"][key]
    return tuple(_places(schema.get("items", {}) if items else schema, ""))


def _places(schema: dict[str, Any], path: str) -> Iterator[str]:
    for name, value in schema.get("properties", {}).items():
        yield path + name
        yield from _places(value.get("items") or value, f"{path}{name}/")
