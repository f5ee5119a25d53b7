"""Durations: every unit has one meaning, whatever Mailgun calls it, and an `m` alone has none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.request.durations import Scale, for_mailgun


@pytest.mark.parametrize(
    ("text", "months", "minutes"),
    [
        ("12h", "12h", "12h"),
        ("7d", "7d", "168h"),
        ("2w", "14d", "336h"),
        ("36 hours", "36h", "36h"),
        ("48h", "48h", "48h"),
        ("PT12H", "12h", "12h"),
        ("P7D", "7d", "168h"),
        ("120min", "2h", "2h"),
        ("PT120M", "2h", "2h"),
    ],
)
def test_a_duration_is_written_in_the_units_of_the_field(text: str, months: str, minutes: str) -> None:
    assert for_mailgun(text, "months") == months
    assert for_mailgun(text, "minutes") == minutes


def test_months_and_minutes_are_both_m_to_mailgun() -> None:
    assert [for_mailgun(text, "months") for text in ("2mo", "2 months", "P2M")] == ["2m"] * 3
    assert [for_mailgun(text, "minutes") for text in ("10min", "10 minutes", "PT10M")] == ["10m"] * 3
    assert for_mailgun("600s", "minutes") == "600s"


@pytest.mark.parametrize(
    ("text", "scale", "message"),
    [
        ("10m", "months", "'10m' is unclear: write 10min for minutes or 10mo for months"),
        ("10m", "minutes", "'10m' is unclear: write 10min for minutes or 10mo for months"),
        ("10min", "months", "'10min' is too precise: the smallest unit here is the hour"),
        ("2mo", "minutes", "'2mo' is in months, which are not accepted here: write days or hours"),
        ("0h", "months", "'0h' has no length"),
        ("soon", "months", "'soon' is not a duration: write 30min, 12h, 7d or 2mo"),
        ("", "months", "'' is not a duration"),
        ("5 parsecs", "minutes", "'5 parsecs' is not a duration"),
    ],
)
def test_what_is_unclear_is_refused_with_what_to_write(text: str, scale: Scale, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        for_mailgun(text, scale)


@given(st.text(), st.sampled_from(["months", "minutes"]))
def test_any_other_text_is_a_value_error(text: str, scale: Scale) -> None:
    with suppress(ValueError):
        assert for_mailgun(text, scale)[-1] in "hdms"
