"""Turns the parameters and fields of a foreign document into arguments: named, typed, and placed."""

import re
from typing import Any

from mailgun_mcp.catalogue.catalogue import ON_BEHALF_OF, SUBACCOUNT_HEADER
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import Node
from mailgun_mcp.catalogue.openapi.operations import ARGUMENT
from mailgun_mcp.catalogue.openapi.simplify import simplify
from mailgun_mcp.catalogue.operation import HEADER_NAME
from mailgun_mcp.catalogue.types import Schema

LOCATIONS = ("path", "query", "header")
STYLES = {"path": "simple", "query": "form", "header": "simple"}
FORMATS = {"hostname": "hostname", "email": "email", "ip": "ip", "ipv4": "ip", "ipv6": "ip", "date-time": "date-time"}
"""Formats that are checked or converted; `uri` is not, as it need not be a web address."""

NOT_ARGUMENTS = frozenset({"accept", "content-type", "authorization"})
"""Header parameters that OpenAPI says to ignore."""

NOT_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "cookie", "upgrade", "te", "trailer"}
)
"""Headers that belong to the HTTP client."""

DOMAINS = frozenset({"domain", "domain_name"})
"""Path parameters that are a domain: a word of the API instead of one would reach another operation."""

WRITTEN = {"yes_no": "boolean", "yes": "boolean", "comma": "array"}
"""The type that a value needs for each `wire`, where it is not text."""


class ArgumentNames:
    """Gives every argument of one operation a name of its own."""

    def __init__(self) -> None:
        self._taken: set[str] = {ON_BEHALF_OF}

    def give(self, wire: str, location: str, preferred: str | None = None) -> str:
        """Return a name for the argument that the API calls `wire` and takes in `location` (`query`)."""
        plain = re.sub(r"[^A-Za-z0-9_]", "_", preferred or re.sub(r"^[ot]:", "", wire)).rstrip("_") or "value"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        suffixes = ["", f"_in_{location}", *(f"_in_{location}_{number}" for number in range(2, len(self._taken) + 3))]
        name = next(name for suffix in suffixes if (name := plain[: 64 - len(suffix)] + suffix) not in self._taken)
        self._taken.add(name)
        return name


class Parameters:
    """The parameters of one operation; a later one replaces an earlier one of the same name and location."""

    def __init__(self, names: ArgumentNames) -> None:
        self._names = names
        self._declared: dict[tuple[str, str], Node] = {}

    def add(self, parameter: Node) -> None:
        """Take a parameter without references. Raises CatalogueError for one that a request cannot carry."""
        name, location = str(parameter["name"]), parameter["in"]
        if location not in LOCATIONS:
            raise CatalogueError(f"parameter {name}: `in: {location}` is not supported")
        if location == "header" and name.lower() in NOT_ARGUMENTS:
            return
        if location == "header" and (name.lower() in NOT_OURS or not HEADER_NAME.fullmatch(name)):
            raise CatalogueError(f"parameter {name}: a call may not set this header")
        if name.lower() == SUBACCOUNT_HEADER.lower():
            # The request looks for it by this spelling, to send it once.
            name = SUBACCOUNT_HEADER
        self._declared[name.lower() if location == "header" else name, location] = {**parameter, "name": name}

    def prepared(self) -> list[Node]:
        """Return the parameters with schemas and names that the compiler takes, those of the path first."""
        ordered = sorted(self._declared.values(), key=lambda parameter: LOCATIONS.index(parameter["in"]))
        return [self._named(part) for parameter in ordered for part in _parts(parameter)]

    def _named(self, parameter: Node) -> Node:
        own = parameter.pop("x-mailgun-mcp", {})
        extension = {**parameter["schema"].get("x-mailgun-mcp", {}), **own}
        name = self._names.give(parameter["name"], parameter["in"], extension.get("argument"))
        parameter["schema"]["x-mailgun-mcp"] = {**extension, "argument": name}
        return parameter


def _parts(parameter: Node) -> list[Node]:
    """Return the parameter as what is really sent: an object in a query is a parameter for each property."""
    location, name = parameter["in"], parameter["name"]
    schema = argument_schema(_schema(parameter), in_form=location == "query")
    if location == "path" and name in DOMAINS and set(schema) <= {"type", "description", "x-mailgun-mcp"}:
        schema["format"] = "hostname"
    style = parameter.get("style", STYLES[location])
    exploded = parameter.get("explode", style == "form")
    part: Node = {"name": name, "in": location, "required": location == "path" or parameter.get("required") is True}
    if parameter.get("description"):
        part["description"] = str(parameter["description"])
    extension = parameter.get("x-mailgun-mcp")
    if extension:
        part["x-mailgun-mcp"] = extension
    if parameter.get("content"):
        # Written as JSON whatever its type, so no style applies.
        return [{**part, "schema": {**schema, "x-mailgun-mcp": {"wire": "json"}}}]
    _check_style(name, schema, style, exploded, location)
    if schema.get("type") != "object":
        return [{**part, "schema": schema, "explode": exploded}]
    required = schema.get("required", []) if part["required"] else []
    return [
        {
            "name": f"{name}[{key}]" if style == "deepObject" else key,
            "in": location,
            "required": key in required,
            "schema": value,
        }
        for key, value in schema["properties"].items()
    ]


def _schema(parameter: Node) -> Any:
    content = parameter.get("content")
    if not content:
        return parameter.get("schema", {})
    if len(content) != 1 or "json" not in next(iter(content)).lower():
        raise CatalogueError(f"parameter {parameter['name']}: content {', '.join(content)} is not supported")
    return next(iter(content.values())).get("schema", {})


def _check_style(name: str, schema: Schema, style: str, exploded: bool, location: str) -> None:
    kind = schema.get("type")
    values = [schema.get("items", {})] if kind == "array" else [*schema.get("properties", {}).values()]
    nested = any(value.get("type") in ("array", "object") for value in values)
    flat_object = location == "query" and kind == "object" and schema.get("properties") and not nested
    if kind == "object":
        open_ended = schema.get("additionalProperties") or not schema.get("properties")
        if not flat_object or open_ended or not (style == "deepObject" or (style == "form" and exploded)):
            raise CatalogueError(f"parameter {name}: an object of this kind is not supported in the {location}")
    elif kind == "array" and nested and location != "query":
        # OpenAPI does not say how these are written; in a query they become JSON.
        raise CatalogueError(f"parameter {name}: a list of lists or objects is not supported in the {location}")
    elif style in ("matrix", "label") or (kind == "array" and style != STYLES[location] and not exploded):
        raise CatalogueError(f"parameter {name}: `style: {style}` is not supported")


def argument_schema(schema: Any, *, in_form: bool, files: bool = False) -> Schema:
    """Return the schema of a value in a call, simple enough for the compiler.

    `in_form` says that the value is written as text. With `files` it may be a file part.
    """
    return _argument(simplify(schema), files=files, in_form=in_form, top=True)


def _argument(schema: Schema, *, files: bool, in_form: bool, top: bool = False) -> Schema:
    prepared = {key: value for key, value in schema.items() if key not in ("format", "readOnly", "writeOnly")}
    media, encoding = prepared.pop("contentMediaType", None), prepared.pop("contentEncoding", None)
    if files and (schema.get("format") == "binary" or (media and not encoding)):
        return {"type": "string", "format": "binary", **_only(schema, "description", "x-mailgun-mcp")}
    kind = prepared.setdefault("type", "string")
    if schema.get("format") in FORMATS and kind == "string":
        prepared["format"] = FORMATS[schema["format"]]
    if prepared.get("format") == "date-time":
        prepared["x-mailgun-mcp"] = {"wire": "rfc3339", **prepared.get("x-mailgun-mcp", {})}
    if kind == "array":
        prepared["items"] = _argument(prepared.get("items") or {}, files=files and top, in_form=in_form)
        if top and in_form and prepared["items"]["type"] == "array":
            prepared["x-mailgun-mcp"] = {**prepared.get("x-mailgun-mcp", {}), "wire": "json"}
    if kind == "object":
        _object(prepared, keep_names=top)
    _check_wire(prepared)
    return prepared


def _only(schema: Schema, *keys: str) -> Schema:
    return {key: schema[key] for key in keys if key in schema}


def _check_wire(schema: Schema) -> None:
    extension = schema.get("x-mailgun-mcp")
    wire = extension.get("wire") if isinstance(extension, dict) else None
    if wire and wire != "json" and schema["type"] != WRITTEN.get(wire, "string"):
        raise CatalogueError(f"x-mailgun-mcp: `wire: {wire}` does not fit the type {schema['type']}")


def _object(schema: Schema, *, keep_names: bool) -> None:
    """Leave out what only a response holds; a name that isn't an identifier is accepted, but not as a typed property."""
    declared = schema.get("properties") or {}
    sent = {name: value for name, value in declared.items() if value.get("readOnly") is not True}
    odd = [name for name in sent if not keep_names and not ARGUMENT.fullmatch(name)]
    properties = {name: _argument(value, files=False, in_form=False) for name, value in sent.items() if name not in odd}
    extra = schema.get("additionalProperties", not declared)
    if schema.get("patternProperties") and not keep_names:
        del schema["patternProperties"]
        extra = extra or True
    if odd:
        schema["description"] = f"{schema.get('description', '')} Also takes {', '.join(odd)}.".strip()
        extra = True
    if isinstance(extra, dict):
        extra = _argument(extra, files=False, in_form=False)
    required = [
        name for name in schema.get("required", []) if name not in odd and (name in sent or name not in declared)
    ]
    for name in required:
        if not extra and name not in properties and (keep_names or ARGUMENT.fullmatch(name)):
            properties[name] = {"type": "string"}
    schema |= {"properties": properties, "additionalProperties": extra}
    schema["required"] = [name for name in required if name in properties or extra is not False]
