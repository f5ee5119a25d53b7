"""A sending limit counts by calendar month, and reaching it stops the account until the month is over."""

from calendar import timegm

from mailgun_mcp.simulator.model.administration import SendingLimit, month

NOVEMBER, DECEMBER = timegm((2026, 11, 30, 23, 59, 59)), timegm((2026, 12, 1, 0, 0, 0))


def test_a_month_is_that_of_utc() -> None:
    assert (month(NOVEMBER), month(DECEMBER)) == ((2026, 11), (2026, 12))


def test_reaching_the_limit_stops_the_account_until_the_month_is_over() -> None:
    limit = SendingLimit(limit=2)
    limit.count(NOVEMBER)
    assert not limit.stops(NOVEMBER)
    limit.count(NOVEMBER)
    assert limit.stops(NOVEMBER)
    assert not limit.stops(DECEMBER)
    assert (limit.current(NOVEMBER), limit.current(DECEMBER)) == (2, 0)


def test_raising_the_limit_does_not_start_a_stopped_account() -> None:
    limit = SendingLimit(limit=1)
    limit.count(NOVEMBER)
    assert limit.stops(NOVEMBER)
    limit.limit = 10
    assert limit.stops(NOVEMBER)


def test_without_a_limit_nothing_stops() -> None:
    limit = SendingLimit()
    for _ in range(10):
        limit.count(NOVEMBER)
    assert not limit.stops(NOVEMBER)
