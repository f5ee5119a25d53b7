"""Compares an OpenAPI document with the catalogue: which operations are new, gone or changed.

Only what a call or its answer is made of counts; descriptions, examples and formats do not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mailgun_mcp.catalogue.call_schema import call_schema
from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.arguments import NOT_ARGUMENTS
from mailgun_mcp.catalogue.openapi.importer import ImportedDocument, ImportedOperation, path_shape
from mailgun_mcp.catalogue.operation import Operation

ChangeKind = Literal["added", "removed", "required", "type", "enum", "body", "response", "deprecated"]

BODY_LOCATIONS = ("form", "json", "body")
WHOLE = "(whole)"
ANY = "any value"
FLAGS = frozenset({"yes", "no", "true", "false"})
"""Members of an enum that is a boolean under another name."""


@dataclass(frozen=True, slots=True)
class OperationChange:
    """One difference of an operation: what the catalogue says, and what the document says instead."""

    kind: ChangeKind
    name: str = ""
    """The place and name of an argument (`query limit`), or the key of a response."""
    ours: str | None = None
    theirs: str | None = None


@dataclass(frozen=True, slots=True)
class OperationDifference:
    """An operation that differs."""

    method: str
    path: str
    tool: str
    """Its tool; of a new one the name that `--spec` would give it."""
    changes: tuple[OperationChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Differences:
    """How a document differs from the catalogue, each list in the document's or catalogue's order."""

    new: tuple[OperationDifference, ...] = ()
    gone: tuple[OperationDifference, ...] = ()
    changed: tuple[OperationDifference, ...] = ()
    refused: tuple[str, ...] = ()
    """Why an operation of the document could not be read, with file, path and method."""

    def __bool__(self) -> bool:
        return bool(self.new or self.gone or self.changed or self.refused)


def compare(path: Path, catalogue: Catalogue) -> Differences:
    """Return how the OpenAPI file `path` differs from `catalogue`.

    Raises CatalogueError when the file is not an OpenAPI 3.x document.
    """
    document = ImportedDocument(path)
    ours = {(operation.method, path_shape(operation.path)): operation for operation in catalogue}
    taken = set(catalogue.names)
    new: list[OperationDifference] = []
    changed: list[OperationDifference] = []
    refused: list[str] = []
    present = set()
    for call in document.calls():
        present.add(call.key)
        our_operation = ours.get(call.key)
        try:
            theirs = _compiled(document, call, taken, our_operation)
        except CatalogueError as error:
            refused.append(str(error))
            continue
        if our_operation is None:
            taken.add(theirs.name)
            new.append(OperationDifference(theirs.method, theirs.path, theirs.name))
        elif changes := tuple(_changes(our_operation, theirs)):
            changed.append(OperationDifference(our_operation.method, our_operation.path, our_operation.name, changes))
    gone = [
        OperationDifference(our_operation.method, our_operation.path, our_operation.name)
        for key, our_operation in ours.items()
        if key not in present
    ]
    return Differences(tuple(new), tuple(gone), tuple(changed), tuple(refused))


def render(differences: Differences) -> str:
    """Return the differences as text for a terminal."""
    if not differences:
        return "No differences.\n"
    lines: list[str] = []
    for title, mark, entries in (
        ("New, not in the catalogue", "+", differences.new),
        ("Gone, only in the catalogue", "-", differences.gone),
        ("Changed (catalogue -> document)", "~", differences.changed),
    ):
        if entries:
            lines += ["", f"{title}: {len(entries)}"]
        for entry in entries:
            lines.append(f"  {mark} {entry.method} {entry.path}  {entry.tool}")
            lines += [f"      {_change_text(change)}" for change in entry.changes]
    if differences.refused:
        lines += ["", f"Cannot be read: {len(differences.refused)}"]
        lines += [f"  ! {reason}" for reason in differences.refused]
    lines += ["", _count(differences)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _count(differences: Differences) -> str:
    counts = f"{len(differences.new)} new, {len(differences.gone)} gone, {len(differences.changed)} changed"
    return f"{counts}, {len(differences.refused)} not readable" if differences.refused else counts


def _change_text(change: OperationChange) -> str:
    match change.kind:
        case "added" | "removed":
            return f"{change.name}: {change.kind} ({change.theirs or change.ours})"
        case "response":
            return f"response {change.name}: {'added' if change.theirs else 'removed'}"
        case "enum" if change.theirs == ANY:
            return f"{change.name}: enum -> {ANY}"
        case "enum":
            gains = f"gains {change.theirs}" if change.theirs else ""
            loses = f"loses {change.ours}" if change.ours else ""
            return f"{change.name}: enum {'; '.join(filter(None, (gains, loses)))}"
        case "body" | "deprecated":
            return f"{change.kind}: {change.ours} -> {change.theirs}"
        case _:
            return f"{change.name}: {change.ours} -> {change.theirs}"


def _compiled(
    document: ImportedDocument, call: ImportedOperation, taken: set[str], our_operation: Operation | None
) -> Operation:
    prefer = our_operation.body if our_operation else None
    return Operation.from_record(document.record(call, taken, prefer=prefer))


def _changes(ours: Operation, theirs: Operation) -> Iterator[OperationChange]:
    if ours.body != theirs.body:
        yield OperationChange("body", "", ours.body or "none", theirs.body or "none")
    yield from _argument_changes(_Arguments(ours), _Arguments(theirs))
    yield from _response_changes(ours, theirs)
    deprecated = [str(bool(side.tool["_meta"]["mailgun-mcp/deprecated"])).lower() for side in (ours, theirs)]
    if deprecated[0] != deprecated[1]:
        yield OperationChange("deprecated", "", *deprecated)


@dataclass(frozen=True, slots=True)
class _Value:
    """An argument, or a field inside one."""

    kind: str
    enum: tuple[str, ...]
    required: bool


class _Arguments:
    """The arguments of an operation by what they are on the wire."""

    def __init__(self, operation: Operation) -> None:
        self.values: dict[str, _Value] = {}
        self.families: list[str] = []
        properties = call_schema(operation).get("properties", {})
        required = operation.input_schema.get("required", [])
        position = 0
        for argument in operation.arguments:
            schema = properties[argument.name]
            if argument.encode == "family":
                self.families.append(argument.wire)
            elif argument.location in BODY_LOCATIONS:
                self._put(f"body {argument.wire or WHOLE}", schema, argument.name in required, argument.encode)
            elif argument.location == "path":
                position += 1
                self._put(f"path {{{position}}}", schema, True, argument.encode)
            elif argument.location == "header" and argument.wire.lower() in NOT_ARGUMENTS:
                # OpenAPI ignores it, so no document can say whether the operation still takes it.
                continue
            elif argument.location in ("query", "header"):
                wire = argument.wire.lower() if argument.location == "header" else argument.wire
                self._put(f"{argument.location} {wire}", schema, argument.name in required, argument.encode)

    def covers(self, name: str) -> bool:
        """Say whether the value is accepted without being listed: by a family, or by an open object around it."""
        location, _, wire = name.partition(" ")
        if location == "body" and any(wire.startswith(prefix) for prefix in self.families):
            return True
        holder = name.rpartition("/")[0]
        return bool(holder) and not any(key.startswith(f"{holder}/") for key in self.values)

    def _put(self, name: str, schema: dict[str, Any], required: bool, encode: str = "") -> None:
        items = schema.get("items", {})
        kind = {"file": "file", "files": "array of file"}.get(encode) or schema["type"]
        if kind == "array":
            kind = f"array of {items.get('type', 'string')}"
        enum = tuple(str(value) for value in schema.get("enum") or items.get("enum") or ())
        if kind == "string" and enum and set(enum) <= FLAGS:
            kind, enum = "boolean", ()
        self.values[name] = _Value(kind, enum, required)
        if "file" in kind:
            return
        inside = items if "properties" in items else schema
        for key, value in inside.get("properties", {}).items():
            self._put(f"{name}/{key}", value, key in inside.get("required", []))


def _argument_changes(ours: _Arguments, theirs: _Arguments) -> Iterator[OperationChange]:
    for name, value in theirs.values.items():
        if name not in ours.values and not ours.covers(name):
            yield OperationChange("added", name, None, _described(value))
    for name, value in ours.values.items():
        if name in theirs.values:
            yield from _value_changes(name, value, theirs.values[name])
        elif not theirs.covers(name):
            yield OperationChange("removed", name, _described(value))


def _described(value: _Value) -> str:
    return f"{value.kind}, required" if value.required else value.kind


def _value_changes(name: str, ours: _Value, theirs: _Value) -> Iterator[OperationChange]:
    if ours.required != theirs.required:
        words = {True: "required", False: "optional"}
        yield OperationChange("required", name, words[ours.required], words[theirs.required])
    if ours.kind != theirs.kind:
        yield OperationChange("type", name, ours.kind, theirs.kind)
    elif ours.enum and theirs.enum and set(ours.enum) != set(theirs.enum):
        lost = ", ".join(value for value in ours.enum if value not in theirs.enum)
        gained = ", ".join(value for value in theirs.enum if value not in ours.enum)
        yield OperationChange("enum", name, lost or None, gained or None)
    elif bool(ours.enum) != bool(theirs.enum):
        yield OperationChange("enum", name, ", ".join(ours.enum) or None, ", ".join(theirs.enum) or ANY)


def _response_changes(ours: Operation, theirs: Operation) -> Iterator[OperationChange]:
    """Compare the results, unless only one side describes its result."""
    if "message" in (ours.wrap, theirs.wrap):
        return
    our_schema, their_schema = ours.output_schema, theirs.output_schema
    # What the server adds to Mailgun's answer.
    added = {*(["next"] if ours.pages else []), *([ours.absence.flag] if ours.absence else [])}
    if added:
        our_schema = {
            **our_schema,
            "properties": {key: value for key, value in our_schema["properties"].items() if key not in added},
        }
    yield from _key_changes(our_schema, their_schema, "")


def _key_changes(ours: dict[str, Any], theirs: dict[str, Any], prefix: str) -> Iterator[OperationChange]:
    ours, theirs = ours.get("items", ours), theirs.get("items", theirs)
    our_properties, their_properties = ours.get("properties") or {}, theirs.get("properties") or {}
    if not our_properties or not their_properties:
        return
    for key in their_properties:
        if key not in our_properties:
            yield OperationChange("response", f"{prefix}{key}", None, "present")
    for key, schema in our_properties.items():
        if key in their_properties:
            yield from _key_changes(schema, their_properties[key], f"{prefix}{key}/")
        else:
            yield OperationChange("response", f"{prefix}{key}", "present", None)
