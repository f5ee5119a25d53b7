"""How the value of an argument is written on the wire, by its schema."""

from typing import Any

import pytest

from mailgun_mcp.catalogue.openapi.encodings import encoding_of, nested_wires
from mailgun_mcp.catalogue.openapi.extension import PropertyExtension

TEXT = {"type": "string"}
FILE = {"type": "string", "format": "binary"}
DATE = {"type": "string", "format": "date-time"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (TEXT, "text"),
        ({"type": "integer"}, "text"),
        ({"type": "boolean"}, "flag"),
        (DATE, "rfc2822"),
        (FILE, "file"),
        ({"type": "object"}, "json"),
        ({"type": "array", "items": TEXT}, "repeat"),
        ({"type": "array", "items": FILE}, "files"),
        ({"type": "array", "items": {"type": "object"}}, "json"),
    ],
)
def test_a_schema_decides_the_encoding(schema: dict[str, Any], expected: str) -> None:
    assert encoding_of(schema, PropertyExtension(), exploded=True, as_json=False) == expected


def test_a_list_that_is_not_exploded_is_one_value_with_commas() -> None:
    assert encoding_of({"type": "array", "items": TEXT}, PropertyExtension(), exploded=False, as_json=False) == "comma"


def test_a_part_of_json_is_json() -> None:
    assert encoding_of({"type": "array", "items": TEXT}, PropertyExtension(), exploded=True, as_json=True) == "json"


def test_what_the_extension_says_goes_first() -> None:
    extension = PropertyExtension.model_validate({"wire": "epoch"})
    assert encoding_of(DATE, extension, exploded=True, as_json=True) == "epoch"


def test_dates_inside_json_are_found_by_their_path() -> None:
    entry = {"type": "object", "properties": {"created_at": DATE, "address": TEXT}}
    assert nested_wires({"type": "array", "items": entry}) == {"*/created_at": "rfc2822"}
    wired = {"type": "string", "x-mailgun-mcp": {"wire": "epoch"}}
    assert nested_wires({"type": "object", "properties": {"since": wired}}) == {"since": "epoch"}
