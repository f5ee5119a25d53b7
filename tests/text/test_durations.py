"""Durations, hours and weekdays as people write them."""

import pytest

from mailgun_mcp.text.durations import duration, in_words, iso, minutes_of, weekdays_of


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("15m", 900), ("2h", 7200), ("7d", 604800), ("1h30m", 5400), ("1h 30m", 5400)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "m", "1.5h", "-5m", "5 m", "0s", "1w", "5m\n", "\u0665m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration|must be longer than zero"):
        duration(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *[(-5, "0 seconds"), (0.9, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (60, "1 minute")],
        *[(61, "61 seconds"), (119, "119 seconds"), (150, "2 minutes"), (3600, "1 hour"), (5400, "90 minutes")],
        *[(7199, "119 minutes"), (86_400, "1 day"), (90_000, "25 hours"), (172_800, "2 days"), (1e9, "11,574 days")],
    ],
)
def test_a_time_is_said_in_the_unit_that_suits_it(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(0.1, "1 second"), (150, "3 minutes"), (7201, "3 hours")])
def test_a_wait_is_rounded_up(seconds: float, words: str) -> None:
    assert in_words(seconds, up=True) == words


@pytest.mark.parametrize(
    ("span", "first", "last", "count"),
    [
        ("9-17", 540, 1019, 480),
        ("8:30-9", 510, 539, 30),
        ("22-6", 0, 1439, 480),
        (9, 540, 599, 60),
        ("0-24", 0, 1439, 1440),
        ("22-24", 1320, 1439, 120),
    ],
)
def test_hours_are_until_their_end(span: str | int, first: int, last: int, count: int) -> None:
    minutes = minutes_of(span)

    assert (min(minutes), max(minutes), len(minutes)) == (first, last, count)


@pytest.mark.parametrize("span", ["9", "9-9", "9-25", "8:60-9", "24:30-1", "nine", -1, 24, "9-17h"])
def test_what_are_no_hours_is_refused(span: str | int) -> None:
    with pytest.raises(ValueError, match=r"range of hours|same time|outside the 24 hours"):
        minutes_of(span)


def test_weekdays_wrap_around_the_week() -> None:
    assert weekdays_of(["fri-mon", "wed"]) == {4, 5, 6, 0, 2}


@pytest.mark.parametrize("day", ["monday", "Mon", "mon-", "-mon", ""])
def test_what_is_no_weekday_is_refused(day: str) -> None:
    with pytest.raises(ValueError, match="not a weekday"):
        weekdays_of([day])


def test_a_time_is_written_in_utc() -> None:
    assert iso(0) == "1970-01-01T00:00:00Z"
