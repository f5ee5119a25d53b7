"""What somebody who follows a prompt calls, in its order, against the simulator's demo account."""

from collections.abc import Callable, Mapping
from typing import Any

from mailgun_mcp.catalogue.types import Arguments

Results = Mapping[str, Any]
"""Tool -> its last result in this walk."""
Call = tuple[str, Callable[[Results], Arguments]]

DOMAIN, NEWS, NEW = "mail.example.com", "news.example.org", "new.example.com"
LIST, MEMBER = "monthly@news.example.org", "anna@example.com"
BOUNCED = "nobody@novak.example"


def call(tool: str, /, **arguments: Any) -> Call:
    """Return a call. An argument that is a function gets the results so far."""
    return tool, lambda results: {
        name: value(results) if callable(value) else value for name, value in arguments.items()
    }


def csv(*addresses: str) -> dict[str, str]:
    """Return a file with a column of addresses."""
    return {"text": "\n".join(["address", *addresses]) + "\n", "filename": "addresses.csv"}


def by_domain(domain: str = DOMAIN) -> dict[str, Any]:
    """Return a filter of query_logs and its like."""
    return {"AND": [{"attribute": "domain", "comparator": "=", "values": [{"label": domain, "value": domain}]}]}


ALERT = call(
    "create_send_alert",
    name="complaints",
    metric="complained_rate",
    comparator=">",
    limit=".001",
    dimension="domain",
    alert_channels=["email"],
    period="1d",
)
LOGS = call("query_logs", duration="3d", events=["accepted", "delivered", "failed", "rejected"], filter=by_domain())
BOUNCE_REASONS = call("query_bounce_classification", duration="7d", dimensions=["entity-name", "category"])
TOTALS = call(
    "query_metrics",
    duration="7d",
    metrics=[
        *("accepted_outgoing_count", "delivered_count", "delivered_rate", "permanent_failed_count"),
        *("temporary_failed_count", "bounce_rate", "complained_count", "complained_rate", "unique_opened_rate"),
        *("clicked_rate", "unsubscribed_count"),
    ],
    include_aggregates=True,
)
TEST = call(
    "send_message",
    domain=DOMAIN,
    **{"from": f"postmaster@{DOMAIN}"},
    to=["me@example.com"],
    subject="Test",
    text="Test",
    test_mode=True,
    tags=["setup-test"],
)
NEW_ROUTE = call(
    "create_route", expression='match_recipient("^sales@mail.example.com$")', action=["stop()"], description="for Kim"
)


def made(tool: str, *path: str) -> Callable[[Results], Any]:
    """Return what finds a value in the result of an earlier call."""

    def find(results: Results) -> Any:
        value = results[tool]
        for key in path:
            value = value[int(key)] if isinstance(value, list) else value[key]
        return value

    return find


WALKS: dict[str, list[Call]] = {
    "answer_complaint": [
        call("find_recipient", address=BOUNCED),
        call("query_logs", duration="7d", filter=by_domain()),
        call("add_unsubscribes", domain=DOMAIN, unsubscribes=[{"address": BOUNCED}]),
        call("list_mailing_list_members", list_address=LIST, limit=1),
        call(
            "update_mailing_list_member",
            list_address=LIST,
            member_address=made("list_mailing_list_members", "items", "0", "address"),
            subscribed=False,
        ),
        call("find_recipient", address=BOUNCED),
        TOTALS,
    ],
    "clean_suppressions": [
        call("plan_suppression_cleanup", domain=DOMAIN),
        call("list_bounces", domain=DOMAIN),
        call("list_complaints", domain=NEWS),
        call("list_unsubscribes", domain=NEWS),
        call("list_allowlist", domain=DOMAIN),
        LOGS,
        call("delete_bounce", domain=DOMAIN, address=made("list_bounces", "items", "0", "address")),
        call("delete_complaint", domain=NEWS, address=made("list_complaints", "items", "0", "address")),
        call("delete_unsubscribe", domain=NEWS, address=made("list_unsubscribes", "items", "0", "address")),
    ],
    "complaint_spike": [
        call("deliverability_report", domain=NEWS),
        call("chart_metrics", metric="complaints", domain=NEWS),
        call("query_metrics", duration="7d", dimensions=["tag"], metrics=["complained_count", "delivered_count"]),
        call("query_logs", duration="7d", events=["complained"], filter=by_domain(NEWS)),
        call("list_api_keys"),
        call("delete_api_key", key_id=made("list_api_keys", "items", "1", "id")),
        call("list_complaints", domain=NEWS),
        ALERT,
    ],
    "diagnose_delivery": [
        call("explain_delivery", domain=DOMAIN, recipient=BOUNCED),
        LOGS,
        call("get_sending_queues", domain=DOMAIN),
        call("find_recipient", address=BOUNCED, domain=DOMAIN),
        BOUNCE_REASONS,
        call("check_domain_health", domain=DOMAIN),
        call("list_threshold_hits"),
        call("get_account_sending_limit"),
        call("delete_bounce", domain=DOMAIN, address=BOUNCED),
    ],
    "explain_bounce_code": [
        BOUNCE_REASONS,
        LOGS,
        call("check_domain_health", domain=DOMAIN),
        call("deliverability_report", domain=DOMAIN),
    ],
    "migrate_provider": [
        call("list_domains"),
        call("get_account_sending_limit"),
        call("create_domain", domain=NEW),
        call("verify_domain", domain=NEW),
        call("import_bounces", domain=DOMAIN, file=csv("gone@example.net")),
        call("import_complaints", domain=DOMAIN, file=csv("angry@example.net")),
        call("import_unsubscribes", domain=DOMAIN, file=csv("bye@example.net")),
        call("list_bounces", domain=DOMAIN),
        call("list_complaints", domain=DOMAIN),
        call("list_unsubscribes", domain=DOMAIN),
        call("create_template", domain=DOMAIN, name="welcome", template="<p>Hello {{name}}</p>", engine="handlebars"),
        call("create_domain_webhook", domain=DOMAIN, id="delivered", url=["https://hooks.example.com/mailgun"]),
        NEW_ROUTE,
        call("create_api_key", kind="domain", domain=DOMAIN, role="sending", description="shop", expiration=7_776_000),
        TEST,
        call("explain_delivery", domain=DOMAIN, recipient="me@example.com"),
        call("deliverability_report"),
    ],
    "onboard_subaccount": [
        call("list_subaccounts"),
        call("create_subaccount", name="New customer"),
        call("list_subaccounts"),
        call("set_subaccount_sending_limit", subaccount_id=made("create_subaccount", "subaccount", "id"), limit=10_000),
        call(
            "update_subaccount_features",
            subaccount_id=made("create_subaccount", "subaccount", "id"),
            validations={"enabled": False},
        ),
        call("list_ips"),
        call("link_ip_to_subaccount", subaccount_id=made("create_subaccount", "subaccount", "id"), ip="203.0.113.12"),
        call("get_subaccount", subaccount_id=made("create_subaccount", "subaccount", "id")),
        call("get_subaccount_sending_limit", subaccount_id=made("create_subaccount", "subaccount", "id")),
        ALERT,
        call("disable_subaccount", subaccount_id=made("create_subaccount", "subaccount", "id")),
    ],
    "receive_mail": [
        call("get_domain", domain=DOMAIN),
        call("list_routes"),
        call("match_route", address="support@mail.example.com"),
        call("query_logs", duration="7d", events=["stored"], fields=["storage"]),
        call("audit_data_flows"),
        NEW_ROUTE,
        call("update_route", id=made("create_route", "route", "id"), priority=5),
        call("get_stored_message", domain=DOMAIN, storage_key=made("query_logs", "items", "0", "storage", "key")),
    ],
    "review_data_flows": [
        call("audit_data_flows"),
        call("list_account_webhooks"),
        call("list_domain_webhooks", domain=DOMAIN),
        call("list_routes"),
        call("get_domain", domain=DOMAIN),
        call("match_route", address="support@mail.example.com"),
        call("delete_domain_webhook", domain=DOMAIN, webhook_name="clicked"),
        call("delete_account_webhook", webhook_id=made("list_account_webhooks", "webhooks", "0", "webhook_id")),
        call("update_route", id=made("list_routes", "items", "0", "id"), action=["stop()"]),
        call("delete_route", id=made("list_routes", "items", "1", "id")),
        call("list_api_keys"),
        call("list_users"),
    ],
    "rotate_keys": [
        call("list_api_keys"),
        call("list_smtp_credentials", domain=DOMAIN),
        call("create_api_key", role="sending", kind="domain", domain=DOMAIN, description="shop", expiration=7_776_000),
        call("create_smtp_credentials", domain=DOMAIN, login=[f"orders2@{DOMAIN}"], password=["generate"]),
        call("update_smtp_credential", domain=DOMAIN, spec=f"postmaster@{DOMAIN}", password="generate"),
        call("get_domain", domain=DOMAIN),
        call("update_dkim_rotation", domain=NEWS, rotation_enabled=True),
        call("rotate_dkim_key", domain=NEWS),
        call("create_domain_key", domain=DOMAIN, selector="next", bits="2048"),
        call("verify_domain", domain=DOMAIN),
        call("activate_domain_key", domain=DOMAIN, selector="next"),
        call("regenerate_webhook_signing_key"),
        LOGS,
        call("delete_api_key", key_id=made("list_api_keys", "items", "1", "id")),
        call("delete_smtp_credential", domain=DOMAIN, spec=f"orders@{DOMAIN}"),
        call("audit_data_flows"),
    ],
    "send_campaign": [
        call("check_domain_health", domain=NEWS),
        call("get_account_sending_limit"),
        call("get_mailing_list", list_address=LIST),
        call("list_mailing_list_members", list_address=LIST),
        call("get_template", domain=DOMAIN, template_name="order-confirmation"),
        call("list_template_versions", domain=DOMAIN, template_name="order-confirmation"),
        TEST,
        LOGS,
        call("query_metrics", duration="1d", dimensions=["tag"], metrics=["delivered_count", "complained_count"]),
        call("deliverability_report", domain=NEWS),
    ],
    "set_up_domain": [
        call("list_domains"),
        call("create_domain", domain=NEW),
        call("get_domain", domain=NEW),
        call("verify_domain", domain=NEW),
        call("get_tracking_settings", domain=NEW),
        call("update_open_tracking", domain=NEW, active=True),
        call("update_click_tracking", domain=NEW, active="htmlonly"),
        call("update_unsubscribe_tracking", domain=NEW, active=True),
        call("get_tracking_certificate", domain=DOMAIN),
        call("generate_tracking_certificate", domain=DOMAIN),
        TEST,
        LOGS,
        call("check_domain_health", domain=NEW),
    ],
    "warm_up_ip": [
        call("list_ips"),
        call("get_ip", ip="203.0.113.12"),
        call("list_ip_domains", ip="203.0.113.12"),
        call("check_domain_health", domain=DOMAIN),
        call("list_ip_warmups"),
        call("query_metrics", duration="30d", dimensions=["recipient_provider"], filter=by_domain()),
        call("create_ip_warmup", addr="203.0.113.12"),
        call("get_ip_warmup", addr="203.0.113.12"),
        BOUNCE_REASONS,
        call("cancel_ip_warmup", addr="203.0.113.12"),
    ],
    "weekly_report": [
        call("deliverability_report"),
        call("chart_metrics", metric="bounces"),
        TOTALS,
        call("query_metrics", duration="7d", dimensions=["domain"]),
        call("list_domains"),
        BOUNCE_REASONS,
        call("list_threshold_hits"),
        LOGS,
    ],
    "write_template": [
        call("list_templates", domain=DOMAIN),
        call("create_template", domain=DOMAIN, name="welcome", template="<p>Hello {{name}}</p>", version="one"),
        call("get_template", domain=DOMAIN, template_name="welcome"),
        call("list_template_versions", domain=DOMAIN, template_name="welcome"),
        call("create_template_version", domain=DOMAIN, template_name="welcome", version="two", template="<p>Hi</p>"),
        call("get_template_version", domain=DOMAIN, template_name="welcome", version="two"),
        call(
            "send_message",
            domain=DOMAIN,
            **{"from": f"postmaster@{DOMAIN}"},
            to=["me@example.com"],
            subject="Test",
            template="welcome",
            version="two",
            template_variables={"name": "Kim"},
            tags=["template-test"],
        ),
        call("explain_delivery", domain=DOMAIN, recipient="me@example.com"),
        call("update_template_version", domain=DOMAIN, template_name="welcome", version="two", active=True),
    ],
}
"""Prompt -> the calls."""

REFUSED = {
    ("set_up_domain", "get_tracking_certificate"): "initiate x509 key pair generation",
    ("set_up_domain", "generate_tracking_certificate"): "invalid CNAME record",
}
"""Prompt and tool -> what Mailgun answers here, as the prompt expects: there is no certificate, and no DNS record yet."""
