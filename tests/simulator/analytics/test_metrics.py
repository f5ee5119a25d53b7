"""Metrics are sums of facts, or percentages of two sums."""

import pytest

from mailgun_mcp.simulator.analytics.metrics import COUNTS, METRICS, RATES, TAG_METRICS, metric_value, percentage

FACTS = {"delivered_smtp": 6, "delivered_http": 2, "hard_bounces": 1, "temporary_failed": 1, "opened": 4}


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("delivered_count", 8),
        ("sent_count", 10),
        ("bounced_count", 1),
        ("clicked_count", 0),
        ("delivered_rate", "80.0000"),
        ("opened_rate", "50.0000"),
    ],
)
def test_a_metric_is_computed_from_facts(metric: str, value: int | str) -> None:
    assert metric_value(metric, FACTS) == value


def test_a_rate_of_nothing_is_zero() -> None:
    assert metric_value("opened_rate", {}) == percentage(0, 0) == "0.0000"


def test_every_rate_is_of_two_counts() -> None:
    assert {count for pair in RATES.values() for count in pair} <= COUNTS.keys()


def test_tags_and_accounts_have_different_metrics() -> None:
    assert {"delayed_first_attempt_rate"} == METRICS - TAG_METRICS
    assert {"esp_block_count", "hard_bounce_rate", "soft_bounce_rate"} == TAG_METRICS - METRICS
