"""Moments as Mailgun reads and writes them."""

import time

import pytest

from mailgun_mcp.simulator.model.clock import (
    ManualClock,
    SystemClock,
    iso_date,
    mail_date,
    parse_mail_date,
    parse_rfc3339,
)

MOMENT = 1_318_528_920.0


@pytest.mark.parametrize(
    "text",
    [
        "Thu, 13 Oct 2011 18:02:00 +0000",
        "Thu, 13 Oct 2011 20:02:00 +0200",
        "Thu, 13 Oct 2011 18:02:00 GMT",
        "Thu, 13 Oct 2011 18:02:00 UTC",
        "Thu, 13 Oct 2011 18:02:00 -0000",
        "1318528920",
        "1318528920.0",
    ],
)
def test_a_mail_date_is_rfc_2822_or_seconds(text: str) -> None:
    assert parse_mail_date(text) == MOMENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "Thu, 13 Oct 2011 18:02:00 GMT-3",
        "Thu, 13 Oct 2011 18:02:00 UTC+02:00",
        "2011-10-13T18:02:00Z",
        "Thu, 99 Oct 2011 18:02:00 +0000",
    ],
)
def test_what_is_no_mail_date_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_mail_date(text)


def test_an_rfc_3339_date_needs_its_offset() -> None:
    assert parse_rfc3339("2011-10-13T18:02:00Z") == MOMENT
    with pytest.raises(ValueError, match="has no offset"):
        parse_rfc3339("2011-10-13T18:02:00")


def test_moments_are_written_as_mailgun_does() -> None:
    assert mail_date(MOMENT) == "Thu, 13 Oct 2011 18:02:00 UTC"
    assert mail_date(MOMENT, "+0000") == "Thu, 13 Oct 2011 18:02:00 +0000"
    assert iso_date(MOMENT + 0.1239) == "2011-10-13T18:02:00.123Z"


def test_a_manual_clock_moves_when_told() -> None:
    clock = ManualClock(1.0)
    clock.advance(2.5)
    assert clock.now() == 3.5


def test_the_system_clock_tells_the_machines_time() -> None:
    assert abs(SystemClock().now() - time.time()) < 60
