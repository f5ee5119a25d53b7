"""Presets: named choices of tools for a job, each small enough for any client."""

from collections.abc import Iterable
from dataclasses import dataclass

from mailgun_mcp.catalogue.catalogue import Catalogue
from mailgun_mcp.catalogue.errors import CatalogueError
from mailgun_mcp.text.suggest import unknown

MOST_TOOLS = 40
"""Most tools in a preset: what the strictest clients accept, and models can still choose well from."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A choice of tools: whole toolsets, and single tools."""

    description: str
    toolsets: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


_EVENTS = ("query_logs", "get_stored_message")
_DOMAINS = ("list_domains", "get_domain", "verify_domain")
_LISTED = ("get_bounce", "get_complaint", "get_unsubscribe", "get_allowlist_entry")
_SUPPRESSED = ("list_bounces", "list_complaints", "list_unsubscribes", "list_allowlist")
_ALERTS = ("list_send_alerts", "list_threshold_hits", "list_threshold_limits")
_IPS = ("list_ips", "get_ip", "list_ip_domains", "list_ip_warmups", "get_ip_warmup")

PRESETS = {
    "sending": Preset(
        "Send mail and follow it: messages, templates to send with, delivery events, and whether an address gets mail.",
        toolsets=("messages",),
        tools=(
            *_DOMAINS,
            *("query_logs", "query_metrics"),
            *_LISTED,
            *("list_templates", "get_template", "list_template_versions", "get_template_version"),
            *("list_mailing_lists", "get_mailing_list", "list_mailing_list_members"),
            *("validate_email_address", "get_tracking_settings", "get_account_sending_limit"),
            *("list_sandbox_recipients", "add_sandbox_recipient"),
        ),
    ),
    "deliverability": Preset(
        "Find out why mail is not delivered or read: metrics, events, bounce reasons, DNS, suppressions, IPs, alerts.",
        tools=(
            *_DOMAINS,
            *_EVENTS,
            *("query_metrics", "query_bounce_classification", "query_account_tags", "get_tracking_settings"),
            *("list_domain_keys", "get_sending_queues", "get_account_sending_limit"),
            *_LISTED,
            *_SUPPRESSED,
            *_IPS,
            *_ALERTS,
        ),
    ),
    "suppressions": Preset(
        "Keep bounces, complaints, unsubscribes and the allowlist in order.",
        toolsets=("bounces", "complaints", "unsubscribes", "allowlist"),
        tools=("list_domains", "query_logs", "query_metrics", "validate_email_address"),
    ),
    "templates": Preset(
        "Write, version, test and send templates, and see how their mail does.",
        toolsets=("templates", "account_templates"),
        tools=(
            *_EVENTS,
            *("list_domains", "send_message", "query_metrics", "query_account_tags", "get_email_preview_results"),
        ),
    ),
    "inbound": Preset(
        "Receive mail: routes, stored messages, and the webhooks that pass events on.",
        toolsets=("routes",),
        tools=(
            *_DOMAINS,
            *_EVENTS,
            *("list_domain_webhooks", "get_domain_webhook", "create_domain_webhook", "update_domain_webhook"),
            *("delete_domain_webhook", "list_account_webhooks", "get_account_webhook"),
        ),
    ),
    "webhooks": Preset(
        "Pass events on to other systems: webhooks of domains and of the account, and the key that signs them.",
        toolsets=("webhooks",),
        tools=(
            *("list_domains", "query_logs"),
            *("get_webhook_signing_key", "regenerate_webhook_signing_key"),
        ),
    ),
    "domains": Preset(
        "Set up and maintain sending domains: DNS, DKIM keys, tracking, and the IPs that send.",
        toolsets=("domains", "domain_keys", "tracking", "dkim_security"),
        tools=("list_ips", "list_ip_domains", "query_metrics", "query_logs"),
    ),
    "mailing-lists": Preset(
        "Keep mailing lists and their members, and write to them.",
        toolsets=("lists",),
        tools=("list_domains", "send_message", "validate_email_address", "query_logs", "query_metrics", *_LISTED),
    ),
    "ips": Preset(
        "Dedicated IPs, pools and warm-up, with the metrics that show how they do.",
        toolsets=("ips", "ip_pools", "ip_warmup"),
        tools=("list_domains", "get_domain", "query_metrics", "query_logs", "query_bounce_classification"),
    ),
    "admin": Preset(
        "Who may do what: users, API keys, SMTP credentials, IP allowlist, limits, and the account's settings.",
        toolsets=("users", "api_keys", "smtp_credentials", "ip_allowlist", "account_limits", "alerts"),
        tools=(
            *("list_domains", "update_account_settings", "query_usage_metrics", "query_logs"),
            *("get_webhook_signing_key", "regenerate_webhook_signing_key", "list_subaccounts"),
        ),
    ),
    "subaccounts": Preset(
        "Run subaccounts: create, limit and stop them, and give them features and IPs.",
        toolsets=("subaccounts",),
        tools=(
            *("list_domains", "get_account_sending_limit", "list_ips", "list_ip_pools", "list_api_keys"),
            *("query_metrics", "query_usage_metrics", "query_logs"),
        ),
    ),
    "reporting": Preset(
        "Numbers: volume, delivery, engagement, usage, tags and bounce reasons, and alerts on them. Reads only.",
        toolsets=("metrics", "bounce_classification"),
        tools=(
            *("list_domains", "query_logs", "query_account_tags", "get_account_tag_limits", "list_subaccounts"),
            "get_account_sending_limit",
            *_ALERTS,
        ),
    ),
    "readonly-support": Preset(
        "Answer a customer: where is the mail, is the address suppressed, is the domain all right. Reads only.",
        tools=(
            *("list_domains", "get_domain"),
            *_EVENTS,
            *_LISTED,
            *_SUPPRESSED,
            *("query_metrics", "query_bounce_classification", "get_tracking_settings", "get_sending_queues"),
            *("list_routes", "match_route", "list_domain_webhooks", "list_templates", "get_template"),
            *("list_mailing_lists", "get_mailing_list", "get_mailing_list_member", "get_account_sending_limit"),
        ),
    ),
}
"""Name -> preset. A server can use several, plus further toolsets and tools."""


def preset(name: str) -> Preset:
    """Return the preset. Raises CatalogueError, which suggests the most similar name."""
    if name not in PRESETS:
        raise CatalogueError(f"{unknown('preset', name, PRESETS)}; `mailgun-mcp tools presets` lists them")
    return PRESETS[name]


def tools_of_presets(names: Iterable[str], catalogue: Catalogue) -> list[str]:
    """Return the names of the presets' tools, without the deprecated ones. Raises CatalogueError for an unknown preset."""
    presets = [preset(name) for name in names]
    toolsets = {name for each in presets for name in each.toolsets}
    whole = catalogue.select(toolsets=toolsets, deprecated=False).names if toolsets else ()
    return [*whole, *(name for each in presets for name in each.tools)]
