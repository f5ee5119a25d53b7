"""What is saved comes back as it was, and anything else is refused."""

from typing import Any

import pytest

from mailgun_mcp.undo.records import Affected, Observed, ResourceRef

MEMBER = ResourceRef("list_member", (("list_address", "team@x.example"),), "ann@x.example")
TRACKING = ResourceRef("click_tracking", (("domain", "mg.example.com"),), None)


@pytest.mark.parametrize("ref", [MEMBER, TRACKING])
@pytest.mark.parametrize("value", [None, {"name": "Ann", "vars": {"n": [1]}}])
def test_a_record_is_stored_and_read_again(ref: ResourceRef, value: dict[str, Any] | None) -> None:
    affected, observed = Affected(ref, value, "changes", "new"), Observed(ref, value)
    assert Affected.from_stored(affected.stored()) == affected
    assert Observed.from_stored(observed.stored()) == observed


@pytest.mark.parametrize("former", ["domain_name", "authority_name", "name"])
def test_a_record_of_an_earlier_release_is_read_under_the_names_of_today(former: str) -> None:
    affected, observed = Affected(TRACKING, {"active": "yes"}, "changes"), Observed(TRACKING, None)
    resource, _, *others = affected.stored()
    assert Affected.from_stored([resource, [[former, "mg.example.com"]], *others]) == affected
    resource, _, *others = observed.stored()
    assert Observed.from_stored([resource, [[former, "mg.example.com"]], *others]) == observed


@pytest.mark.parametrize(
    "entry", [None, {}, [], ["bounce", [], "a", None, "removes"], [1, [], "a", None, "makes", None]]
)
def test_what_is_not_a_record_is_refused(entry: Any) -> None:
    with pytest.raises(ValueError, match="not "):
        Affected.from_stored(entry)


def test_a_resource_is_named_by_its_key_or_where_there_is_one_by_its_place() -> None:
    assert (str(MEMBER), str(TRACKING)) == ("list member ann@x.example", "click tracking mg.example.com")
    assert MEMBER.where == {"list_address": "team@x.example"}
