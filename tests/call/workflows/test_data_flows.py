"""Where mail and events leave the account."""

import pytest

from mailgun_mcp.call.workflows.data_flows import _differing, _shadowed
from tests.support.workflows import read

CATCH_ALL = {"id": "a", "priority": 0, "expression": 'match_recipient(".*@x.example")', "actions": ["stop()"]}
SUPPORT = {"id": "b", "priority": 5, "expression": 'match_recipient("^support@x.example$")', "actions": []}


def test_a_route_behind_one_that_stops_is_not_reached() -> None:
    assert [finding.cause for finding in _shadowed([SUPPORT, CATCH_ALL], read({}))] == ["route_shadowed"]


@pytest.mark.parametrize(
    "change", [{"actions": []}, {"priority": 9}, {"expression": 'match_recipient(".*@y.example")'}]
)
def test_a_route_that_is_reached_is_not_named(change: dict[str, object]) -> None:
    assert _shadowed([SUPPORT, {**CATCH_ALL, **change}], read({})) == []


def test_webhooks_with_a_host_in_common_agree() -> None:
    same = {"delivered": ["https://a.example/1"], "failed": ["https://a.example/2", "https://b.example/"]}
    assert _differing("x.example", same, read({})) is None
    other = {"delivered": ["https://a.example/1"], "failed": ["https://b.example/"]}
    finding = _differing("x.example", other, read({}))
    assert finding is not None
    assert finding.evidence == other
