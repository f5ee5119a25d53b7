"""Each event counts as its facts, under the values of its dimensions."""

from typing import Any

import pytest

from mailgun_mcp.simulator.model.event_facts import DIMENSIONS, dimensions_of, facts_of, normalize_tag, tag_names


def failed(severity: str, **more: Any) -> dict[str, Any]:
    return {"event": "failed", "severity": severity, **more}


@pytest.mark.parametrize(
    ("record", "facts"),
    [
        ({"event": "accepted"}, ("accepted_outgoing",)),
        ({"event": "accepted", "flags": {"is-routed": True}}, ("accepted_incoming",)),
        ({"event": "delivered"}, ("delivered_smtp", "delivered_first_attempt", "processed")),
        (
            {"event": "delivered", "envelope": {"transport": "http"}, "delivery-status": {"attempt-no": 2}},
            ("delivered_http", "delivered_two_plus_attempts"),
        ),
        (failed("permanent", reason="bounce"), ("hard_bounces", "processed")),
        (failed("permanent", reason="espblock"), ("soft_bounces", "permanent_failed_esp_block", "processed")),
        (failed("permanent", reason="suppress-complaint"), ("suppressed_complaints", "processed")),
        (failed("temporary"), ("temporary_failed", "delayed_first_attempt", "processed")),
        (failed("temporary", **{"delivery-status": {"attempt-no": 2}}), ("temporary_failed",)),
        ({"event": "opened"}, ("opened",)),
        ({"event": "delivered", "flags": {"is-test-mode": True}}, ()),
        ({"event": "unheard-of"}, ()),
    ],
)
def test_an_event_counts_as_its_facts(record: dict[str, Any], facts: tuple[str, ...]) -> None:
    assert facts_of(record) == facts


def test_a_unique_open_counts_twice() -> None:
    assert facts_of({"event": "opened"}, unique=True) == ("opened", "unique_opened")


def test_tags_have_no_case_and_no_other_characters_than_ascii() -> None:
    assert normalize_tag(" Näws ") == "Nws"
    assert tag_names({"tags": ["One", "ÖNE"]}) == ("one", "ne")


def test_the_dimensions_are_read_from_the_event() -> None:
    record = {
        "envelope": {"sending-ip": "192.0.2.1"},
        "recipient-domain": "x.example",
        "recipient-provider": "Other",
        "tags": ["A"],
        "geolocation": {"country": "AT"},
        "client-info": {"device-type": "mobile", "bot": "apple"},
    }
    values = dict(zip(DIMENSIONS, dimensions_of("d.example", record), strict=True))
    assert values == {
        **{"domain": "d.example", "ip": "192.0.2.1", "ip_pool": "", "recipient_domain": "x.example"},
        **{"recipient_provider": "Other", "tag": ("a",), "country": "AT", "device": "mobile", "bot": "apple"},
    }
