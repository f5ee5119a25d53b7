"""Chooses and prepares the body of a foreign operation."""

from typing import Any

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.arguments import ArgumentNames, argument_schema
from mailgun_mcp.catalogue.openapi.documents import Node
from mailgun_mcp.catalogue.openapi.operations import BODIES
from mailgun_mcp.catalogue.openapi.schemas import is_file
from mailgun_mcp.catalogue.openapi.simplify import simplify
from mailgun_mcp.catalogue.types import Schema

MEDIA = {
    "application/json": "application/json",
    "application/*": "application/json",
    "*/*": "application/json",
    "multipart/form-data": "multipart/form-data",
    "application/form-data": "multipart/form-data",
    "application/x-www-form-urlencoded": "application/x-www-form-urlencoded",
}
"""Media type as written -> as sent."""

NOTHING = "none"
"""Mailgun's own document says so for `no body`."""

TEXT = ("text/plain", "application/json", "")


def request_body(content: Node, required: bool, names: ArgumentNames, prefer: str | None = None) -> Node | None:
    """Return the one body that the compiler takes, or None when there is none.

    `content` is without references. Raises CatalogueError for a body that a request cannot carry.
    """
    if not content or set(content) == {NOTHING}:
        return None
    offered: dict[str, Node] = {}
    for written, described in content.items():
        media = MEDIA.get(written.partition(";")[0].strip().lower())
        if media:
            offered.setdefault(media, described)
    if not offered:
        raise CatalogueError(f"a body of {', '.join(content)} is not supported, only of {', '.join(BODIES)}")
    media = _chosen(offered, prefer)
    prepare = _json if BODIES[media] == "json" else _form
    return {"required": required, "content": {media: prepare(offered[media], names, media)}}


def _chosen(offered: dict[str, Node], prefer: str | None) -> str:
    """A form where there are files or it is asked for; else JSON, which keeps every type."""
    for media in offered:
        if BODIES[media] == prefer:
            return media
    form = offered.get("multipart/form-data")
    if form and any(map(_holds_file, _form_schema(form, "multipart/form-data").get("properties", {}).values())):
        return "multipart/form-data"
    return next(media for media in ("application/json", *offered) if media in offered)


def _holds_file(schema: Schema) -> bool:
    return is_file(schema) or is_file(schema.get("items", {}))


def _json(described: Node, names: ArgumentNames, _: str) -> Node:
    """Return the body with an argument for each property, or where it is more than those, one for all of it."""
    schema = simplify(described.get("schema", {}))
    extension = schema.get("x-mailgun-mcp", {})
    # Without any type the body may be anything; an object can hold most.
    plain = argument_schema({"type": "object", **schema}, in_form=False)
    is_open = plain.get("additionalProperties") or plain.get("patternProperties")
    if plain.get("properties") and not is_open and "argument" not in extension:
        return {"schema": _with_names(plain, names)}
    if plain["type"] == "object":
        plain = _portable_inside(plain)
    return {
        "schema": {
            **plain,
            "x-mailgun-mcp": {**extension, "argument": names.give("body", "body", extension.get("argument"))},
        }
    }


def _portable_inside(schema: Schema) -> Schema:
    """Prepare an object as a value inside another one, where names cannot be mapped."""
    inside = argument_schema({"type": "array", "items": schema}, in_form=False)["items"]
    return dict(inside)


def _form(described: Node, names: ArgumentNames, media: str) -> Node:
    schema = _form_schema(described, media)
    encoding = described.get("encoding") or {}
    prepared: Node = {
        "schema": _with_names(schema, names),
        "encoding": {name: _options(name, encoding[name], schema) for name in schema["properties"] if name in encoding},
    }
    families = {
        pattern: value
        for pattern, value in schema.get("patternProperties", {}).items()
        if {"argument", "prefix"} <= value.get("x-mailgun-mcp", {}).keys()
    }
    extra = schema["additionalProperties"]
    if extra or len(families) < len(schema.get("patternProperties", {})):
        value = extra if isinstance(extra, dict) else {}
        open_family = {"argument": names.give("other_fields", "body"), "prefix": ""}
        families[""] = {**value, "x-mailgun-mcp": open_family}
    prepared["schema"]["patternProperties"] = families
    return prepared


def _form_schema(described: Node, media: str) -> Schema:
    schema = simplify(described.get("schema", {}))
    if schema.get("type", "object") != "object":
        raise CatalogueError(f"a body of {media} must be an object, not {schema['type']}")
    whole = argument_schema({"type": "object", **schema}, in_form=True)
    files = BODIES[media] == "multipart"
    encoding = described.get("encoding") or {}
    for name in whole["properties"]:
        written = schema.get("properties", {}).get(name, {"type": "string"})
        if files and _is_sent_as_file(written, encoding.get(name)):
            written = {**written, "type": "string", "format": "binary"}
        whole["properties"][name] = argument_schema(written, in_form=True, files=files)
    return whole


def _is_sent_as_file(schema: Schema, options: Any) -> bool:
    """A part with a media type of its own is a file: a plain field has none."""
    media = str((options or {}).get("contentType") or "").lower()
    return schema.get("type", "string") == "string" and media not in TEXT


def _with_names(schema: Schema, names: ArgumentNames) -> Schema:
    properties = {}
    for wire, value in schema["properties"].items():
        extension = value.get("x-mailgun-mcp", {})
        name = names.give(wire, "body", extension.get("argument"))
        properties[wire] = {**value, "x-mailgun-mcp": {**extension, "argument": name}}
    return {"type": "object", "properties": properties, "required": schema.get("required", [])}


def _options(name: str, options: Node, schema: Schema) -> Node:
    kind = schema["properties"][name]["type"]
    style = options.get("style", "form")
    media = str(options.get("contentType") or "").lower()
    if options.get("headers") or (style != "form" and kind in ("array", "object")):
        raise CatalogueError(f"field {name}: this `encoding` is not supported")
    if media not in TEXT and kind != "string" and not is_file(schema["properties"][name].get("items", {})):
        raise CatalogueError(f"field {name}: `contentType: {media}` is not supported")
    as_json = media == "application/json"
    return {"explode": options.get("explode", True), **({"contentType": media} if as_json else {})}
