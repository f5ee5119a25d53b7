"""Suggests what a caller probably meant by a value or name that doesn't exist.

A table of common words is tried first. Comparing letters alone would take `bounced` for `opened`.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from mailgun_mcp.text.suggest import LONGEST, suggest

MAX_LISTED = 16
"""Most allowed values that a message lists besides a suggestion."""

HARD = ("permanent_fail", "permanent_failed_count", "hard_bounces_count", "hard_bounces", "hard_bounce_rate", "failed")
SOFT = ("temporary_fail", "temporary_failed_count", "soft_bounces_count", "temporary_fail_rate", "failed")
FAILED = ("failed", "failed_count", "permanent_fail")
SENT = ("accepted", "sent_count", "accepted_count")
SPAM = ("complained", "complained_count", "complained_rate")

VALUES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("bounce", "bounces", "bounced"), ("bounced_count", "failed", "permanent_fail", "bounced")),
    **dict.fromkeys(("hard_bounce", "hard_bounced", "permanent_failure", "permanent_failed", "dropped"), HARD),
    **dict.fromkeys(("soft_bounce", "soft_bounced", "temporary_failure", "temporary_failed", "deferred"), SOFT),
    **dict.fromkeys(("error", "errors", "failure", "failures", "fail", "failed", "undelivered"), FAILED),
    **dict.fromkeys(("send", "sends", "sent", "queued"), SENT),
    **dict.fromkeys(("spam", "spam_report", "complaint", "complaints"), SPAM),
    **dict.fromkeys(("delivery", "deliveries"), ("delivered", "delivered_count")),
    **dict.fromkeys(("open", "opens"), ("opened", "opened_count")),
    **dict.fromkeys(("click", "clicks"), ("clicked", "clicked_count")),
    **dict.fromkeys(("unsubscribe", "unsubscribes", "optout", "opt_out"), ("unsubscribed", "unsubscribed_count")),
    **dict.fromkeys(("complaint_rate", "spam_rate"), ("complained_rate",)),
    "delivery_rate": ("delivered_rate",),
    "open_rate": ("opened_rate",),
    "click_rate": ("clicked_rate",),
    "unsubscribe_rate": ("unsubscribed_rate",),
    "hard_bounces": ("hard_bounces_count", "permanent_fail"),
    "soft_bounces": ("soft_bounces_count", "temporary_fail"),
    **dict.fromkeys(("provider", "esp", "mailbox_provider"), ("recipient_provider", "entity-name")),
    **dict.fromkeys(("day", "date"), ("time", "timestamp")),
    **dict.fromkeys(("==", "eq", "equals", "is"), ("=",)),
    **dict.fromkeys(("<>", "ne", "not", "not_equals"), ("!=",)),
    **dict.fromkeys(("like", "includes", "in"), ("contains",)),
    **{"gt": (">",), "gte": (">=",), "lt": ("<",), "lte": ("<=",)},
    "analyst": ("basic",),
    **dict.fromkeys(("on", "true", "enable"), ("yes",)),
    **dict.fromkeys(("off", "false", "disable"), ("no",)),
    **dict.fromkeys(("html", "html_only"), ("htmlonly",)),
    **dict.fromkeys(("verified", "valid"), ("active",)),
    "enabled": ("yes", "active"),
    **dict.fromkeys(("pending", "unconfirmed", "not_verified"), ("unverified",)),
    **dict.fromkeys(("suspended", "inactive"), ("disabled",)),
}
"""Common word -> the values that Mailgun has for it, best first."""

NAMES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("name", "domain_name", "authority_name", "signing_domain", "sending_domain"), ("domain",)),
    **dict.fromkeys(("email", "email_address", "recipient", "address"), ("address", "to", "recipient")),
    **dict.fromkeys(("recipients", "emails", "addresses", "to_address", "to_email"), ("to", "recipient", "address")),
    **dict.fromkeys(("sender", "from_address", "from_email", "from_name"), ("from",)),
    **dict.fromkeys(("enabled", "enable", "is_active", "status"), ("active", "enabled", "state")),
    **dict.fromkeys(("event", "event_type", "event_name"), ("events", "event_types", "id")),
    **dict.fromkeys(("list", "mailing_list", "list_name", "list_id"), ("list_address",)),
    **dict.fromkeys(("member", "member_email"), ("member_address",)),
    **dict.fromkeys(("template", "template_id"), ("template_name", "name")),
    **dict.fromkeys(("match", "filter", "pattern", "condition"), ("expression",)),
    **dict.fromkeys(("body", "content", "message", "plain_text", "text", "html"), ("text", "template", "html")),
    **dict.fromkeys(("count", "size", "page_size", "per_page", "max_results"), ("limit",)),
    **dict.fromkeys(("since", "from_date", "start_time", "start_date", "begin"), ("start", "begin")),
    **dict.fromkeys(("until", "to_date", "end_time", "end_date"), ("end",)),
    **dict.fromkeys(("cursor", "page_token", "next"), ("page",)),
    **dict.fromkeys(("deliver_at", "delivery_time", "send_at", "scheduled_at", "schedule"), ("deliverytime",)),
}
"""Common name of an argument -> the names that tools use for it."""
GENERAL = ("id", "name", "key", "identifier")
"""Names of an argument that mean the only one that is missing."""
ATTRIBUTES = {
    **dict.fromkeys(("domain_name", "sending_domain", "domains"), "domain"),
    **dict.fromkeys(("address", "email", "recipients", "to"), "recipient"),
    **{"tags": "tag", "message-id": "message_id", "sender": "from"},
}
"""Common name of an argument -> the attribute that a filter has for it."""


def intended_value(value: object, options: Collection[str]) -> str | None:
    """Return the one of `options` that was probably meant, or None."""
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    word = re.sub(r"[\s-]+", "_", value.strip().lower())
    candidates = (*VALUES.get(word, ()), word, f"{word}_count")
    return next((option for option in candidates if option in options), None) or suggest(value, options)


def intended_name(name: str, names: Collection[str], present: Collection[str]) -> str | None:
    """Return the argument probably meant by `name`, or None. A synonym already `present` in the call is skipped."""
    if len(name) > LONGEST:
        return None
    last = name.lower().rpartition("_")[2]
    candidates = (other for other in (*NAMES.get(name.lower(), ()), name.lower(), last) if other != name)
    return next((other for other in candidates if other in names and other not in present), None) or suggest(
        name, names
    )


def instead(name: str, schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """Return the end of a message about an argument that a tool does not take: what to write instead."""
    properties = schema.get("properties", {})
    if inside := _inside(name, properties):
        return inside
    suggestion = intended_name(name, properties, arguments) or _only_missing(name, schema, arguments)
    if suggestion:
        return f"did you mean {suggestion}?"
    condition = _condition(name, properties.get("filter", {}), arguments[name])
    if condition:
        return f"filter by it with filter={condition}"
    return f"the arguments are {', '.join(properties)}" if properties else "it takes none"


def _inside(name: str, properties: Mapping[str, Any]) -> str | None:
    """Return where an argument belongs that is not the tool's own, but that of one of its objects; None if nowhere."""
    for outer, schema in properties.items():
        if name in schema.get("properties", {}):
            return f'it belongs inside {outer}: {outer}={{"{name}": ...}}'
        if name in schema.get("items", {}).get("properties", {}):
            return f'it belongs inside {outer}: {outer}=[{{"{name}": ...}}]'
    return None


def _only_missing(name: str, schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> str | None:
    missing = [required for required in schema.get("required", ()) if required not in arguments]
    unknown = [other for other in arguments if other not in schema.get("properties", {})]
    return missing[0] if name in GENERAL and len(missing) == len(unknown) == 1 else None


def _condition(name: str, filter_schema: Mapping[str, Any], value: object) -> str | None:
    """Return the filter that says what the argument was to say, or None if there is no such attribute."""
    items = filter_schema.get("properties", {}).get("AND", {}).get("items", {})
    attributes = items.get("properties", {}).get("attribute", {}).get("enum", ())
    attribute = next((word for word in (name, ATTRIBUTES.get(name)) if word in attributes), None)
    if attribute is None:
        return None
    example = value if isinstance(value, str) and len(value) <= LONGEST else "..."
    condition = {"attribute": attribute, "comparator": "=", "values": [{"value": example}]}
    return json.dumps({"AND": [condition]}, ensure_ascii=False)


def _intended_values(value: object, options: Collection[str]) -> list[str]:
    """Return the options that a text with commas means; none unless every part of it means one."""
    parts = value.split(",") if isinstance(value, str) and "," in value else []
    meant = [part.strip() if part.strip() in options else intended_value(part, options) for part in parts]
    return [option for option in meant if option] if all(meant) else []


def allowed_values(value: object, options: Collection[object]) -> str:
    """Return the end of a message about a value that is not one of `options`: the likely one, and those allowed."""
    texts = [option for option in options if isinstance(option, str)]
    several = _intended_values(value, texts)
    if several:
        return f"give each as an item of its own: {json.dumps(several)}"
    suggestion = intended_value(value, texts)
    limit = MAX_LISTED if suggestion else 3 * MAX_LISTED
    listed = ", ".join(str(option) for option in list(options)[:limit])
    more = f" and {len(options) - limit} more" if len(options) > limit else ""
    if suggestion:
        return f"did you mean {suggestion!r}? Allowed: {listed}{more}"
    return f"must be one of {listed}{more}"
