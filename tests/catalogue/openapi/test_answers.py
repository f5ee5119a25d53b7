"""What the compiler works out about an answer."""

from typing import Any

import pytest

from mailgun_mcp.catalogue.errors import CatalogueError
from tests.support.operations import REVIEWED, described, made

READ = {**REVIEWED, "risk": "read", "reversible": None, "undo": None}
ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "created_at": {"type": "number", "format": "date-time"},
        "inner": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}},
    },
}


def read(answer: dict[str, Any] | None, *, risk: dict[str, Any] = READ, **changes: Any) -> Any:
    schema = {"type": "object", "properties": {"items": {"type": "array", "items": ITEM}}}
    responses = {"200": {"description": "Done", "content": {"application/json": {"schema": schema}}}}
    extension = {**risk, **({"answer": answer} if answer else {})}
    return made(described(responses=responses, **{"x-mailgun-mcp": extension}, **changes), method="get")


def test_times_are_found_wherever_they_stand_and_become_text() -> None:
    operation = read(None)
    assert operation.times == ("/items/*/created_at", "/items/*/inner/at")
    item = operation.output_schema["properties"]["items"]["items"]
    assert item["properties"]["created_at"] == {"type": ["string", "null"]}


def test_a_read_with_usual_fields_takes_fields_and_full() -> None:
    operation = read({"items": "items", "fields": ["name", "inner/at"]})
    assert set(operation.input_schema["properties"]) == {"fields", "full"}
    assert operation.answer.fields == ("name", "inner/at")
    assert {argument.location for argument in operation.arguments} == {"answer"}


@pytest.mark.parametrize("field", ["nme", "inner/on", "name/x"])
def test_a_usual_field_that_the_response_lacks_does_not_compile(field: str) -> None:
    with pytest.raises(CatalogueError, match="the response has no field"):
        read({"items": "items", "fields": [field]})


def test_only_the_answer_of_a_read_is_shortened() -> None:
    with pytest.raises(CatalogueError, match="only the answer of a read"):
        read({"items": "items", "fields": ["name"]}, risk=REVIEWED)


def test_what_is_sent_by_default_has_a_path() -> None:
    parameters = [{"name": "limit", "in": "query", "schema": {"type": "integer", "x-mailgun-mcp": {"send": 20}}}]
    assert read(None, parameters=parameters).sent == {"limit": 20}
