"""Suggests what a caller probably meant by a value or name that doesn't exist.

A table of common words is tried first. Comparing letters alone would take `bounced` for `opened`.
"""

import json
import re
from collections.abc import Collection

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
}
"""Common word -> the values that Mailgun has for it, best first."""

NAMES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("name", "domain_name", "authority_name", "signing_domain", "sending_domain"), ("domain",)),
    **dict.fromkeys(("email", "email_address", "recipient"), ("address", "to", "recipient")),
    **dict.fromkeys(("body", "content", "message", "plain_text", "text", "html"), ("text", "template", "html")),
    **dict.fromkeys(("count", "size", "page_size", "per_page", "max_results"), ("limit",)),
    **dict.fromkeys(("since", "from_date", "start_time", "start_date", "begin"), ("start", "begin")),
    **dict.fromkeys(("until", "to_date", "end_time", "end_date"), ("end",)),
    **dict.fromkeys(("cursor", "page_token", "next"), ("page",)),
}
"""Common name of an argument -> the names that tools use for it."""


def intended_value(value: object, options: Collection[str]) -> str | None:
    """Return the one of `options` that was probably meant, or None."""
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    word = re.sub(r"[\s-]+", "_", value.strip().lower())
    said = (*VALUES.get(word, ()), word, f"{word}_count")
    return next((option for option in said if option in options), None) or suggest(value, options)


def intended_name(name: str, names: Collection[str], present: Collection[str]) -> str | None:
    """Return the argument probably meant by `name`, or None. A synonym already `present` in the call is skipped."""
    if len(name) > LONGEST:
        return None
    said = (other for other in NAMES.get(name.lower(), ()) if other != name)
    return next((other for other in said if other in names and other not in present), None) or suggest(name, names)


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
