"""Describes a resource in words: `code 550, no such user, since 2024-03-02`. Pure.

Each kind of resource has phrases with placeholders for its fields. A phrase whose field is empty is left out, so that
a resource is described even if Mailgun returns only some of its fields.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mailgun_mcp.confirm.bounded_text import NAME, as_text, in_words, join_bounded, shorten, value_in_line
from mailgun_mcp.undo.resource_values import value_at

FIELD = re.compile(r"\{([^{}:]+)(?::(\w+))?\}")
LENGTH = 400
"""Longest description of a resource, in characters."""
EXCERPT = 160
ITEMS = 5
"""Most values of a list that are named."""

RULE = ("{metric} {comparator} {limit}", "by {dimension}", "over {period}", "only {filters:json}", "“{description}”")
RESOURCES: dict[str, tuple[str, ...]] = {
    "account_sending_limit": ("{limit:number} messages a month",),
    "account_tag": ("description “{description}”",),
    "account_webhook": ("to {url}", "for {event_types}", "“{description}”"),
    "active_template_version": ("version {version_name}",),
    "active_account_template_version": ("version {version_name}",),
    "allowlist_entry": ("{type}",),
    "bounce": ("code {code}", "“{error}”", "since {created_at:date}"),
    "click_tracking": ("{active:on}",),
    "complaint": ("since {created_at:date}",),
    "domain_settings": (
        "wildcard {wildcard:on}",
        "spam filter {spam_action}",
        "TLS required: {require_tls:yes}",
        "certificates not checked: {skip_verification:yes}",
        "links at {web_scheme}://{web_prefix}",
        "mail kept for {message_ttl:number} seconds",
        "copies to {archive_to}",
        "automatic sender security {use_automatic_sender_security:on}",
        "MAIL FROM host {mailfrom_host}",
    ),
    "domain_tag": ("description “{description}”",),
    "domain_webhook": ("to {url}",),
    "dynamic_pool_override": ("always in {pool}",),
    "dynamic_pools": (
        "good reputation: {good_reputation}",
        "poor reputation: {poor_reputation}",
        "new senders: {new_senders}",
    ),
    "ip_allowlist_entry": ("“{description}”",),
    "ip_pool": ("{name}", "“{description}”"),
    "list_member": ("{name}", "{subscribed:subscribed}", "variables {vars:json}"),
    "mailing_list": (
        "members: {members_count:number}",
        "{name}",
        "“{description}”",
        "access level {access_level}",
        "replies go to the {reply_preference}",
    ),
    "open_tracking": ("{active:on}", "pixel at the top: {place_at_the_top:yes}"),
    "route": ("priority {priority}", "“{description}”", "for {expression}", "then {action}"),
    "send_alert": (*RULE, "alerts by {alert_channels}"),
    "subaccount_features": (
        "sending {sending/enabled:on}",
        "validations {validations/enabled:on}",
        "bulk validations {validations_bulk/enabled:on}",
        "email preview {email_preview/enabled:on}",
        "inbox placement {inbox_placement/enabled:on}",
    ),
    "subaccount_sending_limit": ("{limit:number} messages a month",),
    "template": ("“{description}”", "made by {createdBy}"),
    "account_template": ("“{description}”", "made by {createdBy}"),
    "account_template_version": ("“{comment}”", "headers {headers:json}", "text: {template:excerpt}"),
    "template_version": ("“{comment}”", "headers {headers:json}", "text: {template:excerpt}"),
    "threshold_limit": RULE,
    "unsubscribe": ("from {tags:tags}", "since {created_at:date}"),
    "unsubscribe_tracking": ("{active:on}", "HTML footer: {html_footer:excerpt}", "text footer: {text_footer:excerpt}"),
}
"""Resource -> phrases, for what a snapshot saves. A resource that is not here is shown by its name only."""

ANSWERS: dict[str, tuple[str, ...]] = {
    "get_account_sending_limit": ("{limit:number} messages a month allowed", "{current:number} sent"),
    "get_available_ips": ("{allowed/dedicated:number} more dedicated IPs can be ordered",),
    "get_domain": (
        "{domain/name}",
        "{domain/state}",
        "since {domain/created_at:date}",
        "SMTP login {domain/smtp_login}",
        "DKIM record {sending_dns_records:dkim}",
    ),
    "get_ip": ("{ip}", "dedicated: {dedicated:yes}", "reverse name {rdns}"),
    "get_sending_queues": (
        "regular queue stopped: {regular/is_disabled:yes}",
        "scheduled queue stopped: {scheduled/is_disabled:yes}",
    ),
    "get_stored_message": (
        "subject “{subject}”",
        "from {sender}",
        "to {recipients}",
        "{attachments:count} attachments",
    ),
    "get_subaccount": ("{subaccount/name}", "{subaccount/status}", "since {subaccount/created_at:date}"),
    "get_tracking_certificate": ("{status}", "{error}"),
    "list_dynamic_pool_domain_history": ("last moved from {prev_band} to {new_band}", "because of {reason}"),
    "list_dynamic_pool_eligible_domains": ("{items:count} domains: {items:names}",),
    "list_ips": ("the account has {items:count} IPs: {items}",),
    "preview_dynamic_pool_assignment": ("the domain would be in {pool}",),
}
"""Tool -> phrases, for what is only read."""

ITEM_WORDS: dict[str, tuple[str, ...]] = {
    "list_allowlist": ("{value}", "{reason}"),
    "list_account_domain_keys": ("{selector} of {signing_domain}", "in DNS: {dns_record/valid}"),
    "list_api_keys": ("{id}", "“{description}”", "{kind} key", "role {role}", "since {created_at:date}"),
    "list_ip_domains": ("{domain}",),
    "list_smtp_credentials": ("{login}", "since {created_at:date}"),
}
"""Tool -> phrases for the items of a list that is only read."""


def resource_words(resource: str, value: Any) -> str:
    """Return what is worth knowing about a resource besides its name; empty if there is nothing more."""
    return _words(RESOURCES.get(resource, ()), value)


def answer_words(tool: str, body: Any) -> str:
    """Return the answer of a read in words."""
    return _words(ANSWERS[tool], body) if tool in ANSWERS else in_words(body)


def item_words(tool: str, item: Any) -> str | None:
    """Return one item of a read's answer in words, or None if there are no phrases for its kind."""
    return _words(ITEM_WORDS[tool], item) if tool in ITEM_WORDS else None


def _words(phrases: tuple[str, ...], value: Any) -> str:
    return join_bounded(list(_phrases(phrases, value)), LENGTH, "facts", shortened=False)


def _phrases(phrases: tuple[str, ...], value: Any) -> Iterator[str]:
    for phrase in phrases:
        texts = [_text(value_at(value, field), kind) for field, kind in FIELD.findall(phrase)]
        if all(texts):
            yield _filled(phrase, texts)


def _filled(phrase: str, texts: list[str]) -> str:
    words = iter(texts)
    return FIELD.sub(lambda _: next(words), phrase)


def _text(value: Any, kind: str) -> str:
    """Return a field as text; empty if the field is."""
    if value is None or value in ("", [], {}):
        return "0" if kind == "count" and value == [] else ""
    return KINDS[kind](value)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return join_bounded([as_text(item) for item in value[:ITEMS]], EXCERPT, "more") + _more(len(value) - ITEMS)
    return shorten(as_text(value))


def _names(items: Any) -> str:
    if not isinstance(items, list):
        return _plain(items)
    return _plain([item.get("name", "?") if isinstance(item, dict) else item for item in items])


def _dkim(records: list[Any]) -> str:
    """Return the names of the DNS records that hold DKIM keys."""
    names = [str(record.get("name")) for record in records if isinstance(record, dict)]
    return _plain([name for name in names if "._domainkey." in name])


def _more(number: int) -> str:
    return f" and {number:,} more" if number > 0 else ""


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, (int, float)) and not isinstance(value, bool) else shorten(as_text(value))


def _yes(value: Any) -> str:
    return {"True": "yes", "False": "no"}.get(str(value), _plain(value))


def _on(value: Any) -> str:
    return {"True": "on", "False": "off", "yes": "on", "no": "off"}.get(str(value), _plain(value))


def date_words(value: Any) -> str:
    """Return the day of one of Mailgun's dates: `2024-03-02`; any other text unchanged."""
    text = as_text(value)
    try:
        # ISO 8601 begins with the year, RFC 2822 with the name of the day.
        moment = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return shorten(text)
    return moment.date().isoformat()


KINDS: dict[str, Callable[[Any], str]] = {
    "": _plain,
    "number": _number,
    "yes": _yes,
    "on": _on,
    "date": date_words,
    "count": lambda value: f"{len(value):,}" if isinstance(value, list) else _plain(value),
    "names": _names,
    "dkim": lambda value: _dkim(value) if isinstance(value, list) else "",
    "json": lambda value: shorten(as_text(value), NAME),
    "excerpt": lambda value: value_in_line(as_text(value), EXCERPT),
    "tags": lambda value: "all mail" if value == ["*"] else _plain(value),
    "subscribed": lambda value: "subscribed" if value is True else "unsubscribed",
}
