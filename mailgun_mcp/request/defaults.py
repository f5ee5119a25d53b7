"""Fills in default values that keep an answer small enough for a model, if a call gives none."""

from collections.abc import Mapping
from typing import Any

from mailgun_mcp.catalogue.types import Arguments


def with_defaults(sent: Mapping[str, Any], arguments: Arguments) -> Arguments:
    """Return the arguments plus each value of `sent` (path -> value) that the call does not set."""
    for path, value in sent.items():
        arguments = _filled(arguments, path.split("/"), value)
    return arguments


def _filled(fields: Arguments, path: list[str], value: Any) -> Arguments:
    name, rest = path[0], path[1:]
    present = fields.get(name)
    if not rest:
        return fields if present is not None else {**fields, name: value}
    if present is not None and not isinstance(present, dict):
        return fields
    return {**fields, name: _filled(present or {}, rest, value)}
