"""The reference of the tools as Markdown."""

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.markdown import tool_reference, toolset_index
from tests.support.operations import catalogue, find, with_query


def test_a_reference_says_what_can_be_undone() -> None:
    line = "`DELETE /v3/{domain_name}/bounces/{address}`, toolset `bounces`, risk `destructive`, can be undone"
    assert line in tool_reference(find("delete_bounce")).splitlines()


def test_an_argument_has_a_row_with_its_default_and_bounds() -> None:
    schema = {"type": "integer", "minimum": 1, "maximum": 5, "default": 2, "description": "One|two"}
    row = "| `limit` | integer |  | One/two; default `2`; at least 1, at most 5 |"
    assert row in tool_reference(with_query("limit", schema)).splitlines()


def test_the_index_lists_each_tool_once() -> None:
    index = toolset_index(catalogue())
    assert [name for name in catalogue().names if index.count(f"| `{name}` |") != 1] == []
    assert toolset_index(Catalogue([], {})) == "# Tools\n"
