"""Documents as they are read: YAML or JSON in, a tree without references out, or a fault with its place."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.documents import digest, read_document


def written(folder: Path, text: str, name: str = "x.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def with_components(reference: str, **schemas: Any) -> str:
    operation = {"requestBody": {"$ref": reference}}
    return json.dumps({"openapi": "3.1.0", "paths": {"/v3/x": {"post": operation}}, "components": {"schemas": schemas}})


def test_a_reference_is_replaced_by_what_it_names_wherever_it_stands(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
openapi: 3.1.0
paths:
  /v3/x:
    parameters: [{$ref: "#/components/parameters/limit"}]
    get:
      responses: {"200": {$ref: "#/components/responses/a~1b"}}
components:
  parameters: {limit: {name: limit, in: query, schema: {$ref: "#/components/schemas/count"}}}
  responses: {a/b: {description: Fine}}
  schemas: {count: {type: integer}}
""",
    )
    assert read_document(path)["paths"] == {
        "/v3/x": {
            "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}],
            "get": {"responses": {"200": {"description": "Fine"}}},
        }
    }


def test_keys_beside_a_reference_win_over_what_it_names(tmp_path: Path) -> None:
    path = written(tmp_path, with_components("#/components/schemas/a", a={"type": "string", "description": "old"}))
    document = json.loads(path.read_text(encoding="utf-8"))
    document["paths"]["/v3/x"]["post"]["requestBody"]["description"] = "new"
    path = written(tmp_path, json.dumps(document))
    assert read_document(path)["paths"]["/v3/x"]["post"]["requestBody"] == {"type": "string", "description": "new"}


def test_a_path_item_may_be_a_reference_itself(tmp_path: Path) -> None:
    text = {"openapi": "3.0.3", "paths": {"/a": {"$ref": "#/components/x"}}, "components": {"x": {"get": {"n": 1}}}}
    assert read_document(written(tmp_path, json.dumps(text)))["paths"] == {"/a": {"get": {"n": 1}}}


def test_a_recursive_schema_ends_in_one_that_takes_anything(tmp_path: Path) -> None:
    tree = {"type": "object", "properties": {"child": {"$ref": "#/components/schemas/tree"}}}
    path = written(tmp_path, with_components("#/components/schemas/tree", tree=tree))
    assert read_document(path)["paths"]["/v3/x"]["post"]["requestBody"] == {
        "type": "object",
        "properties": {"child": {}},
    }


def test_json_and_yaml_are_read_alike(tmp_path: Path) -> None:
    as_json = written(tmp_path, '{"openapi": "3.0.0", "paths": {"/a": {"get": {"deprecated": true}}}}', "a.json")
    as_yaml = written(tmp_path, "openapi: 3.0.0\npaths: {/a: {get: {deprecated: true}}}\n")
    assert read_document(as_json) == read_document(as_yaml)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("openapi: 3.1.0\npaths: {", "not valid YAML"),
        ("openapi: 3.1.0\npaths: !!python/object/apply:os.getcwd []", "not valid YAML"),
        ('{"openapi": "3.1.0",', "not valid YAML"),
        ("- 1", "it has no `paths`"),
        ("openapi: 3.1.0", "it has no `paths`"),
        ("openapi: 3.1.0\npaths: []", "it has no `paths`"),
        ("swagger: '2.0'\npaths: {}", "not an OpenAPI 3.x document (openapi: None)"),
        ("openapi: 2.0\npaths: {}", "not an OpenAPI 3.x document (openapi: 2.0)"),
        ("openapi: 3.1.0\npaths: {}\npaths: {}", "line 3: duplicate key 'paths' (first on line 2)"),
        ("openapi: 3.1.0\npaths:\n  /a:\n    get: {}\n    get: {}\n", "line 5: duplicate key 'get' (first on line 4)"),
        ('{"openapi": "3.1.0", "paths": {}, "paths": {}}', "duplicate key 'paths'"),
        ("", "it has no `paths`"),
    ],
)
def test_what_is_no_openapi_document_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_document(written(tmp_path, text))
    assert "x.yaml" in str(caught.value)
    assert message in str(caught.value)


def test_broken_json_is_refused_as_json(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"x\.json: not valid JSON: .*line 1 column 21"):
        read_document(written(tmp_path, '{"openapi": "3.1.0",', "x.json"))


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "not text"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "gone.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CatalogueError, match=r"gone\.yaml: cannot be read"):
        read_document(path)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("#/components/schemas/nope", "unresolved reference #/components/schemas/nope"),
        ("#/components/schemas/a/type/deeper", "unresolved reference #/components/schemas/a/type/deeper"),
        ("other.yaml#/a", "other.yaml#/a: only references inside the document are followed"),
        ("https://example.com/a.yaml", "https://example.com/a.yaml: only references inside the document are followed"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named_with_file_path_and_method(
    tmp_path: Path, reference: str, message: str
) -> None:
    path = written(tmp_path, with_components(reference, a={"type": "string"}))
    with pytest.raises(CatalogueError) as caught:
        read_document(path)
    assert str(caught.value) == f"x.yaml: /v3/x: post: {message}"


def test_a_digest_is_the_sha256_of_the_file(tmp_path: Path) -> None:
    assert digest(written(tmp_path, "abc")) == sha256(b"abc").hexdigest()
