"""Calls of every operation that can be undone, and what an undo of each cannot put back."""

from collections.abc import Callable
from typing import Any

from mailgun_mcp.catalogue.types import Arguments
from mailgun_mcp.simulator import Account
from tests.simulator.sections import administration_everything as administration
from tests.support.undoing import (
    ADDRESS,
    HOST,
    IP,
    NAME,
    OTHER,
    TEXT,
    key_of,
)

D = {"domain": NAME}
LIST = {"list_address": ADDRESS}
OF_ACCOUNT = {"template_name": TEXT}
TEMPLATE = {**D, **OF_ACCOUNT}
CHILD = {"subaccount_id": TEXT}
RULE = {"limit": ".05", "period": "2h", "comparator": ">", "dimension": "ip", "description": "Too many"}
FILTERS = [{"dimension": "domain", "comparator": "=", "values": [NAME]}]
URL = "https://example.com/other"
AT = "2026-11-01T09:00:00Z"
CSV = {"text": f"address,code,error,tags\n{ADDRESS},421,full,news\n{OTHER},550,gone,*\nadded@example.com,550,gone,*"}

SUPPRESSIONS = ("bounces", "complaints", "unsubscribes")


def suppressed(word: str, plural: str, **fields: Any) -> dict[str, list[Arguments]]:
    given = [{"address": address, "created_at": AT, **fields} for address in (OTHER, "new@example.com")]
    return {
        f"add_{plural}": [{**D, plural: given}],
        f"delete_{word}": [{**D, "address": OTHER}],
        f"clear_{plural}": [D],
        f"import_{plural}": [{**D, "file": CSV}],
    }


CALLS: dict[str, list[Arguments]] = {
    **suppressed("bounce", "bounces", code="550", error="no such user"),
    **suppressed("complaint", "complaints"),
    **suppressed("unsubscribe", "unsubscribes", tags=["news"]),
    "delete_unsubscribe": [{**D, "address": OTHER}, {**D, "address": OTHER, "tag": "news"}],
    "add_allowlist_entry": [{**D, "address": "new@example.com"}, {**D, "allowed_domain": "new.example.com"}],
    "delete_allowlist_entry": [{**D, "value": OTHER}, {**D, "value": "x.example"}],
    "clear_allowlist": [D],
    "update_domain": [
        {**D, "wildcard": True, "spam_action": "block", "require_tls": True, "skip_verification": True},
        {**D, "message_ttl": 3600, "archive_to": URL, "web_scheme": "https", "web_prefix": "click"},
        {**D, "use_automatic_sender_security": True},
    ],
    "activate_domain_key": [{"domain": NAME, "selector": TEXT}],
    "deactivate_domain_key": [{"domain": NAME, "selector": TEXT}],
    "update_click_tracking": [{**D, "active": "yes"}, {**D, "active": "htmlonly"}],
    "update_open_tracking": [{**D, "active": True}, {**D, "active": True, "place_at_the_top": True}],
    "update_unsubscribe_tracking": [
        {**D, "active": True, "html_footer": "<p>%unsubscribe_url%</p>", "text_footer": "x"}
    ],
    "create_domain_webhook": [{**D, "id": "clicked", "url": [URL]}],
    "update_domain_webhook": [{**D, "webhook_name": "accepted", "url": [URL, "https://example.com/more"]}],
    "delete_domain_webhook": [{**D, "webhook_name": "accepted"}],
    "create_domain_webhook_url": [{**D, "url": URL, "event_types": ["accepted", "clicked"]}],
    "update_domain_webhook_url": [
        {**D, "url": "https://example.com/hook?a=1&b=2", "event_types": ["opened", "clicked"]}
    ],
    "delete_domain_webhook_urls": [{**D, "url": ["https://example.com/hook?a=1&b=2"]}],
    "create_account_webhook": [{"event_types": ["delivered"], "url": URL, "description": "All"}],
    "update_account_webhook": [{"webhook_id": TEXT, "event_types": ["clicked"], "url": URL, "description": "Clicks"}],
    "delete_account_webhook": [{"webhook_id": TEXT}],
    "bulk_delete_account_webhooks": [{"webhook_ids": [TEXT]}, {"all": True}],
    "update_account_tag": [{"tag": TEXT, "description": "Weekly"}],
    "delete_account_tag": [{"tag": TEXT}],
    "update_domain_tag": [{**D, "tag": TEXT, "description": "Weekly"}],
    "delete_domain_tag": [{**D, "tag": TEXT}],
    "create_send_alert": [
        {"name": "new", "metric": "hard_bounce_rate", **RULE, "alert_channels": ["email"], "filters": FILTERS}
    ],
    "update_send_alert": [
        {
            "name": TEXT,
            "new_name": TEXT,
            "metric": "hard_bounce_rate",
            **RULE,
            "alert_channels": ["email"],
            "filters": FILTERS,
        },
        {"name": TEXT, "new_name": "renamed", "metric": "delivered_rate", **RULE},
    ],
    "delete_send_alert": [{"name": TEXT}],
    "create_threshold_limit": [{"name": "new", "metric": "seed_test_count", **RULE, "filters": FILTERS}],
    "update_threshold_limit": [
        {"name": TEXT, "new_name": TEXT, "metric": "seed_test_count", **RULE, "filters": FILTERS},
        {"name": TEXT, "new_name": "renamed", "metric": "seed_test_count", **RULE},
    ],
    "delete_threshold_limit": [{"name": TEXT}],
    "create_route": [
        {"priority": 3, "description": "New", "expression": "catch_all()", "action": ["store()", "stop()"]}
    ],
    "update_route": [
        {
            "id": TEXT,
            "priority": 0,
            "description": "",
            "expression": 'match_recipient("a@b.example")',
            "action": ["stop()"],
        },
        {"id": TEXT, "priority": 1},
    ],
    "delete_route": [{"id": TEXT}],
    "create_mailing_list": [{"address": f"new@{HOST}", "name": "New"}],
    "update_mailing_list": [
        {**LIST, "name": "", "description": "Weekly", "access_level": "members", "reply_preference": "sender"},
        {**LIST, "address": f"renamed@{HOST}"},
        {**LIST, "address": f"renamed@{HOST}", "name": "Renamed", "access_level": "everyone"},
    ],
    "delete_mailing_list": [LIST],
    "add_mailing_list_member": [
        {**LIST, "address": "new@example.com", "name": "New", "vars": {"a": [1]}},
        {**LIST, "address": OTHER, "upsert": True, "name": "Benjamin", "subscribed": True},
    ],
    "bulk_add_mailing_list_members": [
        {**LIST, "members": [{"address": "new@example.com"}, {"address": OTHER}]},
        {**LIST, "members": [{"address": OTHER, "name": "B", "vars": {}, "subscribed": True}], "upsert": True},
    ],
    "import_mailing_list_members": [{**LIST, "members": {"text": f"address,name\n{OTHER},Benjamin"}, "upsert": True}],
    "update_mailing_list_member": [
        {**LIST, "member_address": OTHER, "name": "B", "vars": {"x": 1}, "subscribed": True},
        {**LIST, "member_address": OTHER, "vars": {}},
        {**LIST, "member_address": OTHER, "address": "benjamin@example.com"},
    ],
    "delete_mailing_list_member": [{**LIST, "member_address": OTHER}],
    "create_template": [{**D, "name": "New", "template": "Hi", "version": "first"}, {**D, "name": "empty"}],
    "update_template": [{**TEMPLATE, "description": "Changed"}],
    "delete_template": [TEMPLATE],
    "clear_templates": [D],
    "create_template_version": [
        {**TEMPLATE, "version": "new", "template": "Hi"},
        {**TEMPLATE, "version": "new", "template": "Hi", "active": True},
    ],
    "update_template_version": [
        {**TEMPLATE, "version": "old", "template": "Changed", "comment": "", "headers": {"Subject": "Other"}},
        {**TEMPLATE, "version": "old", "active": True},
        {**TEMPLATE, "version": TEXT, "template": "Changed"},
    ],
    "delete_template_version": [{**TEMPLATE, "version": "old"}, {**TEMPLATE, "version": TEXT}],
    "copy_template_version": [
        {**TEMPLATE, "version": "old", "new_version": "copy"},
        {**TEMPLATE, "version": "old", "new_version": TEXT},
    ],
    "create_account_template": [{"name": "New", "template": "Hi", "version": "first"}, {"name": "empty"}],
    "update_account_template": [{**OF_ACCOUNT, "description": "Changed"}],
    "delete_account_template": [OF_ACCOUNT],
    "clear_account_templates": [{}],
    "create_account_template_version": [
        {**OF_ACCOUNT, "version": "new", "template": "Hi"},
        {**OF_ACCOUNT, "version": "new", "template": "Hi", "active": True},
    ],
    "update_account_template_version": [
        {**OF_ACCOUNT, "version": "old", "template": "Changed", "comment": "", "headers": {"Subject": "Other"}},
        {**OF_ACCOUNT, "version": "old", "active": True},
        {**OF_ACCOUNT, "version": TEXT, "template": "Changed"},
    ],
    "delete_account_template_version": [{**OF_ACCOUNT, "version": "old"}, {**OF_ACCOUNT, "version": TEXT}],
    "copy_account_template_version": [
        {**OF_ACCOUNT, "version": "old", "new_version": "copy"},
        {**OF_ACCOUNT, "version": "old", "new_version": TEXT},
    ],
    "create_ip_pool": [{"name": "New", "description": "Of two", "ip": [IP]}],
    "update_ip_pool": [
        {"pool_id": TEXT, "name": "Other", "description": "Changed"},
        {"pool_id": TEXT, "add_ip": [IP]},
        {"pool_id": TEXT, "link_domain": [HOST]},
    ],
    "delete_ip_pool": [{"pool_id": TEXT, "replacement_ip": "shared"}],
    "add_ip_to_pool": [{"pool_id": TEXT, "ip": IP}],
    "add_ips_to_pool": [{"pool_id": TEXT, "ips": [IP]}],
    "remove_ip_from_pool": [{"pool_id": TEXT, "ip": "192.0.2.8"}],
    "replace_dynamic_pools": [
        {"good_reputation": [IP], "poor_reputation": ["192.0.2.22"], "new_senders": ["192.0.2.23"]},
    ],
    "delete_all_dynamic_pools": [{}],
    "add_ip_to_dynamic_pool": [{"pool_name": "dynamic_good", "ip": IP}],
    "update_dynamic_pool": [{"pool_name": "dynamic_good", "add_ip": [IP]}],
    "override_dynamic_pool_assignment": [{**D, "pool": "dynamic_poor"}],
    "remove_dynamic_pool_override": [D],
    "create_ip_warmup": [{"addr": IP}],
    "cancel_ip_warmup": [{"addr": IP}],
    "disable_subaccount": [CHILD],
    "enable_subaccount": [{"subaccount_id": "disabled"}],
    "set_subaccount_sending_limit": [{**CHILD, "limit": 5000}],
    "delete_subaccount_sending_limit": [CHILD],
    "update_subaccount_features": [{**CHILD, "email_preview": {"enabled": True}, "validations": {"enabled": True}}],
    "delegate_ip_pool_to_subaccount": [{"subaccount_id": "disabled", "pool_id": TEXT}],
    "revoke_ip_pool_from_subaccount": [{**CHILD, "pool_id": TEXT}],
    "set_account_sending_limit": [{"limit": 5000}],
    "delete_account_sending_limit": [{}],
    "add_sandbox_recipient": [{"email": "new@example.com"}],
    "delete_sandbox_recipient": [{"email": ADDRESS}],
    "update_ip_allowlist_entry": [{"address": IP, "description": "Other"}],
    "add_ip_allowlist_entry": [{"address": "192.0.2.99", "description": "New"}],
    "delete_ip_allowlist_entry": [{"address": IP}],
}

REMAINING: dict[str, set[str]] = {
    **{f"import_{plural}": {f"/domains/{NAME}/{plural}/added@example.com"} for plural in SUPPRESSIONS},
    **{f"delete_{of}_tag": {f"/analytics/tags/{NAME}/{TEXT}"} for of in ("account", "domain")},
    "delete_ip_pool": {
        "/administration/ips/pools/0/delegated_to",
        f"/administration/subaccounts/{TEXT}/account/administration/ips/ips/192.0.2.8",
        f"/administration/subaccounts/{TEXT}/account/administration/ips/pools",
    },
    "cancel_ip_warmup": {f"/administration/ips/ips/{IP}/warmup/started_at"},
    "delete_sandbox_recipient": {"/authorized_recipients", f"/administration/access/invited/{ADDRESS}"},
}


"""What an undo leaves as the call made it: exactly this, and each operation says so in `missing`."""


def _active(account: Account) -> None:
    key_of(account).active = True


PREPARED: dict[str, Callable[[Account], None]] = {**administration.PREPARED, "deactivate_domain_key": _active}
"""What makes an account ready for the call."""
REFUSED = {"delete_account_tag", "delete_domain_tag"}
"""Of which Mailgun takes nothing back before mail has the tag again."""
