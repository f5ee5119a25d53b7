"""What names something is read the same by Mailgun, the policy and the copy for undo, or refused."""

import pytest

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.request.target_keys import canonical_network, key_faults, values_at
from tests.support.operations import catalogue


def faults(tool: str, arguments: Arguments) -> list[tuple[str, str]]:
    return [(name, fault) for name, _, fault in key_faults(catalogue().find(tool), arguments)]


@pytest.mark.parametrize(
    "address", ["a@b.example", "A@B.Example", " a@b.example ", '"B, A" <a@b.example>', "a@bücher.example"]
)
def test_an_address_may_have_a_name_before_it(address: str) -> None:
    assert faults("create_mailing_list", {"address": address}) == []


@pytest.mark.parametrize(
    "address",
    ["mailto:a@b.example", "a @b.example", "a@b.example (A)", "a@b.example, c@d.example", "x@y.z <a@b.example>", "a"],
)
def test_what_is_more_than_an_address_is_refused(address: str) -> None:
    ((name, fault),) = faults("bulk_add_mailing_list_members", {"members": [{"address": address}]})
    assert name == "members"
    assert fault.endswith(": write address@example.com or Name <address@example.com>")


def test_a_new_name_is_checked_like_the_old_one() -> None:
    ((name, _),) = faults("update_mailing_list", {"list_address": "a@b.example", "address": "mailto:c@b.example"})
    assert name == "address"


def test_an_ip_range_has_no_spaces_around_it() -> None:
    assert faults("add_ip_allowlist_entry", {"address": "2001:DB8::/32"}) == []
    assert faults("add_ip_allowlist_entry", {"address": " 192.0.2.7 "}) == [
        ("address", "is not an IP address or range such as 192.0.2.0/24")
    ]
    assert [canonical_network(text) for text in ("192.0.2.7/32", "192.0.2.7/24", "x")] == [
        "192.0.2.7",
        "192.0.2.0/24",
        None,
    ]


def test_an_id_has_no_spaces_around_it() -> None:
    assert faults("bulk_delete_account_webhooks", {"webhook_ids": ["a", " b "]}) == [
        ("webhook_ids", "has a space before or after it")
    ]
    assert faults("bulk_delete_account_webhooks", {"all": True}) == []


def test_an_allowlist_takes_addresses_and_domains() -> None:
    entries = [
        {"value": "a@b.example"},
        {"value": "b.example"},
        {"value": " b.example"},
        {"value": "mailto:a@b.example"},
    ]
    assert [len(faults("delete_allowlist_entry", entry)) for entry in entries] == [0, 0, 1, 1]


def test_values_are_found_by_their_path() -> None:
    assert list(
        values_at({"bounces": [{"address": "a"}, {"address": None}, {"address": "b"}]}, "bounces/*/address")
    ) == ["a", "b"]
    assert list(values_at({"bounces": "no list"}, "bounces/*/address")) == []
