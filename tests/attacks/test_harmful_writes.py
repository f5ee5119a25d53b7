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
    ("create_domain", {"domain": "mg.example.com", "smtp_password": "generate"}),
    ("update_unsubscribe_tracking", {"active": False}),
    ("update_unsubscribe_tracking", {"html_footer": "<p>Sign in at evil.example</p>"}),
    ("add_unsubscribes", {"unsubscribes": [{"address": f"kim{number}@example.org"} for number in range(11)]}),
    ("add_complaints", {"complaints": [{"address": f"kim{number}@example.org"} for number in range(11)]}),
    ("add_bounces", {"bounces": [{"address": f"kim{number}@example.org"} for number in range(11)]}),
    ("create_route", {"expression": "catch_all()", "action": ["STOP()"]}),
    ("update_route", {"action": ['forward("eve@evil.example")']}),
    ("update_route", {"expression": "catch_all()"}),
    ("add_mailing_list_member", {"address": "kim@example.org", "upsert": True}),
    ("bulk_add_mailing_list_members", {"members": [{"address": "kim@example.org"}], "upsert": True}),
    ("update_mailing_list", {"address": "other@mg.example.com"}),
    ("update_mailing_list", {"reply_preference": "list"}),
    ("update_mailing_list", {"reply_preference": "sender"}),
    ("update_mailing_list", {"access_level": "readonly"}),
    ("create_mailing_list", {"reply_preference": "list"}),
    ("add_ip_to_pool", {"ip": "192.0.2.1"}),
    ("add_ips_to_pool", {"ips": ["192.0.2.1"]}),
    ("add_ip_to_dynamic_pool", {"ip": "192.0.2.1"}),
    ("update_ip_pool", {"add_ip": "192.0.2.1"}),
    ("update_dynamic_pool", {"add_ip": "192.0.2.1"}),
    ("update_ip_pool", {"unlink_domain": "mg.example.com"}),
    ("update_dynamic_pool", {"remove_ip": "192.0.2.1"}),
    ("update_account_settings", {"logout_redirect_url": "https://evil.example"}),
    ("update_account_settings", {"inactive_session_timeout": 999999}),
    ("update_domain_webhook", {"url": ["https://evil.example"]}),
    ("update_account_webhook", {"url": "https://evil.example"}),
    ("update_domain_webhook_url", {"url": "https://app.example.com", "event_types": []}),
    ("update_send_alert", {"limit": "99"}),
    ("create_ip_warmup", {}),
    ("override_dynamic_pool_assignment", {}),
    ("delegate_ip_pool_to_subaccount", {}),
    ("add_allowlist_entry", {"domain": "example.org"}),
    ("import_allowlist", {}),
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


@pytest.mark.parametrize(("tool", "arguments"), ALWAYS, ids=str)
def test_a_write_with_a_harmful_effect_asks_a_person(tool: str, arguments: dict[str, Any]) -> None:
    assert decide(profile("guarded"), facts(tool, arguments)).effect == "confirm"


@pytest.mark.parametrize(("tool", "arguments"), AFTER_UNTRUSTED_TEXT, ids=[tool for tool, _ in AFTER_UNTRUSTED_TEXT])
def test_a_write_that_lasts_or_sends_data_out_asks_after_untrusted_text(tool: str, arguments: dict[str, Any]) -> None:
    assert decide(profile("guarded"), facts(tool, arguments, untrusted_age=5.0)).effect == "confirm"


HARMLESS: list[tuple[str, dict[str, Any]]] = [
    ("create_template_version", {"active": False}),
    ("create_mailing_list", {"access_level": "readonly"}),
    ("create_domain", {"domain": "mg.example.com"}),
    ("update_unsubscribe_tracking", {"active": True}),
    ("add_unsubscribes", {"unsubscribes": [{"address": "kim@example.org"}]}),
    ("create_route", {"expression": "catch_all()", "action": ['forward("support@example.com")']}),
    ("update_route", {"description": "for support"}),
    ("add_mailing_list_member", {"address": "kim@example.org", "upsert": False}),
    ("update_account_settings", {"name": "Example"}),
]


@pytest.mark.parametrize(("tool", "arguments"), HARMLESS, ids=str)
def test_the_same_tools_do_not_ask_where_the_call_is_harmless(tool: str, arguments: dict[str, Any]) -> None:
    assert decide(profile("guarded"), facts(tool, arguments)).effect == "allow"


def test_a_new_list_member_is_a_destination() -> None:
    call = facts("bulk_add_mailing_list_members", {"members": [{"address": "Eve <eve@evil.example>"}, "x@y.example"]})

    assert call.destinations == ("eve@evil.example", "x@y.example")


def test_the_addresses_in_a_file_are_a_destination_that_no_rule_can_allow() -> None:
    assert facts("import_mailing_list_members", {"members": "address\n"}).destinations == ("(the addresses in a file)",)
