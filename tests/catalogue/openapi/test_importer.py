"""Operations from OpenAPI documents that nobody wrote for this project."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.importer import records_of
from mailgun_mcp.catalogue.operation import Operation
from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.build import Request, build
from mailgun_mcp.request.files import Files
from mailgun_mcp.request.validate import validate
from tests.support.arguments import maximal, minimal
from tests.support.operations import catalogue
from tests.support.portable import breaches
from tests.support.published import PUBLISHED, needs_published

EMPTY = Catalogue([], {})
DONE = {"204": {"description": "Done"}}

Load = Callable[..., list[Operation]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write a document of these paths, and return the operations that an empty catalogue gets from it."""

    def loaded(paths: dict[str, Any], *, known: Catalogue = EMPTY, **document: Any) -> list[Operation]:
        path = tmp_path / "foreign.json"
        path.write_text(json.dumps({"openapi": "3.1.0", "paths": paths, **document}), encoding="utf-8")
        return [Operation.from_record(record) for record in records_of(path, known)]

    return loaded


@pytest.fixture
def one(load: Load) -> Callable[..., Operation]:
    """Return the operation of a document that has one."""

    def loaded(
        *, path: str = "/v9/things", method: str = "post", components: Any = None, **operation: Any
    ) -> Operation:
        (found,) = load({path: {method: {"responses": DONE, **operation}}}, components=components or {})
        return found

    return loaded


One = Callable[..., Operation]


def request_of(operation: Operation, **arguments: Any) -> Request:
    """Return the request of a call whose arguments are right."""
    assert validate(operation, arguments) == []
    return build(operation, arguments, Files())


def query(schema: Any, **parameter: Any) -> list[dict[str, Any]]:
    """Return the parameters of an operation that has one in its query."""
    return [{"name": "filter", "in": "query", "schema": schema, **parameter}]


def body(schema: Any, media: str = "application/json", **content: Any) -> dict[str, Any]:
    """Return a request body of one media type."""
    return {"content": {media: {"schema": schema, **content}}}


def properties(operation: Operation) -> dict[str, Any]:
    """Return the schemas of the arguments."""
    found: dict[str, Any] = operation.input_schema.get("properties", {})
    return found


# The published document


@pytest.mark.slow
@needs_published
def test_every_published_operation_becomes_a_portable_tool_with_valid_schemas() -> None:
    records = records_of(PUBLISHED, EMPTY)
    assert len(records) == 213
    assert len({record["tool"]["name"] for record in records}) == 213
    for record in records:
        Draft202012Validator.check_schema(record["tool"]["inputSchema"])
        Draft202012Validator.check_schema(record["tool"]["outputSchema"])
    assert {
        record["tool"]["name"]: found for record in records if (found := breaches(record["tool"]["inputSchema"]))
    } == {}


@needs_published
def test_our_catalogue_lacks_no_published_operation() -> None:
    assert records_of(PUBLISHED, catalogue()) == []


@needs_published
def test_a_catalogue_without_a_toolset_gets_the_operations_it_lacks() -> None:
    known = catalogue()
    part = known.select(toolsets=[name for name in known.toolsets if name != "routes"])
    added = records_of(PUBLISHED, part)
    assert [(record["method"], record["path"]) for record in added] == [
        ("POST", "/v3/routes"),
        ("GET", "/v3/routes"),
        ("GET", "/v3/routes/{id}"),
        ("PUT", "/v3/routes/{id}"),
        ("DELETE", "/v3/routes/{id}"),
        ("GET", "/v3/routes/match"),
    ]
    assert len(part.extended(added, "spec", "Added")) == len(part) + 6


@needs_published
@pytest.mark.parametrize("arguments", [minimal, maximal])
def test_every_published_operation_makes_a_request(arguments: Callable[[Operation], Arguments]) -> None:
    for record in records_of(PUBLISHED, EMPTY):
        operation = Operation.from_record(record)
        request = request_of(operation, **arguments(operation))
        assert request.method == operation.method
        assert "{" not in request.path


@pytest.mark.slow
@needs_published
def test_two_reads_of_a_document_give_the_same_records() -> None:
    assert records_of(PUBLISHED, EMPTY) == records_of(PUBLISHED, EMPTY)


# Risk


@pytest.mark.parametrize(
    ("method", "risk", "idempotent"),
    [
        ("get", "read", True),
        ("post", "destructive", False),
        ("put", "destructive", True),
        ("patch", "destructive", False),
        ("delete", "destructive", True),
    ],
)
def test_nobodys_operation_has_the_worst_risk_of_its_verb(one: One, method: str, risk: str, idempotent: bool) -> None:
    operation = one(method=method)
    changes = risk != "read"
    assert (operation.risk, operation.idempotent) == (risk, idempotent)
    assert (operation.bulk, operation.reversible) == (changes, "no" if changes else None)
    assert operation.authors == "third party"
    assert operation.tool["annotations"] == {
        "readOnlyHint": not changes,
        "destructiveHint": changes,
        "idempotentHint": idempotent,
        "openWorldHint": True,
    }
    assert operation.tool["_meta"] == {
        "mailgun-mcp/operation": f"{method.upper()} /v9/things",
        "mailgun-mcp/toolset": "spec",
        "mailgun-mcp/risk": risk,
        "mailgun-mcp/deprecated": False,
    }


@pytest.mark.parametrize(
    ("method", "claimed", "risk"),
    [
        ("delete", "read", "destructive"),
        ("post", "send", "destructive"),
        ("get", "read", "read"),
        ("get", "write", "destructive"),
        ("get", "credential", "credential"),
    ],
)
def test_a_claimed_risk_makes_it_worse_and_never_better(one: One, method: str, claimed: str, risk: str) -> None:
    claims = {"risk": claimed, "bulk": False, "idempotent": True, "reversible": "whole", "authors": {"/": "mailgun"}}
    operation = one(method=method, **{"x-mailgun-mcp": claims})
    assert (operation.risk, operation.authors) == (risk, "third party")
    assert operation.reversible in (None, "no")


def test_a_claimed_risk_that_does_not_exist_is_refused(one: One) -> None:
    with pytest.raises(
        CatalogueError, match=r"foreign.json: /v9/things: get: .*unknown risk 'destructiv'.*'destructive'"
    ):
        one(method="get", **{"x-mailgun-mcp": {"risk": "destructiv"}})


# Which operations


def test_the_names_of_path_parameters_do_not_make_an_operation_another_one(load: Load) -> None:
    path = "/v3/{anything}/bounces"
    parameter = {"name": "anything", "in": "path", "required": True, "schema": {"type": "string"}}
    paths = {path: {"parameters": [parameter], **{method: {"responses": DONE} for method in ("get", "patch")}}}
    assert [(tool.method, tool.path) for tool in load(paths, known=catalogue())] == [("PATCH", path)]


def test_a_base_path_of_the_server_goes_before_every_path_and_its_host_is_not_asked(load: Load) -> None:
    servers = [{"url": "https://{region}.example.net/{version}/", "variables": {"version": {"default": "v7"}}}]
    (operation,) = load({"/things": {"get": {"responses": DONE}}}, servers=servers)
    assert (request_of(operation).target, request_of(operation).host) == ("/v7/things", None)


def test_security_callbacks_links_and_webhooks_are_not_read(load: Load) -> None:
    nowhere = {"$ref": "https://example.net/elsewhere.yaml"}
    operation = {
        "responses": {"200": {"description": "ok", "links": {"next": nowhere}, "headers": {"X-Rate": nowhere}}},
        "security": [{"nothing_known": []}],
        "callbacks": {"done": nowhere},
        "servers": [{"url": "https://example.net"}],
    }
    (found,) = load({"/v9/things": {"post": operation}}, webhooks={"news": nowhere})
    assert request_of(found).line == "POST /v9/things"


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ({"summary": "List all the things"}, "list_all_things"),
        ({"summary": "Retrieves a thing"}, "retrieve_thing"),
        ({"summary": "Thing settings"}, "create_thing_settings"),
        ({"summary": "Größe ändern — now!"}, "create_grosse_andern_now"),
        ({"summary": "名前"}, "create_v9_things"),
        ({}, "create_v9_things"),
        ({"operationId": "spin_thing", "summary": "Spin"}, "spin_thing"),
        ({"operationId": "POST-v9-things", "summary": "Spin"}, "create_spin"),
        ({"summary": "Call tool"}, "create_call_tool"),
        ({"summary": "Read result"}, "create_v9_things"),
        (
            {"summary": "Create something that has a very long name for a tool"},
            "create_something_that_has_very_long_name",
        ),
        ({"summary": "x" * 80}, "create_" + "x" * 39),
    ],
)
def test_a_tool_is_named_after_summary_and_path(one: One, operation: dict[str, Any], name: str) -> None:
    assert one(**operation).name == name


def test_tool_names_never_collide(load: Load) -> None:
    operation = {"summary": "List bounces", "responses": DONE}
    paths = {f"/v9/{name}": {"get": operation} for name in ("a", "b", "c")} | {"/v9/c/": {"get": operation}}
    names = [tool.name for tool in load(paths, known=catalogue())]
    assert "list_bounces" in catalogue()
    assert names == ["get_v9_a", "get_v9_b", "get_v9_c", "list_bounces_2"]


# Arguments


def test_arguments_of_one_name_are_told_apart_by_place(one: One) -> None:
    text = {"type": "string"}
    operation = one(
        path="/v9/things/{id}",
        parameters=[
            {"name": "id", "in": "query", "schema": text},
            {"name": "id", "in": "header", "schema": text},
            {"name": "id", "in": "path", "required": True, "schema": text},
            {"name": "on_behalf_of", "in": "query", "schema": text},
        ],
        requestBody=body({"properties": {"id": text, "ID": text, "id_in_body": text}}),
    )
    assert [(argument.location, argument.wire, argument.name) for argument in operation.arguments] == [
        ("path", "id", "id"),
        ("query", "id", "id_in_query"),
        ("query", "on_behalf_of", "on_behalf_of_in_query"),
        ("header", "id", "id_in_header"),
        ("json", "id", "id_in_body"),
        ("json", "ID", "ID"),
        ("json", "id_in_body", "id_in_body_in_body"),
    ]


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("o:tag", "tag"),
        ("entity-id", "entity_id"),
        ("attachment[]", "attachment"),
        ("2fa", "_2fa"),
        ("$filter", "_filter"),
        ("日本", "value"),
        ("n" * 80, "n" * 64),
    ],
)
def test_a_name_that_is_no_identifier_is_mapped(one: One, wire: str, name: str) -> None:
    operation = one(method="get", parameters=[{"name": wire, "in": "query", "schema": {"type": "string"}}])
    assert [(argument.name, argument.wire) for argument in operation.arguments] == [(name, wire)]


def test_a_parameter_of_the_operation_goes_before_one_of_the_path(load: Load) -> None:
    shared = [{"name": "limit", "in": "query", "schema": {"type": "string"}}, *query({"type": "string"})]
    operation = {"parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}], "responses": DONE}
    (found,) = load({"/v9/things": {"parameters": shared, "get": operation}})
    assert properties(found) == {"limit": {"type": "integer"}, "filter": {"type": "string"}}


def test_header_parameters_that_openapi_ignores_are_ignored(one: One) -> None:
    names = ("Accept", "content-type", "Authorization", "X-Other")
    operation = one(parameters=[{"name": name, "in": "header", "schema": {"type": "string"}} for name in names])
    assert [argument.wire for argument in operation.arguments] == ["X-Other"]


def test_an_argument_that_names_the_subaccount_goes_before_the_configured_one(one: One) -> None:
    parameter = {"name": "x-mailgun-on-behalf-of", "in": "header", "schema": {"type": "string"}}
    operation = one(parameters=[parameter])
    request = build(operation, {operation.arguments[0].name: "theirs"}, Files(), subaccount="ours")
    assert request.headers == (("X-Mailgun-On-Behalf-Of", "theirs"),)


@pytest.mark.parametrize(
    ("parameter", "value", "target"),
    [
        ({"schema": {"type": "array"}}, ["a", "b"], "?filter=a&filter=b"),
        ({"schema": {"type": "array"}, "explode": False}, ["a", "b"], "?filter=a%2Cb"),
        ({"schema": {"type": "boolean"}}, True, "?filter=true"),
        (
            {"schema": {"type": "string", "format": "date-time"}},
            "2026-11-23T10:00:00+01:00",
            "?filter=2026-11-23T09%3A00%3A00Z",
        ),
        ({"content": {"application/json": {"schema": {"type": "object"}}}}, {"a": 1}, "?filter=%7B%22a%22%3A1%7D"),
        ({"schema": {"type": "array", "items": {"type": "object"}}}, [{"a": 1}], "?filter=%5B%7B%22a%22%3A1%7D%5D"),
    ],
    ids=["array", "comma", "boolean", "date", "content", "objects"],
)
def test_a_query_parameter_is_written_by_its_style(one: One, parameter: Any, value: Any, target: str) -> None:
    operation = one(method="get", parameters=[{"name": "filter", "in": "query", **parameter}])
    assert request_of(operation, filter=value).target == f"/v9/things{target}"


@pytest.mark.parametrize(("style", "target"), [("form", "a=1&b=x"), ("deepObject", "filter%5Ba%5D=1&filter%5Bb%5D=x")])
def test_an_object_in_a_query_is_an_argument_for_each_property(one: One, style: str, target: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a"]}
    operation = one(method="get", parameters=query(schema, style=style, explode=True, required=True))
    first, second = (argument.name for argument in operation.arguments)
    assert operation.input_schema["required"] == [first]
    assert request_of(operation, **{first: 1, second: "x"}).query == target


def test_lists_and_flags_in_a_path_or_header_are_written_plainly(one: One) -> None:
    operation = one(
        path="/v9/{ids}/{deep}",
        parameters=[
            {"name": "ids", "in": "path", "schema": {"type": "array", "items": {"type": "integer"}}},
            {"name": "deep", "in": "path", "schema": {"type": "boolean"}},
            {"name": "X-Tags", "in": "header", "schema": {"type": "array"}},
        ],
    )
    request = request_of(operation, ids=[1, 2], deep=True, X_Tags=["a", "b"])
    assert (request.path, request.headers) == ("/v9/1%2C2/true", (("X-Tags", "a,b"),))


def test_a_domain_in_a_path_must_be_one(one: One) -> None:
    parameter = {"name": "domain", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = one(path="/v3/{domain}/news", parameters=[parameter])
    assert validate(operation, {"domain": "routes"}) == ["domain: 'routes' is not a domain name: it has no dot"]


# Schemas

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "portable"),
    [
        ({}, TEXT),
        (True, TEXT),
        ({"type": ["integer", "null"]}, {"type": "integer"}),
        ({"type": "integer", "nullable": True}, {"type": "integer"}),
        ({"type": ["integer", "string"]}, TEXT),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]}, {"type": "number"}),
        ({"anyOf": [TEXT, {"type": "array", "items": TEXT}]}, {"type": "array", "items": TEXT}),
        ({"anyOf": [{"enum": ["a", "b"]}, {"enum": ["b", 3]}]}, {"type": "string", "enum": ["a", "b", "3"]}),
        ({"anyOf": [{"enum": ["a"]}, TEXT]}, TEXT),
        ({"oneOf": [{"maxLength": 3}, {"maxLength": 3, "pattern": "a"}]}, {"type": "string", "maxLength": 3}),
        ({"enum": ["a", "b", "a", None]}, {"type": "string", "enum": ["a", "b"]}),
        ({"type": "string", "enum": [1, True, 1.5]}, {"type": "string", "enum": ["1", "true", "1.5"]}),
        ({"type": "integer", "enum": ["1", "x"]}, {"type": "integer", "enum": [1]}),
        ({"type": "integer", "default": "7"}, {"type": "integer", "default": 7}),
        ({"type": "integer", "default": None}, {"type": "integer"}),
        ({"const": "x"}, {"type": "string", "enum": ["x"]}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"type": "integer", "minimum": 2}),
        ({"type": "integer", "exclusiveMaximum": 9}, {"type": "integer", "maximum": 8}),
        ({"type": "number", "exclusiveMinimum": 0.5}, {"type": "number", "minimum": 0.5}),
        ({"type": "string", "minLength": "x", "maxLength": -1}, TEXT),
        ({"type": "string", "pattern": r"^\p{L}+$"}, TEXT),
        (
            {"allOf": [{"maxLength": 9}, {"maxLength": 5, "minLength": 1}]},
            {"type": "string", "minLength": 1, "maxLength": 5},
        ),
        ({"type": "object", "allOf": [{"type": "string", "enum": ["a"]}]}, {"type": "string", "enum": ["a"]}),
        ({"prefixItems": [{"type": "integer"}, {"type": "number"}]}, {"type": "array", "items": {"type": "number"}}),
        ({"type": "string", "format": "binary"}, TEXT),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"not": {"type": "string"}, "if": {}, "then": {}}, TEXT),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_a_field_gets_one_portable_type(one: One, schema: Any, portable: dict[str, Any]) -> None:
    operation = one(requestBody=body({"type": "object", "properties": {"field": schema}}))
    assert properties(operation) == {"field": portable}


def test_objects_of_an_all_of_merge(one: One) -> None:
    parts = [
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False},
        {"properties": {"b": {"type": "integer"}, "a": {"description": "First"}}},
    ]
    operation = one(requestBody=body({"allOf": parts, "required": ["b"]}))
    assert operation.input_schema == {
        "type": "object",
        "properties": {"a": {"type": "string", "description": "First"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    }


def test_objects_of_a_one_of_merge_and_require_what_all_require(one: One) -> None:
    mail = {"properties": {"kind": {"enum": ["mail"]}, "to": TEXT}, "required": ["kind", "to"]}
    hook = {"properties": {"kind": {"enum": ["hook"]}, "url": TEXT}, "required": ["kind", "url"]}
    operation = one(requestBody=body({"oneOf": [mail, hook], "discriminator": {"propertyName": "kind"}}))
    assert operation.input_schema == {
        "type": "object",
        "properties": {"kind": {"type": "string", "enum": ["mail", "hook"]}, "to": TEXT, "url": TEXT},
        "required": ["kind"],
    }


def test_what_only_a_response_holds_is_no_argument(one: One) -> None:
    schema = {"properties": {"id": {"type": "string", "readOnly": True}, "name": TEXT}, "required": ["id", "name"]}
    operation = one(requestBody=body(schema))
    assert (properties(operation), operation.input_schema["required"]) == ({"name": TEXT}, ["name"])


def test_a_required_field_that_nothing_describes_is_still_an_argument(one: One) -> None:
    operation = one(requestBody=body({"type": "object", "properties": {"a": TEXT}, "required": ["a", "b"]}))
    assert operation.input_schema["required"] == ["a", "b"]
    assert request_of(operation, a="1", b="2").content == b'{"a":"1","b":"2"}'


def test_inside_an_object_a_name_that_is_no_identifier_is_told_and_taken(one: One) -> None:
    inner = {"type": "object", "properties": {"list-id": TEXT, "name": TEXT}, "required": ["list-id", "name"]}
    operation = one(requestBody=body({"properties": {"item": inner}}))
    assert properties(operation)["item"] == {
        "type": "object",
        "description": "Also takes list-id.",
        "properties": {"name": TEXT},
        "required": ["name"],
    }
    assert operation.open == {"item": True}
    content = request_of(operation, item={"name": "n", "list-id": "i"}).content
    assert content == b'{"item":{"name":"n","list-id":"i"}}'


def test_a_recursive_schema_is_cut_where_it_repeats(one: One) -> None:
    node = {"type": "object", "properties": {"name": TEXT, "parent": {"$ref": "#/components/schemas/node"}}}
    operation = one(requestBody=body({"$ref": "#/components/schemas/node"}), components={"schemas": {"node": node}})
    assert properties(operation) == {"name": TEXT, "parent": {"type": "object", "properties": {}}}


def test_schemas_that_refer_to_each_other_many_times_stay_small(one: One) -> None:
    names = [f"s{number}" for number in range(40)]
    everything = {name: {"$ref": f"#/components/schemas/{name}"} for name in names}
    schemas = {name: {"type": "object", "properties": everything} for name in names}
    operation = one(requestBody=body({"$ref": "#/components/schemas/s0"}), components={"schemas": schemas})
    assert breaches(operation.input_schema) == []
    assert len(json.dumps(operation.input_schema)) < 3_000_000


def test_keywords_beside_a_reference_narrow_it(one: One) -> None:
    schemas = {"pet": {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}}
    narrowed = {"$ref": "#/components/schemas/pet", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    operation = one(requestBody=body(narrowed), components={"schemas": schemas})
    assert operation.input_schema["required"] == ["name", "age"]
    assert set(properties(operation)) == {"name", "age"}


def test_a_reference_that_is_only_an_example_is_not_followed(one: One) -> None:
    schema = {"type": "object", "default": {"$ref": "no"}, "properties": {"$ref": TEXT, "example": TEXT}}
    operation = one(requestBody=body({"properties": {"a": schema}, "example": {"$ref": "no"}}))
    assert set(properties(operation)["a"]["properties"]) == {"example"}


# Bodies


def test_a_json_array_is_one_argument(one: One) -> None:
    operation = one(requestBody={"required": True, **body({"type": "array", "items": {"type": "integer"}})})
    assert operation.input_schema["required"] == ["body"]
    assert request_of(operation, body=[1, 2]).content == b"[1,2]"


@pytest.mark.parametrize(
    "schema",
    [None, {}, {"type": "object"}, {"type": "object", "properties": {"a": TEXT}, "additionalProperties": True}],
    ids=["none", "empty", "free", "open"],
)
def test_an_open_json_body_is_one_argument(one: One, schema: Any) -> None:
    content: dict[str, Any] = {"application/json": {} if schema is None else {"schema": schema}}
    operation = one(requestBody={"content": content})
    assert request_of(operation, body={"a": "1", "b": [2]}).content == b'{"a":"1","b":[2]}'
    assert (request_of(operation).content, request_of(operation).headers) == (b"", ())


def test_other_fields_of_an_open_form_can_be_given(one: One) -> None:
    schema = {"type": "object", "properties": {"to": TEXT}, "additionalProperties": True}
    operation = one(requestBody=body(schema, "application/x-www-form-urlencoded"))
    request = request_of(operation, to="a", other_fields={"h:X-Mine": "b", "v": {"c": 1}})
    assert request.content == b"to=a&h%3AX-Mine=b&v=%7B%22c%22%3A1%7D"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (["application/json"], "json"),
        (["application/json; charset=utf-8"], "json"),
        (["*/*"], "json"),
        (["none", "application/json"], "json"),
        (["application/octet-stream", "multipart/form-data"], "multipart"),
        (["application/form-data"], "multipart"),
        (["application/form-data", "application/json"], "json"),
        (["application/x-www-form-urlencoded", "multipart/form-data"], "urlencoded"),
        (["application/xml", "application/x-www-form-urlencoded"], "urlencoded"),
        (["none"], None),
        ([], None),
    ],
    ids=str,
)
def test_the_media_type_that_fits_best_is_taken(one: One, content: list[str], kind: str | None) -> None:
    schema = {"type": "object", "properties": {"a": TEXT}}
    assert one(requestBody={"content": {media: {"schema": schema} for media in content}}).body == kind


def test_a_body_with_a_file_goes_as_a_form(one: One) -> None:
    form = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
    content = {"application/json": {"schema": {"type": "object"}}, "multipart/form-data": {"schema": form}}
    operation = one(requestBody={"content": content})
    assert operation.body == "multipart"
    assert b"hello" in request_of(operation, file={"text": "hello"}).content


@pytest.mark.parametrize(
    ("schema", "encoding", "encode"),
    [
        ({"type": "string", "format": "binary"}, {}, "file"),
        ({"contentMediaType": "image/png"}, {}, "file"),
        ({"type": "string"}, {"contentType": "text/csv"}, "file"),
        ({"type": "array", "items": {"type": "string", "format": "binary"}}, {}, "files"),
        ({"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"}, {}, "text"),
        ({"type": "object"}, {}, "json"),
        ({"type": "array", "items": {"type": "array"}}, {}, "json"),
        ({"type": "array"}, {"explode": False}, "comma"),
        ({"type": "string"}, {"contentType": "application/json"}, "json"),
    ],
    ids=["binary", "media", "csv", "files", "base64", "object", "lists", "comma", "json"],
)
def test_a_part_of_a_form_is_written_by_its_schema_and_encoding(
    one: One, schema: Any, encoding: Any, encode: str
) -> None:
    form = {"type": "object", "properties": {"part": schema}}
    operation = one(requestBody=body(form, "multipart/form-data", encoding={"part": encoding}))
    assert [argument.encode for argument in operation.arguments] == [encode]
    request_of(operation, **maximal(operation))


# Results


@pytest.mark.parametrize(
    ("responses", "schema", "wrap"),
    [
        ({"200": {"content": {"application/json": {"schema": {"properties": {"a": {"oneOf": [{"type": "integer"}, TEXT]}}}}}}}, {"type": "object", "properties": {"a": {}}}, None),
        ({"2XX": {"content": {"application/json": {"schema": {"type": "array", "items": TEXT}}}}}, {"type": "object", "properties": {"result": {"type": ["array", "null"], "items": {"type": ["string", "null"]}}}}, "result"),
        ({"200": {"content": {"text/csv": {}}}}, {"type": "object", "properties": {"message": {"type": ["string", "null"]}}}, "message"),
        ({"default": {"description": "wrong"}}, {"type": "object"}, None),
        ({}, {"type": "object"}, None),
    ],
    ids=["choice", "array", "text", "default", "nothing"],
)  # fmt: skip
def test_a_result_is_as_loose_as_its_response(one: One, responses: Any, schema: Any, wrap: str | None) -> None:
    operation = one(responses=responses)
    assert (operation.output_schema, operation.wrap) == (schema, wrap)


# Any document


def _schemas() -> st.SearchStrategy[Any]:
    scalars = st.sampled_from(["string", "integer", "number", "boolean", "null"])
    values = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=5)
    anything = values | st.lists(values, max_size=2) | st.dictionaries(st.text(max_size=3), values, max_size=2)
    leaves = st.booleans() | st.fixed_dictionaries(
        {},
        optional={
            "type": scalars | st.lists(scalars | st.just("array"), min_size=1, max_size=3),
            "format": st.sampled_from(["date-time", "email", "hostname", "binary", "ipv4", "uuid"]),
            "enum": st.lists(anything, min_size=1, max_size=4),
            "const": anything,
            "default": anything,
            "nullable": st.booleans(),
            "minimum": values,
            "exclusiveMaximum": st.booleans() | st.integers(-9, 9),
            "minLength": st.integers(0, 3),
            "maxItems": st.integers(1, 3),
            "pattern": st.sampled_from(["^a*$", r"\p{L}", "(", "."]),
            "readOnly": st.booleans(),
            "contentMediaType": st.just("image/png"),
            "description": st.text(max_size=5),
            "$ref": st.sampled_from(["#/components/schemas/a", "#/components/schemas/b"]),
        },
    )
    return st.recursive(leaves, _combined, max_leaves=8)


def _combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["a", "b", "id", "a-b", "o:tag", "$ref", "example", "properties", "2", "", "ü"])
    some = st.lists(inner, min_size=1, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array", ["array", "null"], ["object", "string"]]),
            "properties": st.dictionaries(names, inner, max_size=4),
            "required": st.lists(names, max_size=3, unique=True),
            "additionalProperties": inner,
            "patternProperties": st.dictionaries(st.just("^x-"), inner, max_size=1),
            "items": inner,
            "prefixItems": some,
            "allOf": some,
            "anyOf": some,
            "oneOf": some,
            "not": inner,
        },
    )


def _operations() -> st.SearchStrategy[Any]:
    schemas = _schemas()
    parameters = st.fixed_dictionaries(
        {
            "name": st.text(min_size=1, max_size=4) | st.sampled_from(["id", "a"]),
            "in": st.sampled_from(["query", "header"]),
        },
        optional={
            "schema": schemas,
            "required": st.booleans(),
            "explode": st.booleans(),
            "style": st.sampled_from(["form", "simple", "deepObject", "spaceDelimited"]),
        },
    )
    media = st.sampled_from(
        ["application/json", "multipart/form-data", "application/x-www-form-urlencoded", "text/csv"]
    )
    content = st.dictionaries(media, st.fixed_dictionaries({}, optional={"schema": schemas}), max_size=3)
    responses = st.dictionaries(
        st.sampled_from(["200", "201", "2XX", "400", "default"]),
        st.fixed_dictionaries({"description": st.just("x")}, optional={"content": content}),
        max_size=2,
    )
    return st.fixed_dictionaries(
        {"responses": responses},
        optional={
            "summary": st.text(max_size=60),
            "description": st.text(max_size=9),
            "operationId": st.text(max_size=9),
            "parameters": st.lists(parameters, max_size=4),
            "requestBody": st.fixed_dictionaries({"content": content}, optional={"required": st.booleans()}),
        },
    )


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    operations=st.dictionaries(
        st.sampled_from(["get", "post", "put", "patch", "delete"]), _operations(), min_size=1, max_size=2
    ),
    schemas=st.fixed_dictionaries({"a": _schemas(), "b": _schemas()}),
)
def test_any_document_becomes_portable_tools_or_is_refused_with_its_place(
    tmp_path_factory: pytest.TempPathFactory, operations: dict[str, Any], schemas: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.json"
    parameter = {"name": "id", "in": "path", "required": True, "schema": TEXT}
    paths = {"/v9/{id}": {"parameters": [parameter], **operations}}
    path.write_text(
        json.dumps({"openapi": "3.1.0", "paths": paths, "components": {"schemas": schemas}}), encoding="utf-8"
    )
    records, refused = _records_or_refusal(path)
    if refused:
        assert refused.startswith("any.json: /v9/{id}: ")
        assert "not valid OpenAPI" not in refused
        return
    assert len(records) == len(operations)
    for record in records:
        tool = json.loads(json.dumps(record["tool"], allow_nan=False))
        assert breaches(tool["inputSchema"]) == []
        Draft202012Validator.check_schema(tool["inputSchema"])
        Draft202012Validator.check_schema(tool["outputSchema"])
        operation = Operation.from_record(record)
        assert validate(operation, {"id": "x", "undescribed": 1}) != []
        _try_request(operation)


def _records_or_refusal(path: Path) -> tuple[list[dict[str, Any]], str]:
    try:
        return records_of(path, EMPTY), ""
    except CatalogueError as refused:
        return [], str(refused)


def _try_request(operation: Operation) -> None:
    """Bounds and patterns of a random schema may contradict each other: then there is no right call."""
    try:
        arguments = maximal(operation)
    except KeyError:
        return
    if validate(operation, arguments) == []:
        build(operation, arguments, Files())


# Refusals


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ({"parameters": [{"name": "sid", "in": "cookie", "schema": TEXT}]}, "parameter sid: `in: cookie` is not supported"),
        ({"parameters": [{"name": "Host", "in": "header", "schema": TEXT}]}, "parameter Host: a call may not set this"),
        ({"parameters": query(TEXT, style="pipeDelimited") + query({"type": "array"}, style="pipeDelimited")}, "style: pipeDelimited"),
        ({"parameters": query({"type": "object"})}, "parameter filter: an object of this kind"),
        ({"parameters": [{"name": "a", "in": "query", "content": {"application/xml": {}}}]}, "content application/xml"),
        ({"parameters": [{"$ref": "#/components/parameters/lost"}]}, "unresolved reference #/components/parameters/lost"),
        ({"parameters": [{"$ref": "other.yaml#/limit"}]}, "only references inside the document"),
        ({"parameters": [{"name": "x", "in": "path", "required": True, "schema": TEXT}]}, "path names"),
        ({"parameters": 7}, "not valid OpenAPI"),
        ({"parameters": query({"type": "text"})}, "type 'text' is not a type"),
        ({"requestBody": {"$ref": "#/components/requestBodies/self"}}, "refers to itself"),
        ({"requestBody": body(TEXT, "application/xml")}, "a body of application/xml is not supported"),
        ({"requestBody": body(TEXT, "application/octet-stream")}, "a body of application/octet-stream is not supported"),
        ({"requestBody": body(TEXT, "multipart/form-data")}, "must be an object, not string"),
        ({"requestBody": body({"properties": {"a": {"type": "object"}}}, "multipart/form-data", encoding={"a": {"contentType": "text/xml"}})}, "field a: `contentType: text/xml`"),
        ({"requestBody": body({"properties": {"a": {"type": "integer", "x-mailgun-mcp": {"wire": "comma"}}}})}, "`wire: comma` does not fit"),
        ({"requestBody": 7}, "not valid OpenAPI"),
        ({"responses": {"200": {"$ref": "#/components/responses/lost"}}}, "unresolved reference"),
    ],
)  # fmt: skip
def test_what_no_request_can_carry_is_refused_with_its_place(one: One, operation: dict[str, Any], reason: str) -> None:
    itself = {"$ref": "#/components/requestBodies/self"}
    with pytest.raises(CatalogueError) as refused:
        one(**operation, components={"requestBodies": {"self": itself}})
    assert str(refused.value).startswith("foreign.json: /v9/things: post: ")
    assert reason in str(refused.value)


@pytest.mark.parametrize("method", ["head", "options", "trace"])
def test_a_method_that_no_tool_has_is_refused(one: One, method: str) -> None:
    with pytest.raises(CatalogueError, match=f"foreign.json: /v9/things: {method}: the method {method.upper()} is not"):
        one(method=method)


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        ({"/a/{x}": {"get": {}}, "/a/{y}": {"get": {}}}, r"foreign.json: /a/{y}: get: the same operation as /a/{x}"),
        ({"/a b": {"get": {}}}, "foreign.json: /a b: get: the path contains characters not allowed in a path"),
        ({"/a?x=1": {"get": {}}}, "the path contains characters not allowed in a path"),
        ({"/a": {"$ref": "#/components/pathItems/a"}}, "foreign.json: /a: unresolved reference"),
        ({"/a": []}, "foreign.json: /a: not valid OpenAPI"),
        ({"/a": {"get": None}}, "foreign.json: /a: get: not valid OpenAPI"),
    ],
)
def test_a_path_that_is_not_right_is_refused(load: Load, paths: dict[str, Any], reason: str) -> None:
    shared = [{"name": name, "in": "path", "schema": TEXT} for path in paths for name in "xy" if f"{{{name}}}" in path]
    with pytest.raises(CatalogueError) as refused:
        load({path: {"parameters": shared[:1], **item} if shared else item for path, item in paths.items()})
    assert reason in str(refused.value)


def test_an_operation_that_the_catalogue_has_is_not_read(load: Load) -> None:
    path = "/v3/{domain_name}/bounces"
    assert path in {operation.path for operation in catalogue()}
    assert load({path: {"get": {"parameters": [{"$ref": "other.yaml"}]}}}, known=catalogue()) == []


# How a file may be written

YAML = """
openapi: 3.0.3
paths:
  /v9/things:
    get:
      parameters:
        - name: on
          in: query
          schema: {type: string, enum: [yes, no, 2026-11-23, 12:30], default: no}
        - &limit {name: limit, in: query, schema: {type: integer, minimum: 1}}
        - {<<: *limit, name: skip}
      responses:
        200: {description: ok, content: {application/json: {schema: {properties: {404: {type: string}}}}}}
        2XX: {description: ok}
"""


def from_text(folder: Path, text: str | bytes, name: str = "written.yaml") -> list[Operation]:
    """Return the operations of a document that is written so."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [Operation.from_record(record) for record in records_of(path, EMPTY)]


@pytest.mark.parametrize(
    "written", [YAML, YAML.encode("utf-8-sig"), YAML.replace("\n", "\r\n")], ids=["plain", "BOM", "CRLF"]
)
def test_plain_yaml_means_what_yaml_1_2_says(tmp_path: Path, written: str | bytes) -> None:
    (operation,) = from_text(tmp_path, written)
    assert properties(operation) == {
        "on": {"type": "string", "enum": ["yes", "no", "2026-11-23", "12:30"], "default": "no"},
        "limit": {"type": "integer", "minimum": 1},
        "skip": {"type": "integer", "minimum": 1},
    }
    assert operation.output_schema["properties"] == {"404": {"type": ["string", "null"]}}


def test_yaml_in_braces_is_yaml(tmp_path: Path) -> None:
    (operation,) = from_text(tmp_path, "{openapi: 3.1.0, paths: {/a: {get: {responses: {}}}}}")
    assert operation.path == "/a"


def in_a_schema(text: str) -> str:
    """Return a document with the YAML `text` for the schema of a parameter."""
    parameters = f"[{{name: a, in: query, schema: {text}}}]"
    return f"openapi: 3.1.0\npaths: {{/a: {{get: {{parameters: {parameters}, responses: {{}}}}}}}}\n"


@pytest.mark.parametrize(
    ("written", "name", "reason"),
    [
        (in_a_schema("{maximum: .inf}"), "a.yaml", "not valid YAML: line 2: .inf is not supported"),
        (in_a_schema("{default: !!binary aGk=}"), "a.yaml", "not valid YAML: line 2: the tag 'binary' is not supported"),
        (in_a_schema("&s {items: *s}"), "a.yaml", "not valid YAML: line 2: an alias refers to a value that contains "
            "it"),
        (in_a_schema("&s {default: [*s]}"), "a.yaml", "not valid YAML: line 2: an alias refers to a value that "
            "contains it"),
        ("openapi: 3.1.0\npaths: {[a]: {}}\n", "a.yaml", "a key must be text"),
        ("{", "a.json", "not valid JSON"),
        ("[" * 100_000, "a.json", "nested too deeply"),
        ("- " * 100_000, "a.yaml", "nested too deeply"),
        ('{"openapi": "3.1.0", "paths": ' + '{"a": ' * 100_000, "b.json", "nested too deeply"),
        ("swagger: '2.0'\npaths: {}\n", "a.yaml", "not an OpenAPI 3.x document"),
        ("openapi: 3.1.0\n", "a.yaml", "it has no `paths`"),
        (b"\xff\xfe\x00", "a.yaml", "cannot be read"),
        ("", "a.yaml", "not an OpenAPI document"),
    ],
    ids=["infinity", "binary", "cycle", "data cycle", "list as key", "json", "brackets", "dashes", "deep", "swagger", "no paths", "UTF-16", "empty"],
)  # fmt: skip
def test_a_file_that_is_no_document_is_refused(tmp_path: Path, written: str | bytes, name: str, reason: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        from_text(tmp_path, written, name)
    assert reason in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"nowhere.yaml: cannot be read"):
        records_of(tmp_path / "nowhere.yaml", EMPTY)
