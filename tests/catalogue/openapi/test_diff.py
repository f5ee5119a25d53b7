"""How an OpenAPI document differs from the catalogue."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.diff import Differences, OperationChange, OperationDifference, compare, render
from mailgun_mcp.catalogue.openapi.importer import records_of
from tests.support.operations import catalogue, described, made
from tests.support.published import PUBLISHED, needs_published

DONE = {"204": {"description": "Done"}}
TEXT = {"type": "string"}

Compare = Callable[[dict[str, Any], dict[str, Any]], Differences]


def written(folder: Path, paths: dict[str, Any], name: str = "document.json") -> Path:
    """Return the file of a document with these paths."""
    path = folder / name
    path.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}), encoding="utf-8")
    return path


@pytest.fixture
def changes(tmp_path: Path) -> Callable[..., list[OperationChange]]:
    """Return what changed between two descriptions of one operation: ours, and the document's."""

    def compared(ours: dict[str, Any], theirs: dict[str, Any], path: str = "/v3/things") -> list[OperationChange]:
        before = written(tmp_path, {path: {"post": {"responses": DONE, **ours}}}, "ours.json")
        after = written(tmp_path, {path: {"post": {"responses": DONE, **theirs}}})
        known = Catalogue(records_of(before, Catalogue([], {})), {})
        differences = compare(after, known)
        assert (differences.new, differences.gone, differences.refused) == ((), (), ())
        return [change for entry in differences.changed for change in entry.changes]

    return compared


Changes = Callable[..., list[OperationChange]]


def query(name: str, schema: Any, **more: Any) -> dict[str, Any]:
    """Return an operation with one query parameter."""
    return {"parameters": [{"name": name, "in": "query", "schema": schema, **more}]}


def body(schema: Any, *media: str) -> dict[str, Any]:
    """Return an operation with a body."""
    return {"requestBody": {"content": {kind: {"schema": schema} for kind in media or ("application/json",)}}}


def result(schema: Any) -> dict[str, Any]:
    """Return an operation with a response."""
    return {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}


def test_new_and_gone_operations_are_told_apart_from_those_that_stay(tmp_path: Path) -> None:
    known = Catalogue(records_of(written(tmp_path, {"/a": {"get": {}, "put": {}}}, "ours.json"), Catalogue([], {})), {})
    differences = compare(written(tmp_path, {"/a": {"get": {}}, "/b": {"get": {"summary": "Get a b"}}}), known)
    assert differences == Differences(
        new=(OperationDifference("GET", "/b", "get_b"),), gone=(OperationDifference("PUT", "/a", "update_a"),)
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "change"),
    [
        ({}, query("limit", {"type": "integer"}), OperationChange("added", "query limit", None, "integer")),
        (query("limit", TEXT, required=True), {}, OperationChange("removed", "query limit", "string, required")),
        (query("a", TEXT), query("a", TEXT, required=True), OperationChange("required", "query a", "optional", "required")),
        (query("a", {"type": "array"}), query("a", TEXT), OperationChange("type", "query a", "array of string", "string")),
        (query("a", {"enum": ["x", "y"]}), query("a", {"enum": ["y", "z"]}), OperationChange("enum", "query a", "x", "z")),
        (query("a", {"enum": ["x", "y"]}), query("a", TEXT), OperationChange("enum", "query a", "x, y", "any value")),
        (
            query("a", {"type": "array", "items": {"enum": ["x"]}}),
            query("a", {"type": "array", "items": {"enum": ["x", "y"]}}),
            OperationChange("enum", "query a", None, "y"),
        ),
        (
            body({"properties": {"a": {"properties": {"b": TEXT}}}}),
            body({"properties": {"a": {"properties": {"b": TEXT, "c": TEXT}}}}),
            OperationChange("added", "body a/c", None, "string"),
        ),
        (
            body({"properties": {"a": TEXT}}),
            body({"properties": {"a": TEXT}}, "multipart/form-data"),
            OperationChange("body", "", "json", "multipart"),
        ),
        (result({"properties": {"a": TEXT}}), result({"properties": {"a": TEXT, "b": TEXT}}), OperationChange("response", "b", None, "present")),
        (
            result({"properties": {"items": {"items": {"properties": {"a": TEXT, "b": TEXT}}}}}),
            result({"properties": {"items": {"items": {"properties": {"a": TEXT}}}}}),
            OperationChange("response", "items/b", "present", None),
        ),
        ({}, {"deprecated": True}, OperationChange("deprecated", "", "false", "true")),
    ],
    ids=lambda value: f"{value.kind} {value.name}" if isinstance(value, OperationChange) else "",
)  # fmt: skip
def test_a_change_is_found(changes: Changes, ours: Any, theirs: Any, change: OperationChange) -> None:
    assert changes(ours, theirs) == [change]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"summary": "A"}, {"summary": "B", "description": "C", "operationId": "d", "tags": ["e"]}),
        (
            query("a", {"type": "string", "format": "email"}),
            query("a", {"type": "string", "default": "x"}, description="y"),
        ),
        ({}, {"parameters": [{"name": "Content-Type", "in": "header", "required": True, "schema": TEXT}]}),
        (query("a", {"enum": ["yes", "no"]}), query("a", {"type": "boolean"})),
        (
            body({"properties": {"a": TEXT}}),
            body({"properties": {"a": TEXT}}, "multipart/form-data", "application/json"),
        ),
        (body({"properties": {"a": {"type": "object"}}}), body({"properties": {"a": {"properties": {"b": TEXT}}}})),
        (result({"properties": {"a": TEXT}}), result(TEXT)),
        (result({"properties": {"a": TEXT}}), {}),
        (result({"properties": {"a": {"type": "object"}}}), result({"properties": {"a": {"properties": {"b": TEXT}}}})),
    ],
    ids=["words", "formats", "content type", "flag", "one of two bodies", "open object", "text", "no response", "open"],
)
def test_what_changes_no_call_is_no_change(changes: Changes, ours: Any, theirs: Any) -> None:
    assert changes(ours, theirs) == []


def test_the_names_of_path_parameters_are_no_change(tmp_path: Path) -> None:
    def paths(name: str) -> dict[str, Any]:
        parameters = [{"name": name, "in": "path", "required": True, "schema": TEXT}]
        return {f"/a/{{{name}}}": {"get": {"parameters": parameters}}}

    known = Catalogue(records_of(written(tmp_path, paths("x"), "ours.json"), Catalogue([], {})), {})
    assert compare(written(tmp_path, paths("y")), known) == Differences()


def test_a_family_of_fields_covers_every_field_of_it(tmp_path: Path) -> None:
    header = {"type": "string", "x-mailgun-mcp": {"argument": "headers", "prefix": "h:"}}
    ours = made(described(**body({"type": "object", "patternProperties": {"^h:": header}}, "multipart/form-data")))
    fields = {"h:X-One": TEXT, "o:tag": TEXT}
    theirs = body({"type": "object", "properties": fields, "additionalProperties": True}, "multipart/form-data")
    known = _Known([ours])
    differences = compare(written(tmp_path, {"/v3/things": {"post": theirs}}), known)
    assert [entry.changes for entry in differences.changed] == [
        (OperationChange("added", "body o:tag", None, "string"),)
    ]


class _Known(Catalogue):
    """A catalogue of operations that are compiled already."""

    def __init__(self, operations: list[Any]) -> None:
        super().__init__([{"tool": operation.tool} for operation in operations], {})
        self._operations = {operation.name: operation for operation in operations}


def test_an_operation_that_cannot_be_read_is_told_and_the_others_compared(tmp_path: Path) -> None:
    cookie = [{"name": "sid", "in": "cookie", "schema": TEXT}]
    path = written(tmp_path, {"/a": {"get": {"parameters": cookie}}, "/b": {"get": {}}})
    differences = compare(path, Catalogue([], {}))
    assert differences == Differences(
        new=(OperationDifference("GET", "/b", "get_b"),),
        refused=("document.json: /a: get: parameter sid: `in: cookie` is not supported",),
    )


def test_a_file_that_is_no_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="cannot be read"):
        compare(tmp_path / "nowhere.yaml", Catalogue([], {}))


def test_differences_are_rendered_for_a_terminal() -> None:
    differences = Differences(
        new=(OperationDifference("GET", "/b", "get_b"),),
        gone=(OperationDifference("PUT", "/a", "update_a"),),
        changed=(
            OperationDifference(
                "POST",
                "/c",
                "create_c",
                (
                    OperationChange("body", "", "json", "multipart"),
                    OperationChange("added", "query limit", None, "integer"),
                    OperationChange("removed", "query skip", "integer, required"),
                    OperationChange("required", "query a", "optional", "required"),
                    OperationChange("type", "body b", "array of string", "string"),
                    OperationChange("enum", "body c", "x", "y, z"),
                    OperationChange("enum", "body d", None, "y"),
                    OperationChange("enum", "body e", "x", "any value"),
                    OperationChange("response", "items/f", "present", None),
                    OperationChange("response", "items/g", None, "present"),
                    OperationChange("deprecated", "", "false", "true"),
                ),
            ),
        ),
        refused=("a.yaml: /d: get: no",),
    )
    assert render(differences) == (
        "New, not in the catalogue: 1\n"
        "  + GET /b  get_b\n"
        "\n"
        "Gone, only in the catalogue: 1\n"
        "  - PUT /a  update_a\n"
        "\n"
        "Changed (catalogue -> document): 1\n"
        "  ~ POST /c  create_c\n"
        "      body: json -> multipart\n"
        "      query limit: added (integer)\n"
        "      query skip: removed (integer, required)\n"
        "      query a: optional -> required\n"
        "      body b: array of string -> string\n"
        "      body c: enum gains y, z; loses x\n"
        "      body d: enum gains y\n"
        "      body e: enum -> any value\n"
        "      response items/f: removed\n"
        "      response items/g: added\n"
        "      deprecated: false -> true\n"
        "\n"
        "Cannot be read: 1\n"
        "  ! a.yaml: /d: get: no\n"
        "\n"
        "1 new, 1 gone, 1 changed, 1 not readable\n"
    )


def test_no_differences_are_rendered_in_a_sentence() -> None:
    assert render(Differences()) == "No differences.\n"


@pytest.mark.slow
@needs_published
def test_the_published_document_has_nothing_new_and_the_same_differences_each_time() -> None:
    first = compare(PUBLISHED, catalogue())
    assert (first.new, first.refused) == ((), ())
    assert len(first.gone) == len(catalogue()) - 213
    assert render(first) == render(compare(PUBLISHED, catalogue()))


@pytest.mark.slow
@needs_published
def test_the_published_document_does_not_differ_from_itself() -> None:
    assert compare(PUBLISHED, Catalogue(records_of(PUBLISHED, Catalogue([], {})), {})) == Differences()
