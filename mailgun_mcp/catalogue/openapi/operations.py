"""Turns the operations of an OpenAPI document into records: the tool as it is listed, and how its call is sent."""

import re
from collections.abc import Set

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.answers import FIELDS, FULL, answer_of, sent_defaults, times_of, with_text_times
from mailgun_mcp.catalogue.openapi.documents import Node
from mailgun_mcp.catalogue.openapi.encodings import encoding_of, nested_wires
from mailgun_mcp.catalogue.openapi.extension import (
    ArgumentRule,
    AtLeastOne,
    AtMostOne,
    ExactlyOne,
    Fits,
    MaxBytes,
    MaxRecipients,
    MoreThan,
    OperationExtension,
    PropertyExtension,
    Requires,
    extension_of,
)
from mailgun_mcp.catalogue.openapi.naming import NAME
from mailgun_mcp.catalogue.openapi.schemas import (
    flatten,
    input_schema,
    listed,
    open_objects,
    output_schema,
    unlisted,
    without,
)
from mailgun_mcp.catalogue.types import Schema

METHODS = ("get", "post", "put", "patch", "delete")
BODIES = {
    "multipart/form-data": "multipart",
    "application/x-www-form-urlencoded": "urlencoded",
    "application/json": "json",
}
ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
CHECKED_FORMATS = frozenset({"hostname", "email", "ip", "uri", "event-filter"})
OPERATION_KEYS = frozenset(
    {
        "operationId",
        "summary",
        "description",
        "deprecated",
        "tags",
        "parameters",
        "requestBody",
        "responses",
        "security",
        "x-mailgun-mcp",
    }
)
STORAGE_HOST: Schema = {"type": "string", "description": "The event's `storage.url` or its host"}
SHORT_RULE = 2
"""Arguments that a rule names even where it means all optional ones."""
PAGE: Schema = {"type": "string", "description": "`next.page`"}


def compile_document(document: Node, file: str, toolset: str, *, strict: bool = True) -> list[Node]:
    """Return the records of a document's operations, in the document's order."""
    records = []
    for path, item in document["paths"].items():
        for method in (key for key in item if key in METHODS):
            where = f"{file}: {path}: {method}"
            try:
                shared = item.get("parameters", [])
                records.append(_Compiler(item[method], shared, path, method, toolset, where, strict).record())
            except CatalogueError as error:
                message = str(error)
                raise CatalogueError(message if message.startswith(where) else f"{where}: {message}") from error
            except (KeyError, TypeError, AttributeError) as error:
                raise CatalogueError(f"{where}: not an OpenAPI operation: {error!r}") from error
    return records


class _Compiler:
    """Compiles one operation."""

    def __init__(
        self, operation: Node, shared: list[Node], path: str, method: str, toolset: str, where: str, strict: bool
    ) -> None:
        unknown = set(operation) - OPERATION_KEYS
        if strict and unknown:
            raise CatalogueError(f"{where}: unknown key {', '.join(sorted(unknown))}")
        self.operation = operation
        self.path = path
        self.method = method.upper()
        self.toolset = toolset
        self.strict = strict
        self.extension = extension_of(OperationExtension, operation, where)
        self.arguments: list[Node] = []
        self.properties: dict[str, Schema] = {}
        self.required: list[str] = []
        self.sent: dict[str, object] = {}
        self.values_elsewhere: set[str] = set()
        declared = {(parameter["name"], parameter["in"]): parameter for parameter in shared}
        declared |= {(parameter["name"], parameter["in"]): parameter for parameter in operation.get("parameters", [])}
        self.parameters = list(declared.values())

    def record(self) -> Node:
        name = self.operation.get("operationId", "")
        if not NAME.fullmatch(name):
            raise CatalogueError(f"operationId {name!r} is not a tool name: {NAME.pattern}")
        for key in ("summary", "description", "responses"):
            if not self.operation.get(key):
                raise CatalogueError(f"{key} is missing")
        self._parameters()
        body = self._body()
        self._extras()
        self._check_names()
        output, wrap, times = self._output()
        open_paths = dict(pair for name, schema in self.properties.items() for pair in open_objects(schema, name))
        self.properties = {name: listed(schema) for name, schema in self.properties.items()}
        hidden = self._hidden()
        self.properties = {name: without(schema, hidden, name) for name, schema in self.properties.items()}
        return {
            "tool": self._tool(name, output),
            "method": self.method,
            "path": self.path,
            "body": body,
            "arguments": self.arguments,
            "wrap": wrap,
            "open": open_paths,
            "unlisted": hidden,
            "sent": self.sent,
            "times": times,
            **self.extension.model_dump(mode="json", exclude={"rules", "storage_host", "authors", "answer"}),
            # Third parties wrote everything that nobody has attributed: see `compile.authors`.
            "authors": "third party",
            "stated_authors": dict(self.extension.authors),
            "answer": answer_of(self.extension, output),
            "rules": [rule.model_dump(mode="json") for rule in self.extension.rules],
        }

    def _hidden(self) -> dict[str, Schema]:
        """Return what of the arguments' schemas is checked and not listed. Of a foreign document, everything is listed."""
        if not self.strict:
            return {}
        pairs = (
            unlisted(schema, name, elsewhere=name in self.values_elsewhere) for name, schema in self.properties.items()
        )
        return dict(pair for values in pairs for pair in values)

    def _tool(self, name: str, output: Schema) -> Node:
        extension = self.extension
        schema: Schema = {"type": "object", "properties": self.properties}
        if self.required:
            schema["required"] = self.required
        optional = self.properties.keys() - set(self.required)
        sentences = [
            self.operation["description"].strip(),
            *(_rule_text(rule, optional) for rule in extension.rules),
            _lasting(extension),
        ]
        return {
            "name": name,
            "title": self.operation["summary"],
            "description": " ".join(sentence for sentence in sentences if sentence),
            "inputSchema": schema,
            "outputSchema": output,
            "annotations": {
                "readOnlyHint": extension.risk == "read",
                "destructiveHint": extension.risk not in ("read", "write")
                or extension.reversible == "no"
                or bool(extension.raises)
                or _overwrites(name, extension),
                "idempotentHint": extension.idempotent,
                "openWorldHint": True,
            },
            "_meta": {
                "mailgun-mcp/operation": f"{self.method} {self.path}",
                "mailgun-mcp/toolset": self.toolset,
                "mailgun-mcp/risk": extension.risk,
                "mailgun-mcp/deprecated": bool(self.operation.get("deprecated")),
            },
        }

    def _parameters(self) -> None:
        for parameter in self.parameters:
            location = parameter["in"]
            if location not in ("path", "query", "header"):
                raise CatalogueError(f"parameter {parameter['name']}: `in: {location}` is not supported")
            schema = dict(parameter.get("schema") or {})
            if "description" in parameter:
                schema["description"] = parameter["description"]
            if "x-mailgun-mcp" in parameter:
                schema["x-mailgun-mcp"] = parameter["x-mailgun-mcp"]
            exploded = parameter.get("explode", True)
            self._argument(location, parameter["name"], schema, bool(parameter.get("required")), exploded=exploded)
        in_template = re.findall(r"{([^}]+)}", self.path)
        in_parameters = [argument["wire"] for argument in self.arguments if argument["in"] == "path"]
        if sorted(in_template) != sorted(in_parameters):
            raise CatalogueError(f"path names {in_template}, parameters name {in_parameters}")

    def _body(self) -> str | None:
        body = self.operation.get("requestBody")
        if body is None:
            return None
        supported = [media for media in body.get("content", {}) if media in BODIES]
        if not supported or (self.strict and len(body["content"]) != 1):
            raise CatalogueError(f"requestBody needs one content type of {', '.join(BODIES)}")
        media = supported[0]
        content = body["content"][media]
        schema = flatten(content.get("schema") or {})
        kind = BODIES[media]
        location = "json" if kind == "json" else "form"
        if schema.get("type") == "array" or (kind == "json" and "x-mailgun-mcp" in schema):
            self._argument("body", "", schema, bool(body.get("required")))
            return kind
        encoding = content.get("encoding", {})
        for name, value in schema.get("properties", {}).items():
            options = encoding.get(name, {})
            required = name in schema.get("required", [])
            as_json = options.get("contentType") == "application/json"
            self._argument(location, name, value, required, exploded=options.get("explode", True), as_json=as_json)
        for pattern, value in schema.get("patternProperties", {}).items():
            family = extension_of(PropertyExtension, value, f"patternProperties {pattern}")
            if not family.argument or family.prefix is None:
                raise CatalogueError(f"patternProperties {pattern}: `argument` and `prefix` are needed")
            self._family(family.argument, family.prefix, value)
        return kind

    def _family(self, name: str, prefix: str, value: Schema) -> None:
        values = {key: item for key, item in value.items() if key not in ("description", "x-mailgun-mcp")}
        schema: Schema = {"type": "object"}
        if "description" in value:
            schema["description"] = value["description"]
        schema["additionalProperties"] = input_schema(values, strict=self.strict) if values.get("type") else True
        self._add(name, schema, False)
        argument: Node = {"name": name, "in": "form", "wire": prefix, "encode": "family"}
        if value["x-mailgun-mcp"].get("single_line"):
            argument["single_line"] = True
        self.arguments.append(argument)

    def _argument(
        self,
        location: str,
        wire: str,
        schema: Schema,
        required: bool,
        *,
        exploded: bool = True,
        as_json: bool = False,
    ) -> None:
        extension = extension_of(PropertyExtension, schema, wire) if "x-mailgun-mcp" in schema else PropertyExtension()
        name = extension.argument or _argument_name(wire)
        if extension.values_elsewhere:
            self.values_elsewhere.add(name)
        schema = flatten(schema)
        self.sent |= sent_defaults(schema, name)
        self._add(name, input_schema(schema, strict=self.strict), required)
        argument: Node = {
            "name": name,
            "in": location,
            "wire": wire,
            "encode": encoding_of(schema, extension, exploded=exploded, as_json=as_json),
        }
        checked = flatten(schema.get("items") or {}) if schema.get("type") == "array" else schema
        if checked.get("format") in CHECKED_FORMATS:
            argument["format"] = checked["format"]
        for mark in ("single_line", "secret"):
            if getattr(extension, mark):
                argument[mark] = True
        if argument["encode"] == "json":
            argument["nested"] = nested_wires(schema)
        self.arguments.append(argument)

    def _add(self, name: str, schema: Schema, required: bool) -> None:
        if not ARGUMENT.fullmatch(name):
            raise CatalogueError(f"argument name {name!r} does not match {ARGUMENT.pattern}")
        if name in self.properties:
            raise CatalogueError(f"two arguments are called {name!r}: give one an `argument` in x-mailgun-mcp")
        self.properties[name] = schema
        if required:
            self.required.append(name)

    def _extras(self) -> None:
        extension = self.extension
        if extension.storage_host:
            self._add("storage_host", STORAGE_HOST, extension.storage_host == "required")
            self.arguments.append({"name": "storage_host", "in": "host", "wire": "", "encode": "text"})
        if extension.pages and extension.pages.style in ("path", "url"):
            self._add("page", PAGE, False)
            self.arguments.append({"name": "page", "in": f"page_{extension.pages.style}", "wire": "", "encode": "text"})
        if extension.answer and extension.answer.fields:
            for name, schema in (("fields", FIELDS), ("full", FULL)):
                self._add(name, schema, False)
                self.arguments.append({"name": name, "in": "answer", "wire": "", "encode": "text"})

    def _check_names(self) -> None:
        extension = self.extension
        named = [*extension.personal, *extension.echo]
        for rule in extension.rules:
            for value in rule.model_dump().values():
                named += [value] if isinstance(value, str) else value if isinstance(value, (list, dict)) else []
        if extension.preview:
            named += extension.preview.arguments.values()
        named += [name for item in extension.raises for name in item.when]
        unknown = [name for name in named if name not in self.properties]
        if unknown:
            raise CatalogueError(f"x-mailgun-mcp names unknown arguments: {', '.join(unknown)}")
        page_arguments = {"skip": {"skip", "limit"}, "body_skip": {"pagination"}, "body_token": {"pagination"}}
        self._check_raises()
        missing = page_arguments.get(extension.pages.style if extension.pages else "", set()) - set(self.properties)
        if missing:
            raise CatalogueError(f"pages need the arguments {', '.join(sorted(missing))}")

    def _check_raises(self) -> None:
        """A condition that no call can meet would look like a guard rail and be none."""
        for item in self.extension.raises:
            for name, condition in item.when.items():
                schema = self.properties[name]
                values = condition if isinstance(condition, list) else []
                allowed = [True, False] if schema["type"] == "boolean" else schema.get("enum")
                if any(allowed is None or value not in allowed for value in values):
                    raise CatalogueError(f"raises: {name} can never be {values}")
                if isinstance(condition, MoreThan) and schema["type"] != "array":
                    raise CatalogueError(f"raises: {name} is not a list")
            effects = self.extension.undo.affects if self.extension.undo else []
            if item.narrows and not any(
                effect.resource == item.narrows.resource and effect.kind == "changes" and effect.key
                for effect in effects
            ):
                raise CatalogueError(f"raises: it does not change a {item.narrows.resource} that its arguments name")

    def _output(self) -> tuple[Schema, str | None, list[str]]:
        schema = _success(self.operation["responses"])
        wrap = {"array": "result", "string": "message"}.get(schema.get("type", "object"))
        whole = {"type": "object", "properties": {wrap: schema}} if wrap else {"type": "object", **schema}
        loose = output_schema(with_text_times(whole))
        loose["type"] = "object"
        if self.extension.absence:
            flag = {self.extension.absence.flag: {"type": ["boolean", "null"]}}
            loose["properties"] = {**flag, **loose.get("properties", {})}
        if self.extension.pages:
            loose.setdefault("properties", {})["next"] = {"type": ["object", "null"]}
        return loose, wrap, list(dict.fromkeys(times_of(whole)))


def _success(responses: Node) -> Schema:
    for status in sorted(key for key in responses if str(key).startswith("2")):
        for content in responses[status].get("content", {}).values():
            return flatten(content.get("schema") or {})
    return {"type": "object"}


def _argument_name(wire: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", re.sub(r"^[ot]:", "", wire))


def _rule_text(rule: ArgumentRule, optional: Set[str]) -> str:
    match rule:
        case AtLeastOne() if len(optional) > SHORT_RULE and set(rule.at_least_one) == optional:
            return "Needs one of the optional arguments."
        case AtLeastOne():
            return f"Needs one of {', '.join(rule.at_least_one)}."
        case ExactlyOne():
            return f"Takes exactly one of {', '.join(rule.exactly_one)}."
        case AtMostOne():
            return f"Takes only one of {', '.join(rule.at_most_one)}."
        case Requires():
            return f"{rule.argument} needs {', '.join(rule.requires)}."
        case Fits() | MaxRecipients() | MaxBytes():
            return ""


def _overwrites(name: str, extension: OperationExtension) -> bool:
    """Say whether the call replaces what was there, which MCP counts as destructive; adding to it does not."""
    affects = extension.undo.affects if extension.undo else []
    return not name.startswith(("add_", "create_")) and any(effect.kind != "makes" for effect in affects)


def _lasting(extension: OperationExtension) -> str:
    """Return in few words what a model should know before it removes or overwrites something.

    Nothing is said where the call can be undone: that is the rule, which the server's instructions tell once.
    """
    undo = extension.undo
    if undo is None or undo.nothing:
        return ""
    if undo.why:
        return "Cannot be undone." if extension.risk in ("destructive", "credential", "write") else ""
    return f"Can be undone, except {undo.missing}." if undo.missing else ""
