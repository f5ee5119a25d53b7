"""The schema that a call is checked against: the listed schema plus limits, with its objects closed again.

A listing omits `additionalProperties`, because several clients fail on it, and limits, because they cost tokens and
hardly any call exceeds them.
"""

from collections.abc import Mapping
from functools import lru_cache

from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Schema


@lru_cache(maxsize=512)
def call_schema(operation: Operation) -> Schema:
    """Return the schema of the operation's arguments. An object takes additional properties only if Mailgun does."""
    return closed(operation.input_schema, operation.open, operation.unlisted)


def closed(
    schema: Schema,
    open_objects: Mapping[str, bool | Schema] | None = None,
    unlisted: Mapping[str, Schema] | None = None,
    path: str = "",
) -> Schema:
    """Return the listed schema plus its unlisted parts. Each object is closed unless its path is in `open_objects`."""
    result = {**schema, **(unlisted or {}).get(path, {})}
    if schema.get("type") == "object":
        properties = result.get("properties", {})
        result["properties"] = {
            name: closed(value, open_objects, unlisted, f"{path}/{name}".lstrip("/"))
            for name, value in properties.items()
        }
        result["additionalProperties"] = (open_objects or {}).get(path, False)
    if "items" in result:
        result["items"] = closed(result["items"], open_objects, unlisted, f"{path}/*")
    return result
