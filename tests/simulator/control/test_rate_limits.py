"""Rate limits count requests of operations in windows of time."""

from mailgun_mcp.simulator.control.rate_limits import DOCUMENTED, Limit
from tests.support.operations import find


def test_a_window_takes_so_many_requests_and_then_the_next_one_begins() -> None:
    limit = Limit(("list_*",), 2, 10.0)
    assert [limit.take(now) for now in (100.0, 101.0, 102.0, 109.9, 110.0)] == [True, True, False, False, True]
    assert limit.reset == 120.0


def test_a_clock_that_was_set_back_begins_a_window() -> None:
    limit = Limit(("*",), 1, 10.0)
    assert [limit.take(now) for now in (100.0, 50.0)] == [True, True]


def test_a_limit_covers_operations_by_name_or_toolset() -> None:
    by_name, by_toolset = Limit(("list_dom*",), 1, 1.0), Limit(("routes",), 1, 1.0)
    assert [by_name.covers(find(name)) for name in ("list_domains", "list_routes")] == [True, False]
    assert [by_toolset.covers(find(name)) for name in ("list_domains", "list_routes")] == [False, True]


def test_the_documented_limits_are_new_each_time() -> None:
    first = DOCUMENTED()
    first[0].take(0.0)
    assert [limit.used for limit in DOCUMENTED()] == [0] * len(first)
