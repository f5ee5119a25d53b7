"""Compiles the resources of the documents, and checks that they and the operations' `undo` fit together.

Imported by the compiler only.
"""

from collections.abc import Iterator
from typing import Any

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import Node
from mailgun_mcp.catalogue.openapi.extension import DocumentExtension
from mailgun_mcp.text.suggest import unknown

WORDS = ("$key", "$was")
"""The key of the thing, and the one that it had before it was renamed."""


def compile_resources(head: DocumentExtension, file: str) -> dict[str, Node]:
    """Return the records of a document's resources by name. Raises CatalogueError."""
    compiled = {}
    for name, resource in head.resources.items():
        record = resource.model_dump(mode="json")
        fields = record["fields"]
        record["fields"] = fields if isinstance(fields, dict) else {field: field for field in fields}
        record["plural"] = resource.plural or f"{name.replace('_', ' ')}s"
        if set(resource.of) - set(resource.within) or set(resource.where.values()) - set(resource.within):
            raise CatalogueError(f"{file}: resource {name}: `of` and `where` name arguments of `within`")
        compiled[name] = record
    return compiled


def check_resources(resources: dict[str, Node], operations: list[Node]) -> None:
    """Raise CatalogueError for a resource or an effect that names what is not there, or leaves out what is needed."""
    tools = {operation["tool"]["name"]: operation for operation in operations}
    for name, resource in resources.items():
        for fault in _resource_faults(resource, resources, tools):
            raise CatalogueError(f"resource {name}: {fault}")
    for operation in operations:
        undo = operation["undo"]
        for effect in undo["affects"] if undo else ():
            for fault in _effect_faults(effect, operation, resources):
                raise CatalogueError(f"{operation['tool']['name']}: undo: {fault}")


def _resource_faults(resource: Node, resources: dict[str, Node], tools: dict[str, Node]) -> Iterator[str]:
    for parent in resource["of"].values():
        if parent not in resources:
            yield unknown("resource", parent, resources)
    for part in ("all", "one", "put", "replace", "remove"):
        if resource[part]:
            reads = part in ("all", "one")
            yield from (f"{part}: {fault}" for fault in _call_faults(resource[part], resource, tools, reads))


def _call_faults(call: Node, resource: Node, tools: dict[str, Node], reads: bool) -> Iterator[str]:
    if call["tool"] not in tools:
        yield unknown("tool", call["tool"], tools)
        return
    tool = tools[call["tool"]]
    if (tool["risk"] == "read") != reads:
        yield f"{call['tool']} is {'not a read' if reads else 'a read'}"
    schema = tool["tool"]["inputSchema"]
    properties = schema.get("properties", {})
    named = {*call["arguments"], *([call["batch"]] if call.get("batch") else [])}
    yield from (unknown("argument", name, properties) for name in sorted(named - set(properties)))
    fields = () if reads else resource["fields"]
    missing = [name for name in schema.get("required", []) if name not in (*named, *resource["within"], *fields)]
    if missing:
        yield f"{call['tool']} needs {', '.join(missing)}"
    for value in call["arguments"].values():
        yield from _value_faults(value, resource)


def _value_faults(value: Any, resource: Node) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _value_faults(item, resource)
    elif isinstance(value, dict):
        if not (value.keys() == {"literal"} or ("field" in value and value.keys() <= {"field", "when"})):
            yield f"{value}: must be {{literal: …}} or {{field: …, when: …}}"
    elif isinstance(value, str) and value.startswith("$"):
        if value not in WORDS and value[1:] not in resource["within"]:
            yield f"{value} is not one of {', '.join((*WORDS, *resource['within']))}"
    elif isinstance(value, str) and value not in resource["fields"]:
        yield unknown("field", value, resource["fields"])


def _effect_faults(effect: Node, operation: Node, resources: dict[str, Node]) -> Iterator[str]:
    if effect["resource"] not in resources:
        yield unknown("resource", effect["resource"], resources)
        return
    resource = resources[effect["resource"]]
    ours = operation["tool"]["inputSchema"].get("properties", {})
    argument_names = [effect["within"].get(name, name) for name in resource["within"]]
    argument_names += [effect[part].partition("/")[0] for part in ("key", "when", "renamed") if effect[part]]
    for name in argument_names:
        if name not in ours:
            yield unknown("argument", name, ours)
    needed = {"removes": "put", "makes": "remove", "changes": "replace"}[effect["kind"]]
    if not (resource[needed] or (needed == "replace" and resource["put"])):
        yield f"{effect['kind']} {effect['resource']}, which has no {needed}"
    if effect["made"] and effect["kind"] != "makes":
        yield "`made` is only allowed where a call makes something"
    if effect["kind"] == "makes" and resource["key"] and not (effect["made"] or effect["key"]):
        yield "a call that makes a resource with a key needs `made` or `key`"
