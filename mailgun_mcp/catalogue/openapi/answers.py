"""What the compiler works out about an answer: where its times are, which fields a model gets, what is sent by default."""

from collections.abc import Iterator

from mailgun_mcp.catalogue.answer import item_schema
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import Node
from mailgun_mcp.catalogue.openapi.extension import OperationExtension
from mailgun_mcp.catalogue.openapi.schemas import flatten
from mailgun_mcp.catalogue.types import Schema

FIELDS: Schema = {"type": "array", "items": {"type": "string"}, "description": "Fields to return instead of the usual"}
FULL: Schema = {"type": "boolean", "description": "Return every field"}


def times_of(schema: Schema, path: str = "") -> Iterator[str]:
    """Yield the pattern of each time in a response: `/items/*/created_at`."""
    schema = flatten(schema)
    if schema.get("format") == "date-time":
        yield path or "/"
    for name, value in schema.get("properties", {}).items():
        yield from times_of(value, f"{path}/{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from times_of(schema[key], f"{path}/*")


def with_text_times(schema: Schema) -> Schema:
    """Return a response's schema in which every time is text: results have ISO 8601 where Mailgun has a number."""
    schema = flatten(schema)
    if schema.get("format") == "date-time":
        return {"type": "string"}
    result = dict(schema)
    if "properties" in schema:
        result["properties"] = {name: with_text_times(value) for name, value in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            result[key] = with_text_times(schema[key])
    return result


def sent_defaults(schema: Schema, path: str) -> Iterator[tuple[str, object]]:
    """Yield the path of each argument that is sent even where a call does not give it, and its value."""
    schema = flatten(schema)
    value = (schema.get("x-mailgun-mcp") or {}).get("send")
    if value is not None:
        yield path, value
    for name, inner in schema.get("properties", {}).items():
        yield from sent_defaults(inner, f"{path}/{name}")


def answer_of(extension: OperationExtension, output: Schema) -> Node | None:
    """Return how the answer is shortened, as the record has it. Raises CatalogueError for a field that is not there."""
    answer = extension.answer
    if answer is None:
        return None
    if extension.risk != "read":
        raise CatalogueError("only the answer of a read is shortened")
    items = answer.items if answer.items is not None else extension.pages.items if extension.pages else ""
    fields = item_schema(output, items).get("properties", {})
    for field in answer.fields:
        name, _, rest = field.partition("/")
        _require(fields, name, rest)
    return {"items": items, "fields": answer.fields, "repeats": answer.repeats, "unless": answer.unless}


def _require(properties: Schema, name: str, rest: str) -> None:
    if name not in properties:
        raise CatalogueError(f"x-mailgun-mcp: answer: the response has no field {name!r}")
    if rest:
        first, _, others = rest.partition("/")
        inner = properties[name].get("items") or properties[name]
        _require(inner.get("properties", {}), first, others)
