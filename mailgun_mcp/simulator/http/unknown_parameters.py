"""Parameters that an operation does not have: Mailgun ignores them, and `--strict` refuses them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.simulator.http.documented import Schema
from mailgun_mcp.simulator.model.clock import iso_date
from mailgun_mcp.simulator.replies.reply import ApiError

OnUnknown = Callable[[str], None]
"""Called with the name of each unknown parameter."""

MOST = 1000
"""Maximum number of different parameters to remember. A client could invent any number of them."""
NAME_LENGTH = 200
log = logging.getLogger("mailgun_mcp.simulator")


def refuse_unknown(name: str) -> None:
    """Raise ApiError: the operation has no such parameter."""
    raise ApiError(400, f"Unknown parameter '{name}'")


@dataclass(slots=True)
class IgnoredParameter:
    """A parameter that requests had and the simulator ignored."""

    operation: str
    parameter: str
    count: int
    last_at: float


class IgnoredParameters:
    """The unknown parameters that were ignored. Each is logged once."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], IgnoredParameter] = {}

    def add(self, operation: Operation, name: str, at: float) -> None:
        """Record that a request for `operation` had the parameter."""
        key = (operation.name, name[:NAME_LENGTH])
        if key in self._entries:
            entry = self._entries[key]
            entry.count, entry.last_at = entry.count + 1, at
        elif len(self._entries) < MOST:
            self._entries[key] = IgnoredParameter(*key, 1, at)
            log.warning("%s has no parameter %r: ignored, as Mailgun does (--strict refuses it)", *key)

    def clear(self) -> None:
        """Forget all of them."""
        self._entries.clear()

    def to_json(self) -> list[dict[str, Any]]:
        """Return the parameters as JSON, in the order in which they first occurred."""
        return [
            {
                "operation": entry.operation,
                "parameter": entry.parameter,
                "count": entry.count,
                "last_at": iso_date(entry.last_at),
            }
            for entry in self._entries.values()
        ]


def drop_unknown(operation: Operation, arguments: Arguments, on_unknown: OnUnknown) -> Arguments:
    """Return the arguments without what Mailgun ignores: null, an empty object that needs fields, unknown fields."""
    schema = call_schema(operation)
    properties, required = schema.get("properties", {}), schema.get("required", ())
    return {
        name: _without_unknown(_wire(operation, name), properties[name], value, on_unknown)
        if isinstance(value, list | dict)
        else value
        for name, value in arguments.items()
        if value or name in required or not _is_unset(properties[name], value)
    }


def _wire(operation: Operation, name: str) -> str:
    """Return the API's name of an argument."""
    return next((argument.wire for argument in operation.arguments if argument.name == name), name)


def _is_unset(schema: Schema, value: Any) -> bool:
    if value is None:
        return True
    return value == {} and bool(schema.get("required"))


def _without_unknown(name: str, schema: Schema, value: Any, on_unknown: OnUnknown) -> Any:
    if isinstance(value, list):
        return [_without_unknown(name, schema.get("items", {}), item, on_unknown) for item in value]
    if not isinstance(value, dict):
        return value
    properties, extra = schema.get("properties", {}), schema.get("additionalProperties", True)
    fields = {}
    for key, item in value.items():
        inner = f"{name}.{key}" if name else key
        if key in properties:
            fields[key] = _without_unknown(inner, properties[key], item, on_unknown)
        elif extra is False:
            on_unknown(inner)
        else:
            fields[key] = _without_unknown(inner, extra if isinstance(extra, dict) else {}, item, on_unknown)
    return fields
