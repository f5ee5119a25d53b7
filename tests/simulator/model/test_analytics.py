"""Counting events: unique opens, tags and their limit, failures for bounce classification."""

from typing import Any

from mailgun_mcp.simulator.model.analytics import UNIQUE_FOR, Analytics

NOW = 1_795_000_000.0


def opened(recipient: str = "a@x.example") -> dict[str, Any]:
    return {"event": "opened", "recipient": recipient, "message": {"headers": {"message-id": "1@d"}}, "tags": []}


def accepted(*tags: str) -> dict[str, Any]:
    return {"event": "accepted", "recipient": "a@x.example", "recipient-domain": "x.example", "tags": list(tags)}


def failed(severity: str, **more: Any) -> dict[str, Any]:
    status = {"code": 550, "message": "5.1.1 user unknown"}
    return {**accepted(), "event": "failed", "severity": severity, "delivery-status": status, **more}


def outcomes(analytics: Analytics) -> list[object]:
    failures = analytics.failures
    return [failures.cells[number][-1] for _, part in failures.between(0, NOW * 2, "hour") for number in part.numbers]


def test_an_open_is_unique_once_in_seven_days_for_each_recipient() -> None:
    analytics = Analytics()
    assert analytics.count_event("d", NOW, opened())
    assert not analytics.count_event("d", NOW + 1, opened())
    assert analytics.count_event("d", NOW + 1, opened("b@x.example"))
    assert analytics.count_event("d", NOW + UNIQUE_FOR, opened())


def test_tags_are_told_apart_without_case_and_keep_when_they_were_seen() -> None:
    analytics = Analytics()
    for at, tag in ((NOW, "News"), (NOW + 5, "news"), (NOW - 5, "NEWS")):
        analytics.count_event("d", at, accepted(tag))
    (seen,) = analytics.tags["d"].values()
    assert (seen.tag, seen.first_seen, seen.last_seen) == ("News", NOW - 5, NOW + 5)


def test_no_tag_is_added_beyond_the_limit_except_one_that_another_domain_has() -> None:
    analytics = Analytics(tag_limit=1)
    analytics.count_event("d", NOW, accepted("one", "two"))
    analytics.count_event("e", NOW, accepted("two", "one"))
    assert (analytics.tag_names(), set(analytics.tags["e"])) == ({"one"}, {"one"})


def test_failures_are_bounces_or_delays_and_test_mail_is_neither() -> None:
    analytics = Analytics()
    analytics.count_event("d", NOW, failed("permanent"))
    analytics.count_event("d", NOW, failed("temporary"))
    analytics.count_event("d", NOW, failed("permanent", flags={"is-test-mode": True}))
    analytics.count_event("d", NOW, failed("permanent", reason="suppress-bounce"))
    assert outcomes(analytics) == ["bounce", "delay"]


def test_usage_is_counted_by_the_names_of_its_metrics() -> None:
    analytics = Analytics()
    analytics.count_usage(NOW, "archived", "archived")
    ((_, part),) = analytics.usage.between(0, NOW, "hour")
    assert [(analytics.usage.cells[number], count) for number, count in zip(*part, strict=True)] == [(("archived",), 2)]
