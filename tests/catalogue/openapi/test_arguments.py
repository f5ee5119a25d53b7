"""Arguments from the parameters of a foreign document."""

from typing import Any

import pytest

from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.catalogue.openapi.arguments import ArgumentNames, Parameters, argument_schema


def test_every_argument_gets_a_name_of_its_own() -> None:
    names = ArgumentNames()
    unique = [names.give("o:tag", "query"), names.give("tag", "header"), names.give("tag", "header")]
    assert unique == ["tag", "tag_in_header", "tag_in_header_2"]
    assert names.give("9-a", "query") == "_9_a"


def test_an_object_in_a_query_becomes_a_parameter_for_each_property() -> None:
    parameters = Parameters(ArgumentNames())
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
    parameters.add({"name": "q", "in": "query", "schema": schema, "style": "deepObject"})
    parameters.add({"name": "domain", "in": "path", "schema": {"type": "string"}})
    assert [parameter["name"] for parameter in parameters.prepared()] == ["domain", "q[a]", "q[b]"]


@pytest.mark.parametrize(
    ("parameter", "fault"),
    [
        pytest.param({"name": "Host", "in": "header"}, "Host: a call may not set this header", id="HTTP client's"),
        pytest.param({"name": "c", "in": "cookie"}, "c: `in: cookie` is not supported", id="cookie"),
    ],
)
def test_a_parameter_that_a_request_cannot_carry_is_refused(parameter: dict[str, Any], fault: str) -> None:
    with pytest.raises(CatalogueError, match=fault):
        Parameters(ArgumentNames()).add(parameter)


def test_a_property_that_only_a_response_has_is_left_out() -> None:
    schema = {"type": "object", "properties": {"id": {"type": "string", "readOnly": True}, "name": {"type": "string"}}}
    assert argument_schema(schema, in_form=False)["properties"] == {"name": {"type": "string"}}
