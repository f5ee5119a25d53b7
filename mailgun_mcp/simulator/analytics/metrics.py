"""Metrics by name. A count is the sum of some facts; a rate is the ratio of two counts."""

from collections.abc import Mapping

SUPPRESSIONS = ("suppressed_bounces", "suppressed_unsubscribed", "suppressed_complaints")
BOUNCES = ("hard_bounces", "soft_bounces")
DELIVERED = ("delivered_smtp", "delivered_http")

COUNTS: dict[str, tuple[str, ...]] = {
    "accepted_incoming_count": ("accepted_incoming",),
    "accepted_outgoing_count": ("accepted_outgoing",),
    "accepted_count": ("accepted_incoming", "accepted_outgoing"),
    "delivered_smtp_count": ("delivered_smtp",),
    "delivered_http_count": ("delivered_http",),
    "delivered_optimized_count": ("delivered_optimized",),
    "delivered_count": DELIVERED,
    "processed_count": ("processed",),
    "sent_count": (*DELIVERED, "temporary_failed", *BOUNCES),
    "opened_count": ("opened",),
    "clicked_count": ("clicked",),
    "unique_opened_count": ("unique_opened",),
    "unique_clicked_count": ("unique_clicked",),
    "unsubscribed_count": ("unsubscribed",),
    "complained_count": ("complained",),
    "failed_count": ("temporary_failed", *BOUNCES, *SUPPRESSIONS),
    "temporary_failed_count": ("temporary_failed",),
    "permanent_failed_count": (*BOUNCES, *SUPPRESSIONS),
    "temporary_failed_esp_block_count": ("temporary_failed_esp_block",),
    "permanent_failed_esp_block_count": ("permanent_failed_esp_block",),
    "webhook_count": ("webhook",),
    "rate_limit_count": ("rate_limit",),
    "permanent_failed_optimized_count": ("permanent_failed_optimized",),
    "permanent_failed_old_count": ("permanent_failed_old",),
    "bounced_count": BOUNCES,
    "hard_bounces_count": ("hard_bounces",),
    "soft_bounces_count": ("soft_bounces",),
    "delayed_bounce_count": ("delayed_bounce",),
    "suppressed_bounces_count": ("suppressed_bounces",),
    "suppressed_unsubscribed_count": ("suppressed_unsubscribed",),
    "suppressed_complaints_count": ("suppressed_complaints",),
    "delivered_first_attempt_count": ("delivered_first_attempt",),
    "delayed_first_attempt_count": ("delayed_first_attempt",),
    "delivered_two_plus_attempts_count": ("delivered_two_plus_attempts",),
    "delivered_subsequent_count": ("delivered_two_plus_attempts",),
    "stored_count": ("stored",),
    "esp_block_count": ("temporary_failed_esp_block", "permanent_failed_esp_block"),
}

RATES: dict[str, tuple[str, str]] = {
    "delivered_rate": ("delivered_count", "sent_count"),
    "opened_rate": ("opened_count", "delivered_count"),
    "clicked_rate": ("clicked_count", "delivered_count"),
    "unique_opened_rate": ("unique_opened_count", "delivered_count"),
    "unique_clicked_rate": ("unique_clicked_count", "delivered_count"),
    "unsubscribed_rate": ("unsubscribed_count", "delivered_count"),
    "complained_rate": ("complained_count", "delivered_count"),
    "bounce_rate": ("bounced_count", "sent_count"),
    "hard_bounce_rate": ("hard_bounces_count", "sent_count"),
    "soft_bounce_rate": ("soft_bounces_count", "sent_count"),
    "fail_rate": ("failed_count", "sent_count"),
    "permanent_fail_rate": ("permanent_failed_count", "sent_count"),
    "temporary_fail_rate": ("temporary_failed_count", "sent_count"),
    "delayed_rate": ("delivered_two_plus_attempts_count", "delivered_count"),
    "delayed_first_attempt_rate": ("delayed_first_attempt_count", "processed_count"),
}

OF_TAGS = frozenset({"esp_block_count", "hard_bounce_rate", "soft_bounce_rate"})
"""Metrics that appear only in responses about tags."""
NOT_OF_TAGS = frozenset({"delayed_first_attempt_rate"})
METRICS = frozenset({*COUNTS, *RATES} - OF_TAGS)
TAG_METRICS = frozenset({*COUNTS, *RATES} - NOT_OF_TAGS)

MetricValue = int | str


def metric_value(metric: str, facts: Mapping[str, int]) -> MetricValue:
    """Return a metric: a count, or a rate in percent as a string."""
    if metric in COUNTS:
        return count_of(metric, facts)
    part, whole = RATES[metric]
    return percentage(count_of(part, facts), count_of(whole, facts))


def count_of(metric: str, facts: Mapping[str, int]) -> int:
    """Return the value of a count: the sum of its facts."""
    return sum(facts.get(fact, 0) for fact in COUNTS[metric])


def percentage(part: int, whole: int) -> str:
    """Return the percentage in the format of metrics; zero when `whole` is zero."""
    return f"{100 * part / whole if whole else 0:.4f}"
