"""Dates: what is taken, and how each is written for Mailgun."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgun_mcp.request.dates import epoch, parse, rfc2822, rfc3339

MOMENTS = st.datetimes(
    min_value=datetime(1970, 1, 2),
    max_value=datetime(9998, 12, 1),
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
).map(lambda moment: moment.replace(microsecond=0))


@pytest.mark.parametrize(
    ("text", "mail", "iso", "seconds"),
    [
        ("2026-11-23T09:00:00Z", "Mon, 23 Nov 2026 09:00:00 +0000", "2026-11-23T09:00:00Z", "1795424400"),
        ("2026-11-23T09:00:00+02:00", "Mon, 23 Nov 2026 09:00:00 +0200", "2026-11-23T07:00:00Z", "1795417200"),
        ("2026-11-23 09:00:00.750Z", "Mon, 23 Nov 2026 09:00:00 +0000", "2026-11-23T09:00:00Z", "1795424400"),
        ("2026-11-23", "Mon, 23 Nov 2026 00:00:00 +0000", "2026-11-23T00:00:00Z", "1795392000"),
        (" 2026-11-23 ", "Mon, 23 Nov 2026 00:00:00 +0000", "2026-11-23T00:00:00Z", "1795392000"),
        ("Mon, 23 Nov 2026 09:00:00 -0500", "Mon, 23 Nov 2026 09:00:00 -0500", "2026-11-23T14:00:00Z", "1795442400"),
        ("23 Nov 2026 09:00 GMT", "Mon, 23 Nov 2026 09:00:00 +0000", "2026-11-23T09:00:00Z", "1795424400"),
    ],
)
def test_a_time_is_written_as_each_field_wants_it(text: str, mail: str, iso: str, seconds: str) -> None:
    assert (rfc2822(text), rfc3339(text), epoch(text)) == (mail, iso, seconds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not a time: use ISO 8601, such as 2026-11-23T09:00:00Z"),
        ("tomorrow", "'tomorrow' is not a time: use ISO 8601, such as 2026-11-23T09:00:00Z"),
        ("1795424400", "'1795424400' is not a time: use ISO 8601, such as 2026-11-23T09:00:00Z"),
        ("2026-02-30", "'2026-02-30' is not a time: use ISO 8601, such as 2026-11-23T09:00:00Z"),
        ("2026-11-23T09:00:00", "'2026-11-23T09:00:00' has no offset from UTC: add one, such as 2026-11-23T09:00:00Z"),
        ("2026-11-23T09:00:00 CET", "'2026-11-23T09:00:00 CET' names the time zone CET: write its offset instead, such as +01:00"),
        ("Mon, 23 Nov 2026 09:00:00 GMT-3", "'Mon, 23 Nov 2026 09:00:00 GMT-3' names the time zone GMT-3: write its offset"),
        ("2026-11-23 09:00 Europe/Berlin", "'2026-11-23 09:00 Europe/Berlin' names the time zone Europe/Berlin: write its offset"),
        ("Mon, 23 Nov 2026 09:00:00", "'Mon, 23 Nov 2026 09:00:00' has no offset from UTC: add one, such as Mon, 23 Nov 2026 09:00:00 +0000"),
        ("0001-01-01T00:00:00+14:00", "'0001-01-01T00:00:00+14:00' is outside the years 1970 to 9998"),
        ("9999-12-31T23:59:59-14:00", "'9999-12-31T23:59:59-14:00' is outside the years 1970 to 9998"),
        ("Mon, 23 Nov 99999999999999999999 09:00:00 +0000", "'Mon, 23 Nov 99999999999999999999 09:00:00 +0000' is not a time"),
        ("Mon, " * 200_000, "'Mon, Mon, Mon, "),
        (f"Mon, 23 Nov 2026 09:00:00 +0000 ({'x' * 50})", "'Mon, 23 Nov 2026 09:00:00 +0000 (xxx"),
    ],
)  # fmt: skip
def test_what_names_no_moment_is_refused_in_few_words(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        parse(text)
    assert len(str(caught.value)) < 200


@given(MOMENTS)
def test_every_moment_survives_in_every_form(moment: datetime) -> None:
    text = moment.isoformat()
    assert parsedate_to_datetime(rfc2822(text)) == moment
    assert datetime.fromisoformat(rfc3339(text)) == moment
    assert datetime.fromtimestamp(int(epoch(text)), UTC) == moment
    assert parse(rfc2822(text)) == moment


@given(st.text(max_size=80))
def test_any_other_text_is_a_value_error(text: str) -> None:
    for write in (rfc2822, rfc3339, epoch):
        with suppress(ValueError):
            assert parse(write(text)) if write is not epoch else int(write(text))
