"""Things that Mailgun keeps, as values: what of them is kept, how two are compared, and what writes one back. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.resource import Effect, Resource, Write
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.coerce import coerce_scalar
from mailgun_mcp.request.validate import validate

Value = dict[str, Any]
"""The fields of a thing, as Mailgun told them."""
Scope = dict[str, str]
"""Arguments that say where a thing is."""


class Unwritable(ValueError):
    """A value that no call can write; the message says why."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing: of which kind, where, and which."""

    resource: str
    scope: tuple[tuple[str, str], ...]
    key: str | None

    @property
    def where(self) -> Scope:
        """The scope as arguments."""
        return dict(self.scope)

    def __str__(self) -> str:
        names = [self.key] if self.key is not None else [value for _, value in self.scope]
        return " ".join([self.resource.replace("_", " "), *names])


def at(value: Any, place: str | None) -> Any:
    """Return what is at `a/b` in a JSON value, or None."""
    for key in place.split("/") if place else ():
        value = value.get(key) if isinstance(value, dict) else None
    return value


def every(value: Any, place: str) -> Iterator[Any]:
    """Yield what is at `a/*/b` in a JSON value."""
    head, _, rest = place.partition("/")
    found = value if head == "*" else [value.get(head)] if isinstance(value, dict) else []
    for item in found if isinstance(found, list) else []:
        if item is not None:
            yield from every(item, rest) if rest else (item,)


def items_of(resource: Resource, found: Any) -> Iterator[dict[str, Any]]:
    """Yield the items of a list, of an object whose keys name them, or of a list of names."""
    if isinstance(found, dict):
        found = [{str(resource.key): name, **(item if isinstance(item, dict) else {})} for name, item in found.items()]
    for item in found if isinstance(found, list) else []:
        yield item if isinstance(item, dict) else {str(resource.key): item}


def is_there(resource: Resource, scope: Scope, item: Any) -> bool:
    """Return whether the item says that the thing is there, and is one of the scope."""
    if not isinstance(item, dict) or any(item.get(field) != scope[name] for field, name in resource.where.items()):
        return False
    if resource.present is None:
        return True
    return any(
        found in wanted if wanted else bool(found)
        for found, wanted in ((at(item, place), wanted) for place, wanted in resource.present.items())
    )


def key_of(resource: Resource, item: dict[str, Any]) -> str | None:
    """Return the key of an item; None where there is only one."""
    return None if resource.key is None else folded(str(item.get(resource.key)))


def folded(key: str) -> str:
    """Return a key as Mailgun keeps it: addresses in lower case."""
    return key.lower() if "@" in key else key


def value_of(resource: Resource, item: dict[str, Any]) -> Value:
    """Return what is kept of an item."""
    return {name: found for name, place in resource.fields.items() if (found := at(item, place)) is not None}


def canonical(value: Value | None) -> str:
    """Return the value as text that is the same for equal ones; what is empty says as much as what is missing."""
    told = value if value is None else {name: item for name, item in value.items() if item not in (None, "", [], {})}
    return json.dumps(told, sort_keys=True, ensure_ascii=False)


def same(one: Value | None, other: Value | None) -> bool:
    """Return whether two values say the same."""
    return canonical(one) == canonical(other)


def scope_of(effect: Effect, resource: Resource, arguments: Arguments) -> Scope:
    """Return where the call affects things."""
    return {name: str(arguments[effect.within.get(name, name)]) for name in resource.within}


def keys_of(effect: Effect, arguments: Arguments) -> list[str] | None:
    """Return which things the call affects; None for all in the scope."""
    if effect.when and not arguments.get(effect.when):
        return []
    if effect.key is None:
        return None
    return list(dict.fromkeys(folded(str(key)) for key in every(arguments, effect.key)))


def arguments_of(write: Write, operation: Operation, thing: Thing, value: Value | None, was: str | None) -> Arguments:
    """Return the arguments of the call that writes the value, or removes the thing.

    `was` is the key that the thing shall have. Raises Unwritable when Mailgun would not take the value.
    """
    properties = operation.input_schema.get("properties", {})
    known = {**(value or {}), **thing.where}
    words: dict[str, str | None] = {"$key": thing.key, "$was": was, **{f"${name}": item for name, item in thing.scope}}
    given = {name: known[name] for name in properties if name in known}
    given |= {name: _argument(expression, words, value or {}) for name, expression in write.arguments.items()}
    fitted = {name: fit(item, properties[name]) for name, item in given.items() if item is not None}
    return _valid(operation, fitted)


def batch_of(write: Write, batch: str, operation: Operation, scope: Scope, values: list[Value]) -> Arguments:
    """Return the arguments of the call that writes many at once, in the argument `batch`. Raises Unwritable."""
    properties = operation.input_schema["properties"]
    items = [fit(_told(value), properties[batch]["items"]) for value in values]
    given = {name: value for name, value in scope.items() if name in properties} | write.arguments
    return _valid(operation, {**given, batch: items})


def most_of(write: Write, operation: Operation) -> int:
    """Return how many items one call takes."""
    if write.batch is None:
        return 1
    return write.most or int(operation.input_schema["properties"][write.batch].get("maxItems", 1000))


def _argument(expression: Any, words: dict[str, str | None], value: Value) -> Any:
    match expression:
        case str():
            return words[expression] if expression in words else value.get(expression)
        case list():
            return [_argument(item, words, value) for item in expression]
        case {"literal": literal}:
            return literal
        case {"field": field}:
            when = expression.get("when", {})
            return value.get(field) if all(value.get(name) == wanted for name, wanted in when.items()) else None
        case _:
            return expression


def _told(value: Value) -> Value:
    return {name: item for name, item in value.items() if item not in (None, "")}


def _valid(operation: Operation, arguments: Arguments) -> Arguments:
    """What is empty is left out where Mailgun does not take it so."""
    found = validate(operation, arguments)
    if found:
        arguments = {name: item for name, item in arguments.items() if item not in ("", [], {})}
        found = validate(operation, arguments)
    if found:
        raise Unwritable("; ".join(found))
    return arguments


def fit(value: Any, schema: dict[str, Any]) -> Any:
    """Return the value as the schema of an argument wants it, as far as nothing is lost: Mailgun tells `yes` as true."""
    kind = schema.get("type")
    if isinstance(value, dict) and kind == "object":
        inner = schema.get("properties", {})
        only = schema.get("additionalProperties") is False
        return {name: fit(item, inner.get(name, {})) for name, item in value.items() if name in inner or not only}
    if isinstance(value, list) and kind == "array":
        return [fit(item, schema.get("items", {})) for item in value]
    converted = coerce_scalar(value, schema)
    return value if converted is None else converted
