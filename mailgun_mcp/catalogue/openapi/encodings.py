"""How the value of an argument is written on the wire, by its schema."""

from mailgun_mcp.catalogue.openapi.extension import PropertyExtension, extension_of
from mailgun_mcp.catalogue.openapi.schemas import flatten, is_file
from mailgun_mcp.catalogue.types import Schema


def encoding_of(schema: Schema, extension: PropertyExtension, *, exploded: bool, as_json: bool) -> str:
    """Name how the value is written on the wire; the names are those of `request.build.ENCODERS`."""
    if extension.wire:
        return extension.wire
    if as_json:
        return "json"
    kind = schema.get("type")
    if is_file(schema):
        return "file"
    if kind == "array":
        items = flatten(schema.get("items") or {})
        if is_file(items):
            return "files"
        if items.get("type") == "object":
            return "json"
        return "repeat" if exploded else "comma"
    if kind == "object":
        return "json"
    if kind == "boolean":
        return "flag"
    return "rfc2822" if schema.get("format") == "date-time" else "text"


def nested_wires(schema: Schema, path: tuple[str, ...] = ()) -> dict[str, str]:
    """Map the path of each date or flag inside a JSON value (`*/created_at`) to its encoding."""
    schema = flatten(schema)
    encodings: dict[str, str] = {}
    extension = (
        extension_of(PropertyExtension, schema, "/".join(path)) if "x-mailgun-mcp" in schema else PropertyExtension()
    )
    if path and extension.wire:
        encodings["/".join(path)] = extension.wire
    elif path and schema.get("format") == "date-time":
        encodings["/".join(path)] = "rfc2822"
    for name, value in schema.get("properties", {}).items():
        encodings |= nested_wires(value, (*path, name))
    if isinstance(schema.get("items"), dict):
        encodings |= nested_wires(schema["items"], (*path, "*"))
    return encodings
