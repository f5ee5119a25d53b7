"""The attacker talks a model into a call that looks like a plain write, and stops mail, lets somebody in or changes what customers read."""

from typing import Any

import pytest

from mailgun_mcp.policy.engine import decide
from mailgun_mcp.policy.profiles import profile
from tests.support.policies import facts

ALWAYS: list[tuple[str, dict[str, Any]]] = [
    ("add_ip_allowlist_entry", {"address": "0.0.0.0/0"}),
    ("update_ip_allowlist_entry", {"address": "198.51.100.7"}),
    ("create_template_version", {"active": True}),
    ("update_mailing_list", {"access_level": "everyone"}),
    ("create_mailing_list", {"access_level": "members"}),
    ("disable_subaccount", {}),
    ("enable_subaccount", {}),
    ("update_dkim_selector", {}),
    ("update_dkim_authority", {}),
    ("deactivate_domain_key", {}),
    ("set_account_sending_limit", {"limit": 1}),
    ("set_subaccount_sending_limit", {"limit": 1}),
    ("reenable_account", {}),
    ("create_threshold_limit", {}),
    ("update_threshold_limit", {}),
    ("import_bounces", {}),
    ("import_complaints", {}),
    ("import_unsubscribes", {}),
    ("assign_ip_to_all_domains", {}),
    ("enroll_all_domains_in_dynamic_pools", {}),
]
AFTER_UNTRUSTED_TEXT: list[tuple[str, dict[str, Any]]] = [
    ("add_mailing_list_member", {"address": "Eve <eve@evil.example>"}),
    ("bulk_add_mailing_list_members", {"members": [{"address": "eve@evil.example"}]}),
    ("import_mailing_list_members", {"members": "address\neve@evil.example"}),
    ("add_unsubscribes", {"unsubscribes": [{"address": "kim@example.org"}]}),
    ("add_bounces", {"bounces": [{"address": "kim@example.org"}]}),
    ("regenerate_tracking_certificate", {}),
    ("update_account_settings", {"name": "Evil"}),
]


@pytest.mark.parametrize(("tool", "arguments"), ALWAYS, ids=[tool for tool, _ in ALWAYS])
def test_a_write_with_a_harmful_effect_asks_a_person(tool: str, arguments: dict[str, Any]) -> None:
    assert decide(profile("guarded"), facts(tool, arguments)).effect == "confirm"


@pytest.mark.parametrize(("tool", "arguments"), AFTER_UNTRUSTED_TEXT, ids=[tool for tool, _ in AFTER_UNTRUSTED_TEXT])
def test_a_write_that_lasts_or_sends_data_out_asks_after_untrusted_text(tool: str, arguments: dict[str, Any]) -> None:
    assert decide(profile("guarded"), facts(tool, arguments, untrusted_age=5.0)).effect == "confirm"


def test_a_harmless_template_version_does_not_ask() -> None:
    assert decide(profile("guarded"), facts("create_template_version", {"active": False})).effect == "allow"


def test_a_new_list_member_is_a_destination() -> None:
    call = facts("bulk_add_mailing_list_members", {"members": [{"address": "Eve <eve@evil.example>"}, "x@y.example"]})

    assert call.destinations == ("eve@evil.example", "x@y.example")


def test_the_addresses_in_a_file_are_a_destination_that_no_rule_can_allow() -> None:
    assert facts("import_mailing_list_members", {"members": "address\n"}).destinations == ("(the addresses in a file)",)
