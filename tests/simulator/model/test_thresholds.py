"""Thresholds start without hits, and each account has its own."""

from mailgun_mcp.simulator.model.thresholds import Threshold, ThresholdHit, Thresholds


def test_accounts_do_not_share_thresholds() -> None:
    one, other = Thresholds(), Thresholds()
    one.alerts["a"] = Threshold("1", "a", 0.0, 0.0, "hard_bounce_rate", ">", ".05", "domain")
    assert (other.alerts, other.limits, other.hits) == ({}, {}, {})


def test_a_hit_is_triggered_when_it_is_recorded() -> None:
    assert ThresholdHit("1", "2", "d.example", 0.0, 0.0, 0.1).triggered
