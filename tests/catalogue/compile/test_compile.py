"""The compile: what a description becomes, and that nothing wrong gets through it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from mailgun_mcp.catalogue.compile.__main__ import main
from mailgun_mcp.catalogue.compile.compiler import DATA, SOURCES, compile_all
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.operations import compile_document
from tests.support.operations import REVIEWED, described, document, made, with_body, with_query

EFFECT = {"resource": "thing", "kind": "removes"}
READ = {**REVIEWED, "risk": "read", "reversible": None, "undo": None}
Node = dict[str, Any]


def sources(folder: Path, **toolsets: list[tuple[str, str, Node]]) -> Path:
    """Write one document per toolset into `folder`, from (method, path, operation)."""
    for order, (toolset, operations) in enumerate(toolsets.items()):
        paths: dict[str, Node] = {}
        for method, path, operation in operations:
            paths.setdefault(path, {})[method] = operation
        head = {"toolset": toolset, "title": toolset.title(), "order": order}
        text = yaml.safe_dump({"openapi": "3.1.0", "x-mailgun-mcp": head, "paths": paths}, sort_keys=False)
        (folder / f"{toolset}.yaml").write_text(text, encoding="utf-8")
    return folder


def parameter(name: str, place: str = "query", **changes: Any) -> Node:
    return {
        "name": name,
        "in": place,
        "schema": {"type": "string"},
        **({"required": True} if place == "path" else {}),
        **changes,
    }


def test_a_description_becomes_a_tool_and_how_it_is_sent() -> None:
    operation = described(
        operationId="add_thing",
        summary="Add a thing",
        description="Adds a thing to a domain.",
        deprecated=True,
        parameters=[
            {"name": "domain", "in": "path", "required": True, "schema": {"type": "string", "format": "hostname"}},
            {"name": "dry-run", "in": "query", "schema": {"type": "boolean"}},
        ],
        requestBody={
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "required": ["o:tag"],
                        "properties": {
                            "o:tag": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
                            "vars": {"type": "object", "description": "Data"},
                        },
                    }
                }
            }
        },
        responses={
            "200": {
                "description": "Added",
                "content": {
                    "application/json": {"schema": {"type": "object", "properties": {"id": {"type": "string"}}}}
                },
            }
        },
    )
    operation["x-mailgun-mcp"]["rules"] = [{"argument": "vars", "requires": ["tag"]}]
    assert compile_document(document(operation, path="/v3/{domain}/things"), "things.yaml", "things") == [
        {
            "tool": {
                "name": "add_thing",
                "title": "Add a thing",
                "description": "Adds a thing to a domain. vars needs tag.",
                "inputSchema": {
                    "type": "object",
                    "properties": {
                        "domain": {"type": "string"},
                        "dry_run": {"type": "boolean"},
                        "tag": {"type": "array", "items": {"type": "string"}},
                        "vars": {"type": "object", "description": "Data", "properties": {}},
                    },
                    "required": ["domain", "tag"],
                },
                "outputSchema": {"type": "object", "properties": {"id": {"type": ["string", "null"]}}},
                "annotations": {
                    "readOnlyHint": False,
                    "destructiveHint": False,
                    "idempotentHint": True,
                    "openWorldHint": True,
                },
                "_meta": {
                    "mailgun-mcp/operation": "POST /v3/{domain}/things",
                    "mailgun-mcp/toolset": "things",
                    "mailgun-mcp/risk": "write",
                    "mailgun-mcp/deprecated": True,
                },
            },
            "method": "POST",
            "path": "/v3/{domain}/things",
            "body": "urlencoded",
            "arguments": [
                {"name": "domain", "in": "path", "wire": "domain", "encode": "text", "format": "hostname"},
                {"name": "dry_run", "in": "query", "wire": "dry-run", "encode": "flag"},
                {"name": "tag", "in": "form", "wire": "o:tag", "encode": "repeat"},
                {"name": "vars", "in": "form", "wire": "vars", "encode": "json", "nested": {}},
            ],
            "wrap": None,
            "open": {"vars": True},
            "unlisted": {"tag": {"maxItems": 3}},
            "sent": {},
            "times": [],
            "answer": None,
            "absence": None,
            "echo": [],
            "risk": "write",
            "risk_reason": None,
            "asked": [],
            "bulk": False,
            "idempotent": True,
            "reversible": "whole",
            "undo": {"affects": [], "missing": None, "why": None, "nothing": "the same call again"},
            "preview": None,
            "pages": None,
            "file": False,
            "price": None,
            "secrets": [],
            "personal": [],
            "raises": [],
            "authors": "third party",
            "stated_authors": {},
            "rules": [{"argument": "vars", "requires": ["tag"]}],
        }
    ]


@pytest.mark.parametrize(
    ("schema", "encode"),
    [
        ({"type": "string"}, "text"),
        ({"type": "integer"}, "text"),
        ({"type": "boolean"}, "flag"),
        ({"type": "boolean", "x-mailgun-mcp": {"wire": "yes_no"}}, "yes_no"),
        ({"type": "string", "format": "date-time"}, "rfc2822"),
        ({"type": "string", "format": "date-time", "x-mailgun-mcp": {"wire": "epoch"}}, "epoch"),
        ({"type": "array", "items": {"type": "string"}}, "repeat"),
        ({"type": "array", "items": {"type": "object"}}, "json"),
        ({"type": "object"}, "json"),
        ({"type": "string", "format": "binary"}, "file"),
        ({"type": "array", "items": {"type": "string", "format": "binary"}}, "files"),
    ],
)
def test_the_schema_decides_how_a_value_is_written(schema: Node, encode: str) -> None:
    operation = with_body("multipart/form-data", {"type": "object", "properties": {"a": schema}})
    assert [argument.encode for argument in operation.arguments] == [encode]


def test_explode_false_writes_a_list_with_commas() -> None:
    schema = {"type": "array", "items": {"type": "string", "format": "ip"}}
    in_query = with_query("ips", schema, explode=False).arguments[0]
    in_body = with_body("multipart/form-data", {"properties": {"ips": schema}}, {"ips": {"explode": False}}).arguments[
        0
    ]
    assert (in_query.encode, in_query.format) == ("comma", "ip")
    assert (in_body.encode, in_body.format) == ("comma", "ip")


def test_a_form_field_may_be_declared_as_json() -> None:
    schema = {"properties": {"a": {"type": "array", "items": {"type": "string"}}}}
    operation = with_body("multipart/form-data", schema, {"a": {"contentType": "application/json"}})
    assert operation.arguments[0].encode == "json"


def test_dates_and_flags_inside_json_are_found_at_any_depth() -> None:
    items = {
        "type": "object",
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "on": {"type": "boolean", "x-mailgun-mcp": {"wire": "yes_no"}},
            "spans": {
                "type": "array",
                "items": {"type": "string", "format": "date-time", "x-mailgun-mcp": {"wire": "rfc3339"}},
            },
        },
    }
    schema = {"type": "array", "items": items, "x-mailgun-mcp": {"argument": "things"}}
    argument = with_body("application/json", schema).arguments[0]
    assert (argument.name, argument.location) == ("things", "body")
    assert argument.nested == {"*/at": "rfc2822", "*/on": "yes_no", "*/spans/*": "rfc3339"}


def test_a_pattern_property_becomes_an_open_object() -> None:
    family = {
        "^h:": {
            "type": "string",
            "description": "Headers",
            "x-mailgun-mcp": {"argument": "headers", "prefix": "h:", "single_line": True},
        }
    }
    operation = with_body("multipart/form-data", {"type": "object", "patternProperties": family})
    (argument,) = operation.arguments
    assert (argument.name, argument.wire, argument.encode, argument.single_line) == ("headers", "h:", "family", True)
    assert operation.input_schema["properties"] == {
        "headers": {"type": "object", "description": "Headers", "properties": {}}
    }
    assert operation.open == {"headers": {"type": "string"}}


@pytest.mark.parametrize(
    ("response", "wrap", "properties"),
    [
        ({"type": "array", "items": {"type": "integer"}}, "result", {"result": {"type": ["array", "null"], "items": {"type": ["integer", "null"]}}}),
        ({"type": "string"}, "message", {"message": {"type": ["string", "null"]}}),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_object_is_wrapped_in_one(response: Node, wrap: str, properties: Node) -> None:
    responses = {"200": {"description": "", "content": {"application/json": {"schema": response}}}}
    operation = made(described(responses=responses))
    assert operation.wrap == wrap
    assert operation.output_schema == {"type": "object", "properties": properties}


def test_rules_are_told_at_the_end_of_the_description() -> None:
    rules = [
        {"at_least_one": ["a", "b"]},
        {"exactly_one": ["a", "b"]},
        {"at_most_one": ["a", "b"]},
        {"argument": "a", "requires": ["c"]},
        {"when": {"a": "x"}, "needs": {"b": None}},
        {"max_recipients": 5, "over": ["a"]},
        {"max_bytes": 5},
    ]
    operation = made(
        described(parameters=[parameter(name) for name in "abc"], **{"x-mailgun-mcp": {**REVIEWED, "rules": rules}})
    )
    assert operation.tool["description"] == (
        "Does a thing. Needs one of a, b. Takes exactly one of a, b. Takes only one of a, b. a needs c."
    )


def test_a_rule_about_all_optional_arguments_does_not_name_them() -> None:
    rules = [{"at_least_one": ["a", "b", "c"]}]
    operation = made(
        described(parameters=[parameter(name) for name in "abc"], **{"x-mailgun-mcp": {**REVIEWED, "rules": rules}})
    )
    assert operation.tool["description"] == "Does a thing. Needs one of the optional arguments."


@pytest.mark.parametrize(("use", "required"), [("optional", []), ("required", ["storage_host"])])
def test_a_storage_host_becomes_an_argument(use: str, required: list[str]) -> None:
    operation = made(described(**{"x-mailgun-mcp": {**REVIEWED, "storage_host": use}}))
    assert [(argument.name, argument.location) for argument in operation.arguments] == [("storage_host", "host")]
    assert operation.input_schema.get("required", []) == required


@pytest.mark.parametrize("style", ["path", "url"])
def test_an_opaque_page_becomes_an_argument(style: str) -> None:
    pages = {"style": style, "items": "items"}
    operation = made(described(**{"x-mailgun-mcp": {**READ, "pages": pages}}), method="get")
    assert [(argument.name, argument.location) for argument in operation.arguments] == [("page", f"page_{style}")]


def test_a_parameter_of_the_operation_replaces_the_shared_one() -> None:
    paths = {
        "/a": {
            "parameters": [parameter("n")],
            "get": described(parameters=[parameter("n", schema={"type": "integer"})]),
        }
    }
    (record,) = compile_document({"paths": paths}, "a.yaml", "a")
    assert record["tool"]["inputSchema"]["properties"] == {"n": {"type": "integer"}}


def body(content: Node) -> Node:
    return described(requestBody={"content": content})


def form(properties: Node, **more: Any) -> Node:
    return body({"multipart/form-data": {"schema": {"type": "object", "properties": properties, **more}}})


def extended(**changes: Any) -> Node:
    return described(**{"x-mailgun-mcp": {**REVIEWED, **changes}})


def without(*keys: str) -> Node:
    operation = described()
    return {key: value for key, value in operation.items() if key not in keys}


WRONG: dict[str, tuple[Node, str]] = {
    "unknown extension key": (extended(risky=True), "x-mailgun-mcp: risky: Extra inputs are not permitted"),
    "unknown risk": (extended(risk="harmless"), "x-mailgun-mcp: risk: Input should be"),
    "bare no": (extended(reversible=False), "x-mailgun-mcp: reversible: Input should be"),
    "no extension": (without("x-mailgun-mcp"), "x-mailgun-mcp is missing"),
    "read that is undone": (extended(risk="read"), "a read changes nothing: reversible must be null"),
    "read that may not be repeated": (described(**{"x-mailgun-mcp": {**READ, "idempotent": False}}), "a read is idempotent"),
    "read with a preview": (described(**{"x-mailgun-mcp": {**READ, "preview": {"tool": "x"}}}), "a read needs no preview"),
    "write without reversible": (extended(reversible=None), "risk write changes something: reversible must be"),
    **{
        f"undo that does not fit: {reversible} {undo}": (
            extended(reversible=reversible, undo=undo),
            f"undo does not fit reversible {reversible}",
        )
        for reversible, undo in (
            ("whole", None),
            ("whole", {}),
            ("whole", {"why": "it is gone"}),
            ("whole", {"nothing": "a", "affects": [EFFECT]}),
            ("whole", {"affects": [EFFECT], "missing": "a date"}),
            ("part", {"affects": [EFFECT]}),
            ("part", {"missing": "a date"}),
            ("no", {"nothing": "a"}),
            ("no", {"why": "it is gone", "affects": [EFFECT]}),
        )
    },
    "undo with an unknown key": (extended(undo={"because": "a"}), "x-mailgun-mcp: undo.because: Extra inputs"),
    "unknown rule": (extended(rules=[{"some_of": ["a", "b"]}]), "x-mailgun-mcp: rules"),
    "rule of one": (extended(rules=[{"exactly_one": ["a"]}]), "x-mailgun-mcp: rules"),
    "rule over unknown": (extended(rules=[{"exactly_one": ["a", "b"]}]), "x-mailgun-mcp names unknown arguments: a, b"),
    "size rule over unknown": (extended(rules=[{"max_bytes": 1, "over": ["a"]}]), "names unknown arguments: a"),
    "personal unknown": (extended(personal=["who"]), "x-mailgun-mcp names unknown arguments: who"),
    "preview argument unknown": (extended(preview={"tool": "t", "arguments": {"x": "ours"}}), "names unknown arguments: ours"),
    "unknown page style": (extended(pages={"style": "cursor", "items": "items"}), "x-mailgun-mcp: pages.style"),
    "skip without arguments": (extended(pages={"style": "skip", "items": "items"}), "pages need the arguments limit, skip"),
    "unknown key": (described(**{"x-other": 1}), "unknown key x-other"),
    "no operationId": (without("operationId"), "operationId '' is not a tool name"),
    "operationId in capitals": (described(operationId="sendMail"), "operationId 'sendMail' is not a tool name"),
    "operationId too long": (described(operationId="a" * 47), "is not a tool name"),
    "no summary": (without("summary"), "summary is missing"),
    "no description": (described(description=""), "description is missing"),
    "no responses": (without("responses"), "responses is missing"),
    "parameter in a cookie": (described(parameters=[parameter("a", "cookie")]), "parameter a: `in: cookie` is not supported"),
    "parameter without a name": (described(parameters=[{"in": "query"}]), "not an OpenAPI operation: KeyError('name')"),
    "path without its parameter": (described(parameters=[parameter("id", "path")]), "path names [], parameters name ['id']"),
    "duplicate argument": (described(parameters=[parameter("a-b"), parameter("a_b")]), "two arguments are called 'a_b'"),
    "argument of path and body": (form({"o:x": {"type": "string"}, "x": {"type": "string"}}), "two arguments are called 'x'"),
    "argument name": (form({"1st": {"type": "string"}}), "argument name '1st' does not match"),
    "argument name too long": (form({"a" * 65: {"type": "string"}}), "does not match"),
    "unknown media type": (body({"application/form-data": {}}), "requestBody needs one content type of multipart/form-data"),
    "two media types": (body({"application/json": {}, "multipart/form-data": {}}), "requestBody needs one content type"),
    "unportable keyword": (form({"a": {"type": "string", "not": {}}}), "schema keyword not portable: not"),
    "unportable keyword inside": (form({"a": {"type": "array", "items": {"type": "array", "items": {"const": 1}}}}), "not portable: const"),
    "unknown property extension": (form({"a": {"type": "string", "x-mailgun-mcp": {"wires": "yes"}}}), "a: x-mailgun-mcp: wires"),
    "family without a prefix": (form({}, patternProperties={"^h:": {"type": "string", "x-mailgun-mcp": {"argument": "headers"}}}), "patternProperties ^h:: `argument` and `prefix` are needed"),
    "family without an extension": (form({}, patternProperties={"^h:": {"type": "string"}}), "patternProperties ^h:: x-mailgun-mcp is missing"),
    "family named as a field": (form({"headers": {"type": "object"}}, patternProperties={"^h:": {"x-mailgun-mcp": {"argument": "headers", "prefix": "h:"}}}), "two arguments are called 'headers'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_description_stops_the_compile_with_file_path_and_method(case: str) -> None:
    operation, message = WRONG[case]
    with pytest.raises(CatalogueError) as caught:
        compile_document(document(operation), "things.yaml", "things")
    assert str(caught.value).startswith("things.yaml: /v3/things: post: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("field", [*REVIEWED])
def test_nothing_about_risk_has_a_default(field: str) -> None:
    extension = {key: value for key, value in REVIEWED.items() if key != field}
    with pytest.raises(CatalogueError) as caught:
        compile_document(document(described(**{"x-mailgun-mcp": extension})), "things.yaml", "things")
    assert str(caught.value) == f"things.yaml: /v3/things: post: x-mailgun-mcp: {field}: Field required"


def test_a_template_without_its_parameter_stops_the_compile() -> None:
    with pytest.raises(CatalogueError, match=r"post: path names \['id'\], parameters name \[\]"):
        compile_document(document(described(), path="/v3/things/{id}"), "things.yaml", "things")


def reading(name: str, **changes: Any) -> Node:
    return described(operationId=name, **{"x-mailgun-mcp": READ}, **changes)


def previewing(name: str, preview: Node, **changes: Any) -> Node:
    return described(operationId=name, **{"x-mailgun-mcp": {**REVIEWED, "preview": preview}}, **changes)


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        (
            {"a": [("post", "/a", described(operationId="same"))], "b": [("post", "/b", described(operationId="same"))]},
            "b.yaml: /b: post: the tool name same is taken by /a",
        ),
        (
            {"a": [("post", "/a", described(operationId="one"))], "b": [("post", "/a", described(operationId="two"))]},
            "b.yaml: /a: post: described twice",
        ),
        (
            {"a": [("put", "/a", previewing("one", {"tool": "nothing"}))]},
            "a.yaml: /a: put: preview names an unknown tool nothing",
        ),
        (
            {"a": [("put", "/a", previewing("one", {"tool": "two"})), ("post", "/a", described(operationId="two"))]},
            "a.yaml: /a: put: preview two is not a read",
        ),
        (
            {
                "a": [
                    ("put", "/a", previewing("one", {"tool": "two"})),
                    ("get", "/a", reading("two", parameters=[parameter("id", required=True)])),
                ]
            },
            "a.yaml: /a: put: preview two needs id",
        ),
        (
            {
                "a": [
                    ("put", "/a", previewing("one", {"tool": "two", "arguments": {"x": "n"}}, parameters=[parameter("n")])),
                    ("get", "/a", reading("two")),
                ]
            },
            "a.yaml: /a: put: preview two has no argument x",
        ),
    ],
    ids=["duplicate name", "duplicate call", "preview unknown", "preview writes", "preview needs more", "preview has less"],
)  # fmt: skip
def test_what_only_shows_between_operations_stops_the_compile(
    tmp_path: Path, operations: dict[str, Any], message: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        compile_all(sources(tmp_path, **operations))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"toolset": "a", "title": "A"}, "a.yaml: x-mailgun-mcp: order: Field required"),
        ({"toolset": "a", "title": "A", "order": 1, "default": True}, "a.yaml: x-mailgun-mcp: default: Extra inputs"),
        ({"toolset": "b", "title": "A", "order": 1}, "a.yaml: x-mailgun-mcp: toolset 'b' is not the file's name"),
    ],
)
def test_a_wrong_head_stops_the_compile(tmp_path: Path, head: Node, message: str) -> None:
    text = yaml.safe_dump({"openapi": "3.1.0", "x-mailgun-mcp": head, "paths": {}})
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        compile_all(tmp_path)
    assert str(caught.value).startswith(message)


def test_compiling_twice_gives_the_same_bytes_and_one_line_an_operation(tmp_path: Path) -> None:
    folder = sources(tmp_path, a=[("get", "/a", reading("one")), ("post", "/a", described(operationId="two"))])
    rendered = compile_all(folder)
    assert rendered == compile_all(folder)
    first, one, two, last = rendered["a.json"].splitlines()
    assert json.loads(one.removesuffix(","))["tool"]["name"] == "one"
    assert json.loads(two)["tool"]["name"] == "two"
    assert json.loads(first + one + two + last)["operations"][1]["method"] == "POST"


def test_check_agrees_with_what_is_committed() -> None:
    assert main(["--check"]) == 0


def test_checking_one_document_counts_its_operations(capsys: pytest.CaptureFixture[str]) -> None:
    path = SOURCES / "bounces.yaml"
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: 6 operations\n"


@pytest.mark.parametrize("arguments", [["nowhere.yaml"], ["--chek"]], ids=["missing file", "unknown flag"])
def test_checking_what_is_not_there_fails(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith(f"error: {arguments[0]}: cannot be read")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the compiler write somewhere else, and return the folder of the compiled toolsets."""
    monkeypatch.setattr("mailgun_mcp.catalogue.compile.__main__.DATA", tmp_path)
    return tmp_path / "tools"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the compiler writes, for tests that start with it."""
    folder = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mailgun_mcp.catalogue.compile.__main__.DATA", folder)
        assert main([]) == 0
    return folder


@pytest.mark.slow
def test_data_that_differs_from_the_documents_is_found_and_rewritten(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0
    renamed = json.loads((data / "bounces.json").read_text(encoding="utf-8")) | {"toolset": "gone"}
    (data / "gone.json").write_text(json.dumps(renamed), encoding="utf-8")
    (data / "bounces.json").write_text("{}", encoding="utf-8")
    capsys.readouterr()
    assert main(["--check"]) == 1
    assert capsys.readouterr().err == "stale: bounces.json, gone.json; run `python -m mailgun_mcp.catalogue.compile`\n"
    assert (data / "gone.json").exists()
    assert main([]) == 0
    written = {path.name: path.read_bytes() for path in data.iterdir()}
    assert written == {path.name: path.read_bytes() for path in (DATA / "tools").glob("*.json")}


@pytest.mark.parametrize("missing", ["SOURCES", "PROMPTS"])
@pytest.mark.parametrize("there", [True, False], ids=["empty folder", "no folder"])
def test_without_sources_nothing_is_compiled_and_the_data_stays(
    missing: str,
    there: bool,
    data: Path,
    compiled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(compiled, data.parent, dirs_exist_ok=True)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    sources = tmp_path / "sources"
    if there:
        sources.mkdir()
    monkeypatch.setattr(f"mailgun_mcp.catalogue.compile.__main__.{missing}", sources)

    assert main([]) == 1

    kind = "tool documents (*.yaml)" if missing == "SOURCES" else "prompts (*.md)"
    assert capsys.readouterr().err == f"error: no {kind} in {sources}: run this in a checkout of mailgun-mcp\n"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json")} == before


@pytest.mark.parametrize("text", ["{}", "[]", "not JSON", '{"toolset": "other"}'])
def test_a_file_that_the_compiler_did_not_write_is_named_and_stays(
    text: str, data: Path, compiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(compiled, data.parent, dirs_exist_ok=True)
    (data / "notes.json").write_text(text, encoding="utf-8")

    assert main([]) == 1

    assert (
        capsys.readouterr().err
        == f"error: {data / 'notes.json'} was not written by this compiler: move it somewhere else\n"
    )
    assert (data / "notes.json").read_text(encoding="utf-8") == text
