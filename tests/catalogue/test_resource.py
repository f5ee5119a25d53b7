"""A resource read from the compiled catalogue."""

from mailgun_mcp.catalogue.resource import Read, Write
from tests.support.operations import catalogue


def test_a_resource_names_the_tools_that_read_and_write_it() -> None:
    bounce = catalogue().resource("bounce")
    assert bounce.one == Read("get_bounce", {"address": "$key"}, None)
    assert bounce.remove == Write("delete_bounce", {"address": "$key"}, None, None, None)
    assert bounce.replace is None


def test_a_count_is_in_the_singular_only_for_one() -> None:
    bounce = catalogue().resource("bounce")
    assert [bounce.count(number) for number in (0, 1, 3000)] == ["0 bounces", "1 bounce", "3,000 bounces"]
