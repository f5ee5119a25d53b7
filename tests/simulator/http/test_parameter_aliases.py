"""Parameters that only Mailgun's SDKs send."""

from mailgun_mcp.simulator.http.parameter_aliases import PARAMETER_ALIASES, apply_aliases
from tests.support.operations import catalogue


def test_another_name_is_none_of_the_catalogue_and_leads_to_one_that_is() -> None:
    for operation, names in PARAMETER_ALIASES.items():
        known = {argument.wire for argument in catalogue().find(operation).arguments if argument.location != "path"}
        assert not known & names.keys()
        assert {name for name in names.values() if name} <= known


def test_what_changes_nothing_is_left_out_and_the_rest_is_kept() -> None:
    assert apply_aliases("create_ip_pool", {"ips": ["192.0.2.1"], "name": ["n"]}) == {
        "ip": ["192.0.2.1"],
        "name": ["n"],
    }
    assert apply_aliases("list_events", {"pretty": ["yes"], "limit": ["1"]}) == {"limit": ["1"]}
    assert apply_aliases("list_bounces", {"pretty": ["yes"]}) == {"pretty": ["yes"]}
