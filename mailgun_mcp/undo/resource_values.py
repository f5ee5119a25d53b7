"""The values of resources: what is saved of an answer, how values are compared, and how one is written back. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.resource import KEYED_BY_ADDRESS, Effect, Resource, Write
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.coerce import coerce_scalar
from mailgun_mcp.request.target_keys import canonical_network, values_at
from mailgun_mcp.request.validate import validate
from mailgun_mcp.text.addresses import bare_address, unquoted
from mailgun_mcp.undo.records import ResourceRef, Scope, Value

ADDRESSES = KEYED_BY_ADDRESS | {"allowlist_entry"}
"""Resources whose key can be an address."""
EMPTY: tuple[Any, ...] = (None, "", [], {})
"""Values that mean the same as a missing field."""


class UnwritableError(ValueError):
    """No call can write the value. The message says why."""


def value_at(value: Any, path: str | None) -> Any:
    """Return the value at the path `a/b` in a JSON value, or None."""
    for key in path.split("/") if path else ():
        value = value.get(key) if isinstance(value, dict) else None
    return value


def list_items(resource: Resource, listed: Any) -> Iterator[Value]:
    """Yield the items of a list, of an object whose keys are their names, or of a list of names."""
    if isinstance(listed, dict):
        listed = [
            {str(resource.key): name, **(item if isinstance(item, dict) else {})} for name, item in listed.items()
        ]
    for item in listed if isinstance(listed, list) else []:
        yield item if isinstance(item, dict) else {str(resource.key): item}


def exists(resource: Resource, scope: Scope, item: Any) -> bool:
    """Return whether the item says that the resource exists and belongs to the scope."""
    if not isinstance(item, dict) or any(item.get(field) != scope[name] for field, name in resource.where.items()):
        return False
    if resource.present is None:
        return True
    return any(
        value_at(item, path) in options if options else bool(value_at(item, path))
        for path, options in resource.present.items()
    )


def item_key(resource: Resource, item: Value) -> str | None:
    """Return the key of an item; None if there is only one item."""
    return None if resource.key is None else normal_key(resource.name, str(item.get(resource.key)))


def normal_key(resource: str, key: str) -> str:
    """Return a key as Mailgun stores it: an address without a display name, in lower case."""
    address = bare_address(key) if resource in ADDRESSES else key
    return address.lower() if resource in ADDRESSES and "@" in address else key


def same_keys(resource: str, key: str | None) -> str | None:
    """Return a text that is the same for all spellings of a key.

    In lower case; an address unquoted and with its domain in ASCII; an IP range in its shortest form.
    """
    if key is None:
        return None
    if resource == "ip_allowlist_entry":
        return canonical_network(key.strip()) or key
    if resource not in ADDRESSES:
        return key.lower()
    local, at, domain = normal_key(resource, key).rpartition("@")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError:
        ascii_domain = domain
    return f"{unquoted(local) if at else local}{at}{ascii_domain}".lower()


def resource_value(resource: Resource, item: Value) -> Value:
    """Return the fields of an item that are saved and compared."""
    fields = {name: value_at(item, path) for name, path in resource.fields.items()}
    return {name: value for name, value in fields.items() if value is not None}


def canonical(value: Value | None) -> str:
    """Return a text that is the same for equal values."""
    filled = value if value is None else {name: item for name, item in value.items() if item not in EMPTY}
    return json.dumps(filled, sort_keys=True, ensure_ascii=False)


def equal(one: Value | None, other: Value | None) -> bool:
    """Return whether two values mean the same."""
    return canonical(one) == canonical(other)


def effect_scope(effect: Effect, resource: Resource, arguments: Arguments) -> Scope:
    """Return the scope of the resources that the call affects."""
    return {name: str(arguments[effect.within.get(name, name)]) for name in resource.within}


def effect_keys(effect: Effect, arguments: Arguments) -> list[str] | None:
    """Return the keys of the resources that the call affects; None for all in the scope."""
    if effect.when and not arguments.get(effect.when):
        return []
    if effect.key is None:
        return None
    return list(dict.fromkeys(normal_key(effect.resource, str(key)) for key in values_at(arguments, effect.key)))


def write_arguments(
    write: Write, operation: Operation, ref: ResourceRef, value: Value | None, old_key: str | None
) -> Arguments:
    """Return the arguments of the call that writes the value, or removes the resource.

    `old_key` is the key that the resource should get back. Raises UnwritableError if Mailgun would not accept
    the value.
    """
    properties = call_schema(operation)["properties"]
    fields = {**(value or {}), **ref.where}
    variables: dict[str, str | None] = {
        "$key": ref.key,
        "$was": old_key,
        **{f"${name}": item for name, item in ref.scope},
    }
    arguments = {name: fields[name] for name in properties if name in fields}
    arguments |= {name: _evaluate(expression, variables, value or {}) for name, expression in write.arguments.items()}
    fitted = {name: fit_schema(item, properties[name]) for name, item in arguments.items() if item is not None}
    return _validated(operation, fitted)


def batch_arguments(write: Write, batch: str, operation: Operation, scope: Scope, values: list[Value]) -> Arguments:
    """Return the arguments of the call that writes many values at once, in the argument `batch`.

    Raises UnwritableError if Mailgun would not accept them.
    """
    properties = call_schema(operation)["properties"]
    items = [fit_schema(_without_empty_text(value), properties[batch]["items"]) for value in values]
    arguments = {name: value for name, value in scope.items() if name in properties} | write.arguments
    return _validated(operation, {**arguments, batch: items})


def batch_size(write: Write, operation: Operation) -> int:
    """Return how many items one call takes."""
    if write.batch is None:
        return 1
    return write.most or int(call_schema(operation)["properties"][write.batch].get("maxItems", 1000))


def fit_schema(value: Any, schema: dict[str, Any]) -> Any:
    """Return the value in the type that the argument's schema declares, if nothing is lost."""
    kind = schema.get("type")
    if isinstance(value, dict) and kind == "object":
        inner = schema.get("properties", {})
        closed = schema.get("additionalProperties") is False
        return {
            name: fit_schema(item, inner.get(name, {})) for name, item in value.items() if name in inner or not closed
        }
    if isinstance(value, list) and kind == "array":
        return [fit_schema(item, schema.get("items", {})) for item in value]
    converted = coerce_scalar(value, schema)
    return value if converted is None else converted


def _evaluate(expression: Any, variables: dict[str, str | None], value: Value) -> Any:
    match expression:
        case str():
            return variables[expression] if expression in variables else value.get(expression)
        case list():
            return [_evaluate(item, variables, value) for item in expression]
        case {"literal": literal}:
            return literal
        case {"field": field}:
            conditions = expression.get("when", {})
            return value.get(field) if all(value.get(name) == item for name, item in conditions.items()) else None
        case _:
            return expression


def _without_empty_text(value: Value) -> Value:
    return {name: item for name, item in value.items() if item not in (None, "")}


def _validated(operation: Operation, arguments: Arguments) -> Arguments:
    """Return the arguments, without empty ones that Mailgun does not accept."""
    errors = validate(operation, arguments)
    if errors:
        arguments = {name: item for name, item in arguments.items() if item not in ("", [], {})}
        errors = validate(operation, arguments)
    if errors:
        raise UnwritableError("; ".join(errors))
    return arguments
