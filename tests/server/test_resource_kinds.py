"""The URIs of resources."""

import pytest

from mailgun_mcp.server.resource_kinds import KINDS, kind_of
from tests.support.operations import catalogue


def test_every_kind_is_read_with_arguments_that_its_tool_has() -> None:
    for kind in KINDS:
        if kind.tool is not None:
            operation = catalogue().find(kind.tool)
            schema = operation.tool["inputSchema"]
            arguments = kind.call(dict.fromkeys(kind.variables, "x"))
            assert operation.risk == "read", kind.name
            assert set(schema.get("required", [])) <= arguments.keys() <= schema["properties"].keys(), kind.name


def test_a_uri_is_of_one_kind_and_its_values_are_decoded() -> None:
    found = kind_of("mailgun-mcp://lists/news%40mg.example.com")
    assert found is not None
    kind, values = found
    assert (kind.name, kind.call(values)) == ("list", {"list_address": "news@mg.example.com"})
    found = kind_of("mailgun-mcp://domains/mg.example.com/templates/welcome")
    assert found is not None
    assert found[0].call(found[1]) == {"active": True, "domain": "mg.example.com", "template_name": "welcome"}


@pytest.mark.parametrize("uri", ["", "tools", "mailgun-mcp://", "mailgun-mcp://tools/a/b", "skill://mailgun-dns"])
def test_other_uris_are_of_no_kind(uri: str) -> None:
    assert kind_of(uri) is None
